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

// apacheConf is an Apache httpd that runs from DIR alone, with a thread for each connection: else it closes those that are idle, whether a request is on its
// way or not. Each log has all requests that are not about its own counters.
const apacheConf = `
ServerRoot DIR
ServerName tested.example
DefaultRuntimeDir DIR
PidFile DIR/pid
ErrorLog DIR/error.log
Mutex pthread
LoadModule mpm_event_module MODULES/mod_mpm_event.so
LoadModule authz_core_module MODULES/mod_authz_core.so
LoadModule status_module MODULES/mod_status.so
LoadModule proxy_module MODULES/mod_proxy.so
LoadModule proxy_http_module MODULES/mod_proxy_http.so
ServerLimit 1
StartServers 1
ThreadLimit 200
ThreadsPerChild 200
MaxRequestWorkers 200
KeepAliveTimeout 60
ExtendedStatus On
MaxKeepAliveRequests 0
TraceEnable extended
MergeSlashes Off
Listen 127.0.0.1:PORT
Listen 127.0.0.1:COUNTERS
LogFormat "%h %l %u %t \"%r\" %>s %b" common
LogFormat "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" combined
LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"" vhost_combined
LogFormat "%{sec}t\t%D\t%v\t%>s\t\"%{User-Agent}i\" \
	\"%r\" %X" ours
<VirtualHost 127.0.0.1:PORT>
	AllowEncodedSlashes NoDecode
	CustomLog DIR/common.log common
	CustomLog DIR/combined.log combined
	CustomLog DIR/vhost_combined.log vhost_combined
	CustomLog DIR/ours.log ours
	CustomLog DIR/failures.log "%>s %m" "expr=%{REQUEST_STATUS} -ge 500"
	ProxyPass /gone- http://127.0.0.1:GONE/gone- disablereuse=On timeout=1 retry=0
	ProxyPass / http://127.0.0.1:BACKEND/ disablereuse=On timeout=1 retry=0
</VirtualHost>
<VirtualHost 127.0.0.1:COUNTERS>
	CustomLog DIR/counters.log common
	<Location />
		SetHandler server-status
	</Location>
</VirtualHost>
`

type apache struct {
	dir, addr, counters string
	asked               int // for counters, which count that, too
	*running
}

func newApache(t *testing.T, b *backend) *apache {
	name := program(t, "apache2", "apache2")
	a := &apache{dir: folder(t)}
	port, counters := freePort(t), freePort(t)
	a.addr, a.counters = local(port), local(counters)
	conf := write(t, a.dir, "apache.conf", strings.NewReplacer("DIR", a.dir, "MODULES", "/usr/lib/apache2/modules", "PORT", fmt.Sprint(port),
		"COUNTERS", fmt.Sprint(counters), "BACKEND", fmt.Sprint(b.port), "GONE", fmt.Sprint(b.gone)).Replace(apacheConf))
	a.running = start(t, a.dir, a.addr, syscall.SIGTERM, name, "-D", "FOREGROUND", "-f", conf)
	return a
}

func (a *apache) log(name string) string { return filepath.Join(a.dir, name) }

var accesses = regexp.MustCompile(`Total Accesses: (\d+)`)

// counts waits until Apache, by its own count, has had n requests that were not about counters.
func (a *apache) counts(t *testing.T, n int) {
	t.Helper()
	wait(t, fmt.Sprintf("Apache has had %d requests", n), func() (string, bool) {
		page := get(t, "http://"+a.counters+"/?auto")
		got := number(accesses.FindStringSubmatch(page)[1]) - a.asked
		a.asked++ // counted when it is answered
		return fmt.Sprint(got), got == n
	})
}

// failures are the entries with a 5xx, as Apache itself has picked them.
func (a *apache) failures(t *testing.T) tally {
	t.Helper()
	count := tally{}
	for line := range strings.Lines(read(t, a.log("failures.log"))) {
		count[strings.TrimSpace(line)]++
	}
	return count
}

// What Apache says to clients that speak another language, and how it logs it.
var apacheOdd = []odd{
	{"GARBAGE\r\n\r\n", 400, "", ""},
	{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 \r\n\r\n", 400, "", ""},
	{plain("GET /500-200/a b HTTP/1.1"), 400, "GET", "/500-200/a b"},
	{plain("GET /500-200/version HTTP/9.9"), 500, "GET", "/500-200/version"},
	{"GET /500-200/te HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: what\r\n\r\n", 400, "GET", "/500-200/te"},
	{"GET /500-200/nohost HTTP/1.1\r\n\r\n", 400, "GET", "/500-200/nohost"},
	{plain("GET /500-200/%zz HTTP/1.1"), 400, "GET", "/500-200/%zz"},
	{plain("GET /500-200/\x01 HTTP/1.1"), 400, "GET", "/500-200/\x01"},
	{plain("GET /500-200/" + strings.Repeat("x", 9000) + " HTTP/1.1"), 414, "GET", "/500-200/" + strings.Repeat("x", 8178)}, // as much as it has read
	{plain("GET http://other.example/500-200/absolute HTTP/1.1"), 500, "GET", "http://other.example/500-200/absolute"},
	{plain("OPTIONS * HTTP/1.1"), 200, "OPTIONS", "*"},
	{plain("CONNECT x:443 HTTP/1.1"), 200, "CONNECT", "x:443"},
	{plain("TRACE /500-200/t HTTP/1.1"), 500, "TRACE", "/500-200/t"},
	{plain("get /500-200/lower HTTP/1.1"), 500, "get", "/500-200/lower"},
	{"GET /500-200/zero HTTP/1.0\r\n\r\n", 500, "GET", "/500-200/zero"},
	{plain("GET  /500-200/two HTTP/1.1"), 400, "GET", "/500-200/two"},
}

// traffic asks Apache all that there is, and returns what its logs should have, and how many entries without a request.
func (a *apache) traffic(t *testing.T) (seen []asked, without int) {
	t.Helper()
	seen, dropped := patient(t, a.addr, requests(3000))
	for i := range dropped {
		dropped[i].status = 502 // so Apache logs it, although it says nothing and closes
	}
	strange, without := oddities(t, a.addr, apacheOdd)
	return sent(slices.Concat(seen, dropped, strange)), without
}

func TestApache(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	a := newApache(t, b)
	seen, without := a.traffic(t)
	total := len(seen) + without
	lines(t, a.log("ours.log"), total)
	a.counts(t, total)
	same(t, "Apache's own log of failures", a.failures(t), "what the client has seen", tallyOf(seen, failed))
	take := slices.DeleteFunc(wanted(seen), func(a asked) bool { return strings.HasPrefix(a.target, "http:") }) // which is another place
	broken := tallyOf(sent(b.take()), request)
	old := folderOf(t, a.dir, "common.log", "combined.log", "vhost_combined.log", "ours.log")
	b.mend()
	conf, had := a.log("apache.conf"), total
	for i, args := range [][]string{
		{a.log("common.log")}, // the very one that goes on
		{filepath.Join(old, "combined.log")},
		{filepath.Join(old, "vhost_combined.log")},
		{filepath.Join(old, "ours.log"), "--format-from", conf + ":ours"},
		{filepath.Join(old, "combined.log"), "--format-from", conf + ":combined"},
	} {
		t.Run(fmt.Sprint(i, filepath.Base(args[0])), func(t *testing.T) {
			s := all(t, args...)
			if s.lines != had || s.without != without || s.bad != 0 {
				t.Errorf("scan counts %d lines, %d without a request, %d bad; want %d, %d, 0", s.lines, s.without, s.bad, had, without)
			}
			same(t, "scan", tallyOf(s.entries, whole), "what the client has seen", tallyOf(seen, whole))
			end, list := a.fires(t, b, broken, &total, args...)
			same(t, "the retry log", tallyOf(before(list), whole), "what had failed", tallyOf(take, whole))
			if end.Refused != 1 || end.Recovered == 0 || end.Failing == 0 {
				t.Errorf("the end says %+v", end)
			}
		})
	}
}

// fires runs refire against Apache, which has had so many requests, and compares what refire, Apache and what is behind it say about it.
func (a *apache) fires(t *testing.T, b *backend, broken tally, had *int, args ...string) (ended, []outcome) {
	t.Helper()
	_ = b.take()
	failures, old := a.failures(t), read(t, a.log("combined.log"))
	end, list := fire(t, a.addr, filepath.Join(t.TempDir(), "retry.log"), args...)
	*had += len(list)
	lines(t, a.log("ours.log"), *had)
	a.counts(t, *had)
	fired := after(list)
	for i := range fired {
		if fired[i].status == 0 { // not answered: see traffic
			fired[i].status = 502
		}
	}
	same(t, "the retry log", tallyOf(fired, failed), "Apache's own log of failures", a.failures(t).since(failures))
	same(t, "the retry log", tallyOf(fired, whole), "Apache's log", tallyOf(all(t, rest(t, a.log("combined.log"), len(old))).entries, whole))
	passedOn(t, broken, b.take(), len(list))
	return end, list
}
