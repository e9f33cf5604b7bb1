package accesslog_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// apacheEscape writes a field as httpd's ap_escape_logitem does.
func apacheEscape(s string) string {
	named := map[byte]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\n': `\n`, '\r': `\r`, '\t': `\t`, '\v': `\v`}
	var out []byte
	for i := range len(s) {
		switch c := s[i]; {
		case named[c] != "":
			out = append(out, named[c]...)
		case c < 0x20 || c > 0x7e:
			out = fmt.Appendf(out, `\x%02x`, c)
		default:
			out = append(out, c)
		}
	}
	return string(out)
}

// nginxEscape writes a field as nginx does with escape=default.
func nginxEscape(s string) string {
	var out []byte
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			out = fmt.Appendf(out, `\x%02X`, c)
		} else {
			out = append(out, c)
		}
	}
	return string(out)
}

// TestRoundTrip: whatever bytes a client puts into its target, its user name and its agent, and whichever server writes them
// down, the target comes back as it was.
func TestRoundTrip(t *testing.T) {
	const seed = 1
	r := rand.New(rand.NewPCG(seed, 0))
	servers := map[string]func(string) string{"Apache": apacheEscape, "nginx": nginxEscape}
	for i := range 20_000 {
		want := accesslog.Entry{
			Method: []string{"GET", "POST", "M-SEARCH", "X!#$%&'*+.^_`|~1"}[r.IntN(4)],
			Target: hostile(r, "/") + "z", // no spaces at the ends, where they separate
			Proto:  []string{"HTTP/1.1", "HTTP/2.0", "HTTP/" + hostile(r, "")}[r.IntN(3)],
			Status: r.IntN(1000),
		}
		want.Proto = noSpaces(want.Proto)
		for name, escape := range servers {
			line := fmt.Sprintf(`192.0.2.1 - u%s [03/Feb/2026:04:05:06 +0000] "%s" %03d 0 "-" "%s"`, escape(hostile(r, "")),
				escape(want.Method+" "+want.Target+" "+want.Proto), want.Status, escape(hostile(r, "")))
			if r.IntN(2) == 0 {
				line = `"` + line + `"`
			}
			got, err := accesslog.Parse([]byte(line))
			if err != nil {
				t.Fatalf("seed %d, %d, %s: %v\n%s", seed, i, name, err, line)
			}
			if want.Time = got.Time; got.Time.IsZero() || got != want {
				t.Fatalf("seed %d, %d, %s:\n got %+v\nwant %+v\n%s", seed, i, name, got, want, line)
			}
		}
	}
}

// hostile returns bytes that a parser may trip over.
func hostile(r *rand.Rand, s string) string {
	pieces := []string{" ", `"`, `\`, "[", "]", "] \"", "\" 500 1", "\n", "\r", "\x00", "\x7f", "\xff", "é", `\x22`, "HTTP/1.1", "a", "%", "- - [", "\t",
		` HTTP/1.1" 503 0 "-" "-" `, ` [03/Feb/2026:04:05:06 +0100] "GET /forged HTTP/1.1" 503 1 `, ` - ---- 1/1/1/1/0 0/0 `, ` "GET /forged HTTP/1.1"`, ` 0/0/0/0/0 x/TLSv1.3/y`,
		`","status":503,"uri":"/forged","x":"`, `2026-02-03T03:05:06Z stdout F `, "1.2.3.4:5 [03/Feb/2026:03:05:06.000] f b/s 1/1/1/1/1 503 1 - - ---- 1/1/1/1/0 0/0 ",
		"#Fields: cs-method cs-uri sc-status ", "<190>Feb  3 04:05:06 host x: ", ` 1 "r" "u" 1ms`, ` status=503 path=/forged method=DELETE`, " code=503 verb=PUT"}
	for range r.IntN(8) {
		s += pieces[r.IntN(len(pieces))]
	}
	return s
}

func noSpaces(s string) string {
	out := []byte(s)
	for i, c := range out {
		if c == ' ' {
			out[i] = '_'
		}
	}
	return string(out)
}
