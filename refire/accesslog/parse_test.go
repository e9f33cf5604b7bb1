package accesslog_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

const prefix = `192.0.2.7 - - [03/Feb/2026:04:05:06 +0100] `

var when = time.Date(2026, time.February, 3, 3, 5, 6, 0, time.UTC)

// wellFormed lines, all of which also go into the fuzz corpus.
var wellFormed = []struct {
	name, line            string
	method, target, proto string // all empty: no request
	status                int
	host                  string
	time                  time.Time
}{
	{"common", prefix + `"GET /a?b=c HTTP/1.1" 500 12`, "GET", "/a?b=c", "HTTP/1.1", 500, "", when},
	{"combined", prefix + `"HEAD /a HTTP/1.0" 503 - "http://x/" "agent/1 (a; b)"`, "HEAD", "/a", "HTTP/1.0", 503, "", when},
	{"agent cut off", prefix + `"POST /a HTTP/2.0" 502 0 "-" "Mozilla/5.0 (compatible; +http`, "POST", "/a", "HTTP/2.0", 502, "", when},
	{"ends with the status", prefix + `"GET / HTTP/1.1" 500`, "GET", "/", "HTTP/1.1", 500, "", when},
	{"other method", prefix + `"PROPFIND /a HTTP/1.1" 500 1`, "PROPFIND", "/a", "HTTP/1.1", 500, "", when},
	{"lower-case method", prefix + `"get /a HTTP/1.1" 500 1`, "get", "/a", "HTTP/1.1", 500, "", when},
	{"HTTP/0.9", prefix + `"GET /x" 500 1`, "GET", "/x", "", 500, "", when},
	{"HTTP/0.9 with a space", prefix + `"GET /x y" 500 1`, "GET", "/x y", "", 500, "", when},
	{"spaces in the target", prefix + `"GET /a  b HTTP/x c HTTP/1.1" 500 1`, "GET", "/a  b HTTP/x c", "HTTP/1.1", 500, "", when},
	{"spaces around the target", prefix + `"GET   /a   HTTP/1.1  " 500 1`, "GET", "/a", "HTTP/1.1", 500, "", when},
	{"nothing normalised", prefix + `"GET //a/../%2F/./?q=%zz&&=;? HTTP/1.1" 500 1`, "GET", "//a/../%2F/./?q=%zz&&=;?", "HTTP/1.1", 500, "", when},
	{"absolute form", prefix + `"GET http://u:p@h/x HTTP/1.1" 500 1`, "GET", "http://u:p@h/x", "HTTP/1.1", 500, "", when},
	{"asterisk", prefix + `"OPTIONS * HTTP/1.0" 500 1`, "OPTIONS", "*", "HTTP/1.0", 500, "", when},
	{"raw non-ASCII and NUL", prefix + "\"GET /\xff\x00\xc3\xa9 HTTP/1.1\" 500 1", "GET", "/\xff\x00\xc3\xa9", "HTTP/1.1", 500, "", when},
	{"Apache quotes", prefix + `"GET /?q=\"a\" 500 \"&r=\\ HTTP/1.1" 503 1`, "GET", `/?q="a" 500 "&r=\`, "HTTP/1.1", 503, "", when},
	{"Apache controls", prefix + `"GET /\b\n\r\t\v\f\x00\xe2\x82\xac HTTP/1.1" 500 1`, "GET", "/\b\n\r\t\v\f\x00\u20ac", "HTTP/1.1", 500, "", when},
	{"Apache backslash before x", prefix + `"GET /\\x41 HTTP/1.1" 500 1`, "GET", `/\x41`, "HTTP/1.1", 500, "", when},
	{"nginx", prefix + `"GET /\x22\x5C\x5Cx41\x0D\x0a HTTP/1.1" 500 1`, "GET", "/\"\\\\x41\r\n", "HTTP/1.1", 500, "", when},
	{"no escapes", prefix + `"GET /\q\x4\xzz\ HTTP/1.1" 500 1`, "GET", `/\q\x4\xzz\`, "HTTP/1.1", 500, "", when},
	{"backslash before the closing quote", prefix + `"GET /\\" 500 1`, "GET", `/\`, "", 500, "", when},

	{"408", prefix + `"-" 500 0 "-" "-"`, "", "", "", 500, "", when},
	{"empty request", prefix + `"" 500 0`, "", "", "", 500, "", when},
	{"TLS handshake", prefix + `"\x16\x03\x01\x02 \x01" 500 0`, "", "", "", 500, "", when},
	{"one word", prefix + `"GET" 500 0`, "", "", "", 500, "", when},
	{"no target", prefix + `"GET  HTTP/1.1" 500 0`, "", "", "", 500, "", when},
	{"only a protocol", prefix + `"GET HTTP/1.1" 500 0`, "", "", "", 500, "", when},
	{"no method", prefix + `" /x HTTP/1.1" 500 0`, "", "", "", 500, "", when},

	{"no status (nginx)", prefix + `"GET / HTTP/1.1" 000 0`, "GET", "/", "HTTP/1.1", 0, "", when},
	{"no status (Apache)", prefix + `"GET / HTTP/1.1" - -`, "GET", "/", "HTTP/1.1", 0, "", when},
	{"user with everything", `192.0.2.7 - a [b] c [01/Jan/1999:00:00:00 +0000] [03/Feb/2026:04:05:06 +0100] "GET /u HTTP/1.1" 500 1`, "GET", "/u", "HTTP/1.1", 500, "", when},
	{"user with Apache's quote", `192.0.2.7 - [x] \"GET /evil HTTP/1.1\" 200 [03/Feb/2026:04:05:06 +0100] "GET /u HTTP/1.1" 500 1`, "GET", "/u", "HTTP/1.1", 500, "", when},
	{"Apache's empty user", `192.0.2.7 - "" [03/Feb/2026:04:05:06 +0100] "GET /u HTTP/1.1" 500 1`, "GET", "/u", "HTTP/1.1", 500, "", when},
	{"quoted column first", `"10.0.0.1, x] " - - [03/Feb/2026:04:05:06 +0100] "GET /u HTTP/1.1" 500 1 "-" "-"`, "GET", "/u", "HTTP/1.1", 500, "", when},
	{"time only", `[03/Feb/2026:04:05:06 +0100] "GET /u HTTP/1.1" 500`, "GET", "/u", "HTTP/1.1", 500, "", when},
	{"wrapped", `"` + prefix + `"GET /w?\"x\" HTTP/1.1" 500 1 "-" "a""`, "GET", `/w?"x"`, "HTTP/1.1", 500, "", when},
	{"wrapped, cut off", `"` + prefix + `"GET /w HTTP/1.1" 500 1 "-" "a`, "GET", "/w", "HTTP/1.1", 500, "", when},
	{"wrapped, ends with the status", `"` + prefix + `"GET /w HTTP/1.1" 500"`, "GET", "/w", "HTTP/1.1", 500, "", when},
	{"vhost", `example.org:443 ` + prefix + `"GET /v HTTP/1.1" 500 1`, "GET", "/v", "HTTP/1.1", 500, "example.org:443", when},
	{"IPv6 client is no vhost", `2001:db8::1:443 ` + strings.TrimPrefix(prefix, "192.0.2.7 ") + `"GET /v HTTP/1.1" 500 1`, "GET", "/v", "HTTP/1.1", 500, "", when},
	{"client with port is no vhost", `192.0.2.7:443 ` + strings.TrimPrefix(prefix, "192.0.2.7 ") + `"GET /v HTTP/1.1" 500 1`, "GET", "/v", "HTTP/1.1", 500, "", when},
	{"ISO time", `h - - [2026-02-03T04:05:06+01:00] "GET /t HTTP/1.1" 500 1`, "GET", "/t", "HTTP/1.1", 500, "", when},
	{"time without a zone", `h CH - [2026-02-03 03:05:06.000000] "GET /t HTTP/1.1" 500 1 "-" "a" more 1 -% 2`, "GET", "/t", "HTTP/1.1", 500, "", when},
	{"unknown time", `h - - [yesterday] "GET /t HTTP/1.1" 500 1`, "GET", "/t", "HTTP/1.1", 500, "", time.Time{}},
}

func TestParse(t *testing.T) {
	for _, test := range wellFormed {
		for _, end := range []string{"", "\n", "\r\n"} {
			got, err := accesslog.Parse([]byte(test.line + end))
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
				continue
			}
			if !got.Time.Equal(test.time) {
				t.Errorf("%s: time %v, want %v", test.name, got.Time, test.time)
			}
			got.Time = time.Time{}
			want := accesslog.Entry{
				Method: test.method, Target: test.target, Proto: test.proto, Status: test.status, Host: test.host, NoRequest: test.method == "",
			}
			if got != want {
				t.Errorf("%s:\n got %+v\nwant %+v", test.name, got, want)
			}
		}
	}
}

// malformed lines, all of which also go into the fuzz corpus.
var malformed = []struct {
	name, line string
	reason     accesslog.Reason
}{
	{"empty", ``, accesslog.NoRequestField},
	{"words", `Starting nginx`, accesslog.NoRequestField},
	{"JSON", `{"request":"GET / HTTP/1.1","status":500}`, accesslog.NoRequestField},
	{"no time", `192.0.2.7 - - "GET / HTTP/1.1" 500 1`, accesslog.NoRequestField},
	{"half a time", `192.0.2.7 - - 2026] "GET / HTTP/1.1" 500 1`, accesslog.NoRequestField},
	{"bracket in a word", `192.0.2.7 - x[2026] "GET / HTTP/1.1" 500 1`, accesslog.NoRequestField},
	{"quoted column unclosed", `"a ` + prefix[:12], accesslog.NoRequestField},
	{"cut in the request", prefix + `"GET /`, accesslog.RequestUnclosed},
	{"cut after an escaped quote", prefix + `"GET /\"`, accesslog.RequestUnclosed},
	{"wrapped and cut in the request", `"` + prefix + `"GET /`, accesslog.RequestUnclosed},
	{"cut after the request", prefix + `"GET / HTTP/1.1"`, accesslog.NoStatus},
	{"cut in the status", prefix + `"GET / HTTP/1.1" 50`, accesslog.NoStatus},
	{"status of four digits", prefix + `"GET / HTTP/1.1" 5000 1`, accesslog.NoStatus},
	{"status of letters", prefix + `"GET / HTTP/1.1" 5o0 1`, accesslog.NoStatus},
	{"negative status", prefix + `"GET / HTTP/1.1" -1 1`, accesslog.NoStatus},
	{"tab", prefix + "\"GET / HTTP/1.1\" 500\t1", accesslog.NoStatus},
	{"unescaped quote", prefix + `"GET /?q="x" HTTP/1.1" 500 1`, accesslog.NoStatus},
}

func TestParseMalformed(t *testing.T) {
	for _, test := range malformed {
		entry, err := accesslog.Parse([]byte(test.line + "\n"))
		var bad *accesslog.BadLine
		if !errors.As(err, &bad) {
			t.Errorf("%s: no BadLine but %+v, %v", test.name, entry, err)
			continue
		}
		if bad.Reason != test.reason || string(bad.Raw) != test.line || bad.Length != int64(len(test.line)) {
			t.Errorf("%s: %+v, want reason %v", test.name, bad, test.reason)
		}
	}
}
