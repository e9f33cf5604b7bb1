package servers

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// caddyConf is a Caddy that asks each time on a new connection: on one that was used before, it would ask twice.
const caddyConf = `{
	"admin": {"listen": "127.0.0.1:ADMIN", "config": {"persist": false}},
	"logging": {"logs": {
		"default": {"writer": {"output": "file", "filename": "DIR/caddy.log"}, "exclude": ["http.log.access"]},
		"access": {"writer": {"output": "file", "filename": "DIR/access.log", "roll": false}, "include": ["http.log.access"]}
	}},
	"apps": {"http": {"servers": {"tested": {
		"listen": ["127.0.0.1:PORT"],
		"automatic_https": {"disable": true},
		"logs": {},
		"metrics": {},
		"routes": [
			{"match": [{"path_regexp": {"pattern": "^/+gone-"}}], "handle": [PROXY GONE TAIL], "terminal": true},
			{"handle": [PROXY BACKEND TAIL]}
		]
	}}}}
}`

type caddy struct {
	dir, addr, admin string
	*running
}

func newCaddy(t *testing.T, b *backend) *caddy {
	name := program(t, "caddy", "caddy")
	c := &caddy{dir: folder(t)}
	port, admin := freePort(t), freePort(t)
	c.addr, c.admin = local(port), local(admin)
	conf := write(t, c.dir, "caddy.json", strings.NewReplacer("DIR", c.dir, "PORT", fmt.Sprint(port), "ADMIN", fmt.Sprint(admin),
		"PROXY ", `{"handler": "reverse_proxy", "transport": {"protocol": "http", "keep_alive": {"enabled": false}, "response_header_timeout": "1s"}, "upstreams": [{"dial": "127.0.0.1:`,
		"BACKEND", fmt.Sprint(b.port), "GONE", fmt.Sprint(b.gone), " TAIL", `"}]}`).Replace(caddyConf))
	c.running = start(t, c.dir, c.addr, syscall.SIGTERM, name, "run", "--config", conf)
	return c
}

func (c *caddy) log(name string) string { return filepath.Join(c.dir, name) }

// caddySample is a counter of Caddy's: of requests, of those that a handler has answered, of those that it gave up.
var caddySample = regexp.MustCompile(`(?m)^caddy_http_(requests_total|request_errors_total|request_duration_seconds_count)\{(?:code="(\d+)",)?.*?(?:method="(\w+)",)?server="tested"\} (\d+)$`)

// bad gateway is what Caddy answers with, beside those behind it, if there is no answer; it counts the former as errors without a status.
const badGateway = "502, 504, or no answer"

// counts are Caddy's own of requests, and of failures.
func (c *caddy) counts(t *testing.T) (requests int, failures tally) {
	t.Helper()
	failures = tally{}
	for _, m := range caddySample.FindAllStringSubmatch(get(t, "http://"+c.admin+"/metrics"), -1) {
		count := number(m[4])
		switch a := (asked{method: m[3], status: number(m[2])}); {
		case m[1] == "requests_total":
			requests += count
		case m[1] == "request_errors_total":
			failures[badGateway] += count
		case a.status >= 500:
			failures[caddyFailed(a)] += count
		}
	}
	return requests, failures
}

func caddyFailed(a asked) string {
	if a.status == 502 || a.status == 504 {
		return badGateway
	}
	return failed(a)
}

// What Caddy says to clients that speak another language. What Go's HTTP server can't take, or answers itself, never comes to Caddy's log.
var caddyUnlogged = []odd{
	{"GARBAGE\r\n\r\n", 400, "", ""},
	{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 \r\n\r\n", 400, "", ""},
	{plain("GET /500-200/a b HTTP/1.1"), 400, "", ""},
	{plain("GET /500-200/version HTTP/9.9"), 505, "", ""},
	{"GET /500-200/te HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: what\r\n\r\n", 501, "", ""},
	{"GET /500-200/nohost HTTP/1.1\r\n\r\n", 400, "", ""},
	{plain("GET /500-200/%zz HTTP/1.1"), 400, "", ""},
	{plain("GET  /500-200/two HTTP/1.1"), 400, "", ""},
	{plain("OPTIONS * HTTP/1.1"), 200, "", ""},
}

var caddyOdd = []odd{
	{plain("GET /500-200/%00 HTTP/1.1"), 500, "GET", "/500-200/%00"},
	{plain("GET /500-200/#f HTTP/1.1"), 500, "GET", "/500-200/#f"},
	{plain("GET http://other.example/500-200/absolute HTTP/1.1"), 500, "GET", "http://other.example/500-200/absolute"},
	{plain("CONNECT x:443 HTTP/1.1"), 200, "CONNECT", "x:443"},
	{plain("TRACE /500-200/t HTTP/1.1"), 500, "TRACE", "/500-200/t"},
	{"GET /500-200/zero HTTP/1.0\r\n\r\n", 500, "GET", "/500-200/zero"},
}

func TestCaddy(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	c := newCaddy(t, b)
	seen := traffic(t, c.addr, requests(3000))
	_, _ = oddities(t, c.addr, caddyUnlogged)
	strange, _ := oddities(t, c.addr, caddyOdd)
	seen = append(seen, strange...)
	for i := range seen { // its log is JSON, which holds no other bytes
		seen[i].target = strings.ToValidUTF8(seen[i].target, "\uFFFD")
	}
	seen = sent(seen)
	log := c.log("access.log")
	lines(t, log, len(seen))
	counted, failures := c.counts(t)
	if counted != len(seen) {
		t.Errorf("Caddy counts %d requests, want %d", counted, len(seen))
	}
	same(t, "Caddy", failures, "what the client has seen", tallyOf(seen, caddyFailed))
	s := all(t, log)
	if s.lines != len(seen) || s.without != 0 || s.bad != 0 {
		t.Errorf("scan counts %d lines, %d without a request, %d bad; want %d, 0, 0", s.lines, s.without, s.bad, len(seen))
	}
	same(t, "scan", tallyOf(s.entries, whole), "what the client has seen", tallyOf(seen, whole))
	take := slices.DeleteFunc(wanted(seen), func(a asked) bool { return strings.HasPrefix(a.target, "http:") }) // which is another place
	broken := tallyOf(sent(b.take()), request)
	b.mend()
	out := filepath.Join(t.TempDir(), "retry.log")
	end, list := c.fires(t, b, broken, out, log)
	same(t, "the retry log", tallyOf(before(list), whole), "what had failed", tallyOf(take, whole))
	if end.Refused != 1 || end.Recovered == 0 || end.Failing == 0 {
		t.Errorf("the end says %+v", end)
	}
	b.state.Store(well)
	failing := slices.DeleteFunc(after(list), func(a asked) bool { return a.status < 400 })
	end, list = c.fires(t, b, broken, out, "--again")
	same(t, "the second round", tallyOf(after(list), request), "what had failed again", tallyOf(failing, request))
	if end.Failing != 0 || end.Recovered != len(take) {
		t.Errorf("the end says %+v, want %d recovered", end, len(take))
	}
}

// fires runs refire against Caddy, and compares what refire, Caddy and what is behind it say about it.
func (c *caddy) fires(t *testing.T, b *backend, broken tally, retrylog string, args ...string) (ended, []outcome) {
	t.Helper()
	counted, failures := c.counts(t)
	old := read(t, c.log("access.log"))
	end, list := fire(t, c.addr, retrylog, args...)
	lines(t, c.log("access.log"), strings.Count(old, "\n")+len(list))
	requests, added := c.counts(t)
	if requests -= counted; requests != len(list) {
		t.Errorf("Caddy counts %d requests, refire %d", requests, len(list))
	}
	same(t, "Caddy", added.since(failures), "the retry log", tallyOf(after(list), caddyFailed))
	same(t, "the retry log", tallyOf(after(list), whole), "Caddy's log", tallyOf(all(t, rest(t, c.log("access.log"), len(old))).entries, whole))
	passedOn(t, broken, b.take(), len(list))
	return end, list
}

// passedOn checks that what was fired arrives behind a server that writes targets anew as it had when it failed.
func passedOn(t *testing.T, broken tally, received []asked, fired int) {
	t.Helper()
	if len(received) != fired {
		t.Errorf("%d requests were passed on, want %d", len(received), fired)
	}
	for key := range tallyOf(received, request) {
		if broken[key] == 0 && !strings.Contains(key, "gone-") && !strings.Contains(key, "%EF%BF%BD") { // nobody was there; the log did not hold it
			t.Errorf("%.200q is passed on, and was not when it failed", key)
		}
	}
}
