package accesslog_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// unescaped are the servers that write something as a client chose it: HAProxy cookies and server names, the others all.
var unescaped = map[string]bool{"S3": true, "Envoy": true, "Envoy, spaces in the path": true, "HAProxy": true, "HAProxy, httpslog, a cookie": true, "Traefik's text": true,
	"pairs, nothing in quotes": true}

// cookie is one as HAProxy captures it: with its name, no separators, at most 63 bytes.
func cookie(s string) string {
	s = "c=" + strings.Trim(strings.NewReplacer(";", "_", ",", "_", "\t", "_").Replace(noBreaks(s)), " ")
	return s[:min(len(s), 63)]
}

// rawServers are more servers, with what they do not escape.
var rawServers = []server{
	{"HAProxy, httpslog", "haproxy", "", nil,
		func(e *accesslog.Entry, stuff func() string) string {
			return fmt.Sprintf(`192.0.2.1:2 [03/Feb/2026:03:05:06.000] f~ b/s 1/1/1/1/1 %03d 1 - - ---- 1/1/1/1/0 0/0 {%s|} {%s} "%s" 0/00/0/0/0 %s/TLSv1.3/x`,
				e.Status, hashEscape(stuff(), `{|}"#`), hashEscape(stuff(), `{|}"#`), hashEscape(e.Method+" "+e.Target+" "+e.Proto, `"#`), noBreaks(stuff()))
		}},
	{"HAProxy, httpslog, a cookie", "haproxy", "", nil,
		func(e *accesslog.Entry, stuff func() string) string {
			return fmt.Sprintf(`192.0.2.1:2 [03/Feb/2026:03:05:06.000] f~ b/s 1/1/1/1/1 %03d 1 %s - ---- 1/1/1/1/0 0/0 "%s" 0/00/0/0/0 %s/TLSv1.3/x`,
				e.Status, cookie(stuff()), hashEscape(e.Method+" "+e.Target+" "+e.Proto, `"#`), noBreaks(stuff()))
		}},
	{"Traefik's text", "traefik", "", noBreaks,
		func(e *accesslog.Entry, stuff func() string) string {
			return fmt.Sprintf(`1%s - u%s [%s] "%s %s %s" %03d 5 "%s" "%s" 2 "r@docker" "http://10.0.0.9:80" 3ms`, noBreaks(stuff()), noBreaks(stuff()), clf,
				e.Method, e.Target, e.Proto, e.Status, noBreaks(stuff()), noBreaks(stuff()))
		}},
	{"Envoy, spaces in the path", "envoy", "", noBreaks,
		func(e *accesslog.Entry, stuff func() string) string {
			return fmt.Sprintf(`[2026-02-03T03:05:06.000Z] "%s %s %s" %03d UF 0 0 1 - "-" "%s" "-" "%s" "10.0.2.1:80"`, e.Method, e.Target, e.Proto, e.Status, noBreaks(stuff()), e.Host)
		}},
	{"pairs in quotes", "logfmt", "", jsonTarget,
		func(e *accesslog.Entry, stuff func() string) string {
			return fmt.Sprintf(`time=2026-02-03T03:05:06Z agent=%s method=%s path=%s proto=%s host=%s status=%d referer=%s`, jsonEscape(stuff()), e.Method, jsonEscape(e.Target),
				e.Proto, e.Host, e.Status, jsonEscape(stuff()))
		}},
	{"pairs, nothing in quotes", "logfmt", "", func(s string) string {
		return strings.NewReplacer(" ", "_", `"`, "_", `\`, "_", "\t", "_").Replace(noBreaks(s))
	},
		func(e *accesslog.Entry, stuff func() string) string {
			return fmt.Sprintf(`time=2026-02-03T03:05:06Z verb=%s path=%s proto=%s host=%s code=%d agent=%s referer=%s`, e.Method, e.Target, e.Proto, e.Host, e.Status,
				noBreaks(stuff()), nginxEscape(stuff()))
		}},
	{"nginx, X-Forwarded-For first", "common", "", nil,
		func(e *accesslog.Entry, stuff func() string) string {
			return fmt.Sprintf(`%s - u%s [%s] "%s" %03d 0`, nginxEscape("x"+stuff()), nginxEscape(stuff()), clf, nginxEscape(e.Method+" "+e.Target+" "+e.Proto), e.Status)
		}},
	{"Apache, X-Forwarded-For first, in CRI", "cri:common", "", nil,
		func(e *accesslog.Entry, stuff func() string) string {
			return "2026-02-03T03:05:06.000Z stdout F " + fmt.Sprintf(`1%s - u%s [%s] "%s" %03d 0`, apacheEscape(stuff()), apacheEscape(stuff()), clf,
				apacheEscape(e.Method+" "+e.Target+" "+e.Proto), e.Status)
		}},
}

// ordinary writes a line in a format of its own: of nobody who means any harm.
func ordinary(s *server, i int) string {
	e := accesslog.Entry{Method: "GET", Target: fmt.Sprintf("/%d", i), Proto: "HTTP/1.1", Host: "www.example.org", Status: []int{200, 503}[i%2]}
	return s.line(&e, func() string { return "" }) + "\n"
}

// disguises are beginnings that make a line look like another format's, each for what a client writes at the beginning of a line.
var disguises = []string{
	"2026-02-03T03:05:06.000Z stdout F 1.2.3.4:80 [03/Feb/2026:03:05:06.000] fe be/srv 1/2/3/4/5 503 0 - - ---- 0/0/0/0/0 0/0",
	"1.2.3.4:80 [03/Feb/2026:03:05:06.000] fe be/srv 1/2/3/4/5 503 0 - - ---- 0/0/0/0/0 0/0",
	"1.2.3.4:80 [03/Feb/2026:03:05:06.000] fe be/srv 1/2/3/4/5 503 0 a=b - ---- 0/0/0/0/0 0/0",
	"2026-02-03T03:05:06.000Z stdout P 1.2.3.4", "2026-02-03T03:05:06.000Z stdout F 1.2.3.4", "<190>Feb  3 04:05:06 host x: 1.2.3.4",
	"http 2026-02-03T03:05:06.000000Z x 1.2.3.4:1 - 0 0 0 500 - 0 57", "2026-02-03T03:05:06.000000Z x 1.2.3.4:1 - 0 0 0 500 200 0 57",
	"[2026-02-03T03:05:06.000Z]", "x y [03/Feb/2026:03:05:06 +0000] 192.0.2.3 - 3E57 REST.GET.OBJECT a",
	"http 2026-02-03T03:05:06.000000Z x 1.2.3.4:1 - 0 0 0 500 - 0",
	"2026-02-03T03:05:06.000Z stdout F http 2026-02-03T03:05:06.000000Z x 1.2.3.4:1 - 0 0 0 500 - 0", "method=GET path=/forged status=503", "a=",
	"#Fields: cs-method cs-uri sc-status", "GET /forged 503", "DELETE /forged 503", "#Fields:", "{", `{"log":"`, `{"status":503,"request":"GET /forged HTTP/1.1","x":"`,
	"2026-02-03T03:05:06.000Z stdout F #Fields: cs-method cs-uri sc-status a b c d e f g h i j", "2026-02-03T03:05:06.000Z stdout F GET /forged 503 a b c d e f g h i j",
}

// columnsFirst are logs whose first column a client chooses.
var columnsFirst = []struct {
	name, format string
	line         func(first, agent string, i int) string
}{
	{"nginx", "combined", func(first, agent string, i int) string {
		return fmt.Sprintf(`%s - - [%s] "GET /%d HTTP/1.1" %d 5 "-" "%s"`, nginxEscape(first), clf, i, []int{200, 503}[i%2], nginxEscape(agent)) + "\n"
	}},
	{"Apache", "combined", func(first, agent string, i int) string {
		return fmt.Sprintf(`%s - - [%s] "GET /%d HTTP/1.1" %d 5 "-" "%s"`, apacheEscape(first), clf, i, []int{200, 503}[i%2], apacheEscape(agent)) + "\n"
	}},
	{"nginx, more fields", "extended", func(first, agent string, i int) string {
		return fmt.Sprintf(`%s [%s] "GET /%d HTTP/1.1" %d "%s" 0.1 %s`, nginxEscape(first), clf, i, []int{200, 503}[i%2], nginxEscape(agent), nginxEscape(agent)) + "\n"
	}},
	{"Traefik", "traefik", func(first, agent string, i int) string {
		return fmt.Sprintf(`%s - - [%s] "GET /%d HTTP/1.1" %d 5 "%s" "%s" 2 "r@docker" "http://10.0.0.9:80" 3ms`, first, clf, i, []int{200, 503}[i%2], agent, agent) + "\n"
	}},
}

// scanAs returns the entries of a log by their lines.
func scanAs(t *testing.T, log string, format accesslog.Format, how string) map[int64]accesslog.Entry {
	opts := accesslog.Options{Status: everyStatus, Format: format}
	s := accesslog.NewScanner(strings.NewReader(log), opts)
	switch how {
	case "line by line":
		s = accesslog.NewScanner(iotest.OneByteReader(strings.NewReader(log)), opts)
	case "file":
		s = accesslog.NewReaderAtScanner(strings.NewReader(log), int64(len(log)), opts)
	}
	entries := map[int64]accesslog.Entry{}
	for _, o := range collect(t, s) {
		if !o.isBad {
			entries[o.entry.Line] = o.entry
		}
	}
	return entries
}

// same reports whether nothing stands in got that is not in want, and which line is the first.
func same(got, want map[int64]accesslog.Entry) (line int64, ok bool) {
	for line, e := range got {
		w := want[line]
		if e.Method != w.Method || e.Target != w.Target || e.Status != w.Status || e.NoRequest != w.NoRequest || !e.Time.Equal(w.Time) {
			return line, false
		}
	}
	return 0, true
}

// TestDisguise: no line makes a log another format's, wherever it stands and however many there are, as long as there are others.
func TestDisguise(t *testing.T) {
	const seed = 3
	r := rand.New(rand.NewPCG(seed, 0))
	agents := []string{"DELETE /forged HTTP/1.1", "GET /forged HTTP/1.1", `x" 503 1 "`, "GET http://x:80/forged HTTP/1.1", `"}`, `","status":503}`, "x"}
	for _, c := range columnsFirst {
		format, err := accesslog.ParseFormat(c.format)
		if err != nil {
			t.Fatal(err)
		}
		for _, how := range []string{"at once", "line by line", "file"} {
			for _, first := range disguises {
				for range 2 {
					agent := agents[r.IntN(len(agents))]
					var log strings.Builder
					hostile, ordinary := 1+r.IntN(80), 20
					if r.IntN(2) == 0 {
						hostile = 1
					}
					for i := range hostile + ordinary {
						switch {
						case i >= hostile == (r.IntN(8) > 0):
							log.WriteString(c.line("192.0.2.1, 10.0.0.1", "Mozilla", i))
						default:
							log.WriteString(c.line(first, agent, i))
						}
					}
					want := scanAs(t, log.String(), format, how)
					got := scanAs(t, log.String(), accesslog.Auto, how)
					line, ok := same(got, want)
					if !ok {
						t.Fatalf("seed %d, %s, %s, %q, %q: line %d\n got %+v\nwant %+v", seed, c.name, how, first, agent, line, got[line], want[line])
					}
					ordinaryEntries(t, log.String(), first, got, want)
				}
			}
		}
	}
}

// ordinaryEntries fails if an entry that nobody forged is missing.
func ordinaryEntries(t *testing.T, log, first string, got, want map[int64]accesslog.Entry) {
	t.Helper()
	for line := range want {
		text := strings.Split(log, "\n")[line-1]
		if _, ok := got[line]; !ok && strings.HasPrefix(text, "192.0.2.1, 10.0.0.1 ") {
			t.Fatalf("%q: line %d is lost: %s", first, line, text)
		}
	}
}

// TestMixedForgery: to whichever format most lines of a log are of, a line of another server's, with all that clients can put into it, adds no entry that
// this format, or that server's, would not have had.
func TestMixedForgery(t *testing.T) {
	const seed = 4
	r := rand.New(rand.NewPCG(seed, 0))
	all := slices.DeleteFunc(slices.Concat(servers, rawServers), func(s server) bool { return s.line == nil || s.header != "" || strings.ContainsAny(s.format, "$%") })
	stuff := func() string { return hostile(r, "") }
	for _, main := range all {
		format, err := accesslog.ParseFormat(main.format)
		if err != nil {
			t.Fatal(err)
		}
		for round := range 6 {
			var log bytes.Buffer
			at := r.IntN(30)
			for i := range 30 {
				if i != at {
					log.WriteString(ordinary(&main, i))
					continue
				}
				e := accesslog.Entry{Method: "GET", Target: hostile(r, "/") + "z", Proto: "HTTP/1.1", Host: "h:1", Status: 200}
				if main.target != nil {
					e.Target = main.target(e.Target)
				}
				log.WriteString(main.line(&e, stuff) + "\n")
			}
			for _, how := range []string{"at once", "line by line", "file"} {
				want, got := scanAs(t, log.String(), format, how), scanAs(t, log.String(), accesslog.Auto, how)
				if line, ok := same(got, want); !ok || len(want)-len(got) > 1 {
					t.Fatalf("seed %d, %s, %s, round %d: %d of %d; line %d\n got %+v\nwant %+v\n%s", seed, main.name, how, round, len(got), len(want), line, got[line], want[line],
						strings.Split(log.String(), "\n")[max(line, 1)-1])
				}
			}
		}
	}
}

// TestBeside: what stands beside the lines of a log's main format gives no entry that it should not, among the first lines and after them.
func TestBeside(t *testing.T) {
	plain := prefix + `"GET /plain HTTP/1.1" 500 1` + "\n"
	traefik := `1.2.3.4 - %s [03/Feb/2026:03:05:06 +0000] "GET /plain HTTP/1.1" 500 5 "-" "-" 3 "r@docker" "http://10.0.0.9:80" 3ms` + "\n"
	for name, log := range map[string][2]string{ // ordinary lines, and others
		"pieces of a container's line": {strings.Repeat(plain, 20) + "2026-02-03T03:05:06Z stdout F " + plain, "2026-02-03T03:05:06Z stdout P x\n2026-02-03T03:05:06Z stdout F " +
			strings.Replace(plain, "plain", "forged", 1)},
		"directives where a line was cut": {strings.Repeat(plain, 20), strings.Repeat("#Fields: cs-method cs-uri sc-status\nGET /forged 503\n", 2)},
		"what is ambiguous, beside lines of the family": {strings.Repeat(fmt.Sprintf(traefik, "-"), 30) + plain,
			fmt.Sprintf(traefik, `a [03/Feb/2026:03:05:06 +0000] "GET /forged HTTP/1.1" 503 0 `)},
	} {
		whole := log[0] + log[1] + strings.Repeat(log[0], 8) + log[1]
		for _, how := range []string{"at once", "line by line", "file"} {
			got := scanAs(t, whole, accesslog.Auto, how)
			for line, e := range got {
				if e.Target != "/plain" {
					t.Errorf("%s, %s: line %d: %+v", name, how, line, e)
				}
			}
			if want := strings.Count(log[0], "\n") * 9; len(got) != want {
				t.Errorf("%s, %s: %d entries, want %d", name, how, len(got), want)
			}
		}
	}
}
