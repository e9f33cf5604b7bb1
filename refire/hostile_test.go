package refire_test

import (
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// hostileLine is one of testdata/hostile.txt.
type hostileLine struct {
	at      int
	fire    bool
	request string
}

func hostileLines(t testing.TB, base, victim string) (list []hostileLine) {
	t.Helper()
	data, err := os.ReadFile("testdata/hostile.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(victim)
	places := strings.NewReplacer("BASE", base, "VICTIM", victim, "VPORT", port)
	for i, text := range strings.Split(string(data), "\n") {
		if text == "" || text[0] == '#' {
			continue
		}
		fate, quoted, _ := strings.Cut(text, " ")
		request, err := strconv.Unquote(quoted)
		if err != nil || fate != "fire" && fate != "no" {
			t.Fatalf("line %d: %s, %v", i+1, text, err)
		}
		list = append(list, hostileLine{i + 1, fate == "fire", places.Replace(request)})
	}
	return list
}

// logged is the line of an access log with a request.
func logged(request string) []byte {
	return []byte(`192.0.2.1 - - [12/Mar/2026:14:02:00 +0000] "` + request + `" 502 0 "-" "-"`)
}

// TestHostileLines: with either client a request goes to the base, whole and as one, or nothing goes anywhere.
func TestHostileLines(t *testing.T) { eachClient(t, testHostileLines) }

func testHostileLines(t *testing.T, newClient newClientFunc) {
	hush(t)
	base, victim := newRawServer(t, nil), newRawServer(t, nil)
	client := newClient(t, refire.HTTPConfig{}, base.origin(t))
	plan := refire.Plan{Methods: mustMethods(t, "any"), Routes: refire.Routes{Base: base.origin(t)}}
	lines := hostileLines(t, base.Addr().String(), victim.Addr().String())
	if len(lines) < 100 {
		t.Fatalf("only %d lines", len(lines))
	}
	lines = append(lines, hostileLine{0, true, "GET /" + strings.Repeat("x\x1b", 200_000) + " HTTP/1.1"})
	for _, l := range lines {
		var r refire.Request
		why := refire.NoSense
		e, err := accesslog.Parse(logged(l.request))
		if err == nil {
			r, why = plan.Decide(&e)
		}
		if (why == "") != l.fire {
			t.Errorf("line %d: %.200q: target %.200q, %q, %v", l.at, l.request, r.Target, why, err)
			continue
		}
		if why != "" {
			continue
		}
		before := len(base.seen())
		a := client.Attempt(t.Context(), &r)
		if !canSend(client, &r) {
			if a.Err == nil || !a.Unsent || len(base.seen()) != before {
				t.Errorf("line %d: %.200q: sent, although it cannot be: %v", l.at, l.request, a.Err)
			}
			continue
		}
		heads := base.seen()
		if a.Err != nil || len(heads) != before+1 {
			t.Errorf("line %d: %.200q: %d requests, %v", l.at, l.request, len(heads)-before, a.Err)
			continue
		}
		method, target := strictHead(t, heads[before], base.Addr().String())
		if method != r.Method || target != r.Target {
			t.Errorf("line %d: %.200q: sent %s %.200q", l.at, l.request, method, target)
		}
	}
	if n := victim.connections(); n > 0 {
		t.Errorf("%d connections to another place: %q", n, victim.seen())
	}
}

var headForm = regexp.MustCompile(`^([!#$%&'*+.^_|~0-9A-Za-z` + "`" + `-]+) (/[\x21-\x7e]*) HTTP/1\.1\r\nHost: ([^\r\n]*)\r\nUser-Agent: refire/1-again\r\n(Content-Length: 0\r\n)?Accept: \*/\*\r\n\r\n$`)

// strictHead reads a head by a grammar of its own: one request, one line each, nothing else.
func strictHead(t testing.TB, head, host string) (method, target string) {
	t.Helper()
	m := headForm.FindStringSubmatch(head)
	if m == nil || m[3] != host {
		t.Errorf("sent %.300q", head)
		return "", ""
	}
	return m[1], m[2]
}

// FuzzHostileLine: whatever a log line holds, what a client writes for it is one request to the base, or nothing.
func FuzzHostileLine(f *testing.F) {
	base, victim := newRawServer(f, nil), newRawServer(f, nil)
	for _, l := range hostileLines(f, base.Addr().String(), victim.Addr().String()) {
		f.Add([]byte(l.request), "")
	}
	f.Add([]byte("GET /x HTTP/1.1"), victim.Addr().String())
	plan := refire.Plan{Methods: mustMethods(f, "any"), Routes: refire.Routes{Base: base.origin(f)}}
	var all []closingClient
	for name, make := range clients() {
		if name != "loop in goroutines" {
			all = append(all, pinned(f, make, refire.HTTPConfig{}, []refire.Origin{base.origin(f)}))
		}
	}
	f.Fuzz(func(t *testing.T, request []byte, vhost string) {
		hush(t)
		e, err := accesslog.Parse(logged(string(request)))
		if err != nil {
			return
		}
		if vhost != "" {
			e.Host = vhost
		}
		r, why := plan.Decide(&e)
		for _, client := range all {
			before := len(base.seen())
			if why == "" && canSend(client, &r) {
				if a := client.Attempt(t.Context(), &r); a.Err != nil {
					t.Fatalf("%q: %v", r.Target, a.Err)
				}
				heads := base.seen()
				if len(heads) != before+1 {
					t.Fatalf("%q: %d requests", r.Target, len(heads)-before)
				}
				if method, target := strictHead(t, heads[before], base.Addr().String()); method != r.Method || target != r.Target {
					t.Fatalf("%s %q: sent %s %q", r.Method, r.Target, method, target)
				}
			}
		}
		if n := victim.connections(); n > 0 {
			t.Fatalf("%q: %d connections to another place", request, n)
		}
	})
}
