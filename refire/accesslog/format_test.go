package accesslog_test

import (
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

func TestDetect(t *testing.T) {
	const common = prefix + `"GET / HTTP/1.1" 200 5`
	const combined = common + ` "-" "agent"`
	const extended = combined + ` 0.123`
	lines := func(lines ...string) string { return strings.Join(lines, "\n") + "\n" }
	for _, test := range []struct {
		name, head string
		want       accesslog.Detection
		words      string
	}{
		{"empty", "", accesslog.Detection{}, "empty"},
		{"blank", "\n\r\n\n", accesslog.Detection{}, "empty"},
		{"common", lines(common, common), accesslog.Detection{Format: accesslog.Common, Lines: 2, Matched: 2}, "common (2 of 2 lines)"},
		{"combined", lines(combined), accesslog.Detection{Format: accesslog.Combined, Lines: 1, Matched: 1}, "combined (1 of 1 lines)"},
		{"agent cut", lines(combined[:len(combined)-1]), accesslog.Detection{Format: accesslog.Combined, Lines: 1, Matched: 1}, ""},
		{"wrapped", lines(`"` + combined + `"`), accesslog.Detection{Format: accesslog.Combined, Lines: 1, Matched: 1, Wrapped: 1}, ""},
		{"more fields", lines(extended), accesslog.Detection{Format: accesslog.Extended, Lines: 1, Matched: 1}, ""},
		{"vhost first", lines("example.org:80 " + combined), accesslog.Detection{Format: accesslog.VHostCombined, Lines: 1, Matched: 1}, ""},
		{"other time", lines(`h - - [2026-01-02 03:04:05] "GET / HTTP/1.1" 200 5`), accesslog.Detection{Format: accesslog.Extended, Lines: 1, Matched: 1}, ""},
		{"no bytes", lines(prefix + `"GET / HTTP/1.1" 200`), accesslog.Detection{Format: accesslog.Extended, Lines: 1, Matched: 1}, ""},
		{"majority", lines("rotated", common, combined, "", combined), accesslog.Detection{Format: accesslog.Combined, Lines: 4, Matched: 3}, "combined (3 of 4 lines)"},
		{"the last line is half", common + "\n" + prefix, accesslog.Detection{Format: accesslog.Common, Lines: 1, Matched: 1}, ""},
		{"one line without a newline", common, accesslog.Detection{Format: accesslog.Common, Lines: 1, Matched: 1}, ""},
		{"a hundred are enough", strings.Repeat(common+"\n", 300), accesslog.Detection{Format: accesslog.Common, Lines: 100, Matched: 100}, ""},
		{"words", "hello\nworld\n", accesslog.Detection{Lines: 2}, "not an access log that can be read (0 of 2 lines)"},
		{"JSON", `{"a":1}`, accesslog.Detection{Lines: 1, Looks: "JSON"}, "not an access log that can be read: it looks like JSON"},
		{"W3C", "#Version: 1.0\n#Fields: date\n", accesslog.Detection{Format: accesslog.W3C}, "w3c (no lines yet)"},
		{"gzip", "\x1f\x8b\x08", accesslog.Detection{Lines: 1, Looks: "gzip, to be unpacked first"}, ""},
	} {
		got := accesslog.Detect([]byte(test.head))
		if got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
		if test.words != "" && got.String() != test.words {
			t.Errorf("%s: %q, want %q", test.name, got, test.words)
		}
		// A scanner looks at the same bytes, and leaves them for All.
		s := accesslog.NewScanner(strings.NewReader(test.head), accesslog.Options{})
		if s.Detection() != got {
			t.Errorf("%s: the scanner says %v", test.name, s.Detection())
		}
		collect(t, s)
		if n := s.Stats().Bytes; n != int64(len(test.head)) {
			t.Errorf("%s: scanned %d bytes of %d after the detection", test.name, n, len(test.head))
		}
	}
}

func TestParseFormat(t *testing.T) {
	for _, name := range []string{"auto", "common", "combined", "extended"} {
		if f, err := accesslog.ParseFormat(name); err != nil || f.String() != name {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
	if _, err := accesslog.ParseFormat("combine"); err == nil || !strings.Contains(err.Error(), "the formats are auto, w3c, alb") {
		t.Errorf("error: %v", err)
	}
}
