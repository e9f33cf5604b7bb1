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

// nginxConf is an nginx that runs from dir alone. Each log has all requests that are not about its own counters.
const nginxConf = `
daemon off;
worker_processes 2;
pid DIR/pid;
error_log DIR/error.log;
events { worker_connections 512; }
http {
	client_body_temp_path DIR/body; proxy_temp_path DIR/proxy; fastcgi_temp_path DIR/fastcgi; uwsgi_temp_path DIR/uwsgi; scgi_temp_path DIR/scgi;
	log_format ours '$remote_addr $host [$time_iso8601] $pid "$request" $status up=$upstream_status $body_bytes_sent $request_time '
		'"$http_referer" "$http_user_agent"';
	log_format apart "$time_local\t$status\t$request_method\t$request_uri\t$server_protocol";
	log_format lines escape=json '{"time":"$time_iso8601","method":"$request_method","uri":"$request_uri","proto":"$server_protocol",'
		'"status":$status,"upstream":"$upstream_status","agent":"$http_user_agent","referer":"$http_referer"}';
	log_format failure '$status $request_method';
	map $status $failure { ~^5 1; default 0; }
	merge_slashes off;
	access_log DIR/combined.log;
	access_log DIR/ours.log ours;
	access_log DIR/apart.log apart;
	access_log DIR/lines.log lines;
	access_log DIR/failures.log failure if=$failure;
	proxy_read_timeout 1s;
	server {
		listen 127.0.0.1:PORT;
		location / { proxy_pass http://127.0.0.1:BACKEND; }
		location ~ ^/+gone- { proxy_pass http://127.0.0.1:GONE; }
		location /stall-200/left { proxy_pass http://127.0.0.1:BACKEND; proxy_read_timeout 60s; }
	}
	server {
		listen 127.0.0.1:COUNTERS;
		access_log off;
		location / { stub_status; }
	}
}
`

type nginx struct {
	dir, addr, counters string
	asked               int // for counters, which count that, too
	*running
}

func newNginx(t *testing.T, b *backend) *nginx {
	name := program(t, "nginx", "nginx-light")
	n := &nginx{dir: folder(t)}
	port, counters := freePort(t), freePort(t)
	n.addr, n.counters = local(port), local(counters)
	write(t, n.dir, "nginx.conf", strings.NewReplacer("DIR", n.dir, "PORT", fmt.Sprint(port), "COUNTERS", fmt.Sprint(counters),
		"BACKEND", fmt.Sprint(b.port), "GONE", fmt.Sprint(b.gone)).Replace(nginxConf))
	n.running = start(t, n.dir, n.addr, syscall.SIGQUIT, name, "-c", n.log("nginx.conf"), "-e", n.log("error.log"))
	return n
}

func (n *nginx) log(name string) string { return filepath.Join(n.dir, name) }

var stub = regexp.MustCompile(`requests\n +\d+ +\d+ +(\d+)`)

// requests is how many it has had, by its own count.
func (n *nginx) requests(t *testing.T) int {
	t.Helper()
	n.asked++
	return number(stub.FindStringSubmatch(get(t, "http://"+n.counters))[1]) - n.asked
}

// failures are the entries with a 5xx, as nginx itself has picked them.
func (n *nginx) failures(t *testing.T) tally {
	t.Helper()
	count := tally{}
	for line := range strings.Lines(read(t, n.log("failures.log"))) {
		if line == "505 -\n" { // nginx reads no method of a version that it does not speak, but for $request
			line = "505 GET"
		}
		count[strings.TrimSpace(line)]++
	}
	return count
}

// plain is a request with nothing but a host.
func plain(request string) string { return request + "\r\nHost: x\r\n\r\n" }

// What nginx says to clients that speak another language, and how it logs it as $request.
var nginxOdd = []odd{
	{"GET /500-200/te HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: what\r\n\r\n", 501, "GET", "/500-200/te"},
	{"GET /500-200/nohost HTTP/1.1\r\n\r\n", 400, "GET", "/500-200/nohost"},
	{plain("GET /500-200/#f HTTP/1.1"), 500, "GET", "/500-200/#f"},
	{plain("TRACE /500-200/t HTTP/1.1"), 405, "TRACE", "/500-200/t"},
	{plain("BREW /500-200/pot HTTP/1.1"), 500, "BREW", "/500-200/pot"},
	{"GET /500-200/zero HTTP/1.0\r\n\r\n", 500, "GET", "/500-200/zero"},
	{plain("GET  /500-200/two HTTP/1.1"), 500, "GET", "/500-200/two"},
}

// The same, of which nginx understands so little that it has neither a $request_method nor a $request_uri for it.
var nginxOpaque = []odd{
	{"GARBAGE\r\n\r\n", 400, "", ""},
	{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 \r\n\r\n", 400, "", ""},
	{plain("GET /500-200/a b HTTP/1.1"), 400, "GET", "/500-200/a b"},
	{plain("GET /500-200/version HTTP/9.9"), 505, "GET", "/500-200/version"},
	{plain("GET /500-200/%zz HTTP/1.1"), 400, "GET", "/500-200/%zz"},
	{plain("GET /500-200/\x01 HTTP/1.1"), 400, "GET", "/500-200/\x01"},
	{plain("GET /500-200/" + strings.Repeat("x", 9000) + " HTTP/1.1"), 414, "GET", "/500-200/" + strings.Repeat("x", 8179)}, // as much as it has read
	{plain("OPTIONS * HTTP/1.1"), 400, "OPTIONS", "*"},
	{plain("CONNECT x:443 HTTP/1.1"), 400, "CONNECT", "x:443"},
	{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "PRI", "*"},
	{plain("get /500-200/lower HTTP/1.1"), 400, "get", "/500-200/lower"},
}

// nginxSeen is the traffic as nginx has it in its logs: as whole request lines, and with method and target apart.
type nginxSeen struct {
	all     []asked
	without int // entries without a request
	refused int // that are for another place
}

func (n *nginx) traffic(t *testing.T, b *backend) (wholes, apart nginxSeen) {
	t.Helper()
	seen := traffic(t, n.addr, requests(3000))
	strange, _ := oddities(t, n.addr, nginxOdd)
	leave(t, b, n.addr, "/stall-200/left")
	seen = append(append(seen, strange...), asked{"GET", "/stall-200/left", 499})
	apart.all = append(slices.Clone(seen), asked{"GET", "/500-200/absolute", 500})
	apart.without = len(nginxOpaque)
	opaque, without := oddities(t, n.addr, nginxOpaque)
	absolute, _ := oddities(t, n.addr, []odd{{plain("GET http://other.example/500-200/absolute HTTP/1.1"), 500, "GET", "http://other.example/500-200/absolute"}})
	wholes = nginxSeen{append(append(seen, opaque...), absolute...), without, 1}
	wholes.all, apart.all = sent(wholes.all), sent(apart.all)
	return wholes, apart
}

// wanted are those that refire shall fire.
func (s *nginxSeen) wanted() []asked {
	return slices.DeleteFunc(wanted(s.all), func(a asked) bool { return strings.HasPrefix(a.target, "http:") })
}

func TestNginx(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	n := newNginx(t, b)
	wholes, apart := n.traffic(t, b)
	total := len(wholes.all) + wholes.without
	lines(t, n.log("apart.log"), total)
	if got := n.requests(t); got != total {
		t.Errorf("nginx counts %d requests, want %d", got, total)
	}
	same(t, "nginx's own log of failures", n.failures(t), "what the client has seen", tallyOf(wholes.all, failed))
	old := folderOf(t, n.dir, "combined.log", "ours.log", "apart.log", "lines.log") // as they are now
	b.mend()
	t.Run("live", func(t *testing.T) { n.live(t, b, &wholes) })
	conf := n.log("nginx.conf")
	for _, test := range []struct {
		name string
		seen *nginxSeen
		args []string
	}{
		{"combined", &wholes, []string{"combined.log"}},
		{"ours", &wholes, []string{"ours.log", "--format-from", conf + ":ours"}},
		{"apart", &apart, []string{"apart.log", "--format-from", conf + ":apart"}},
		{"lines", &apart, []string{"lines.log", "--format-from", conf + ":lines"}},
		{"lines, guessed", &apart, []string{"lines.log"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b.state.Store(mended)
			test.args[0] = filepath.Join(old, test.args[0])
			s := all(t, test.args...)
			if s.lines != total || s.without != test.seen.without || s.bad != 0 {
				t.Errorf("scan counts %d lines, %d without a request, %d bad; want %d, %d, 0", s.lines, s.without, s.bad, total, test.seen.without)
			}
			same(t, "scan", tallyOf(s.entries, whole), "what the client has seen", tallyOf(test.seen.all, whole))
			end, list := n.fires(t, b, filepath.Join(t.TempDir(), "retry.log"), test.args...)
			same(t, "the retry log", tallyOf(before(list), whole), "what had failed", tallyOf(test.seen.wanted(), whole))
			if end.Refused != test.seen.refused {
				t.Errorf("%d entries are refused, want %d", end.Refused, test.seen.refused)
			}
		})
	}
}

// live has refire read the very log that nginx goes on with, and fire once more what fails again.
func (n *nginx) live(t *testing.T, b *backend, seen *nginxSeen) {
	out, take := filepath.Join(t.TempDir(), "retry.log"), seen.wanted()
	end, list := n.fires(t, b, out, n.log("combined.log"))
	same(t, "the retry log", tallyOf(before(list), whole), "what had failed", tallyOf(take, whole))
	if end.Recovered == 0 || end.Failing == 0 {
		t.Errorf("the end says %+v, want some recovered and some not", end)
	}
	b.state.Store(well)
	failing := slices.DeleteFunc(after(list), func(a asked) bool { return a.status < 400 })
	end, list = n.fires(t, b, out, "--again")
	same(t, "the second round", tallyOf(after(list), request), "what had failed again", tallyOf(failing, request))
	if end.Failing != 0 || end.Recovered != len(take) {
		t.Errorf("the end says %+v, want %d recovered", end, len(take))
	}
}

// fires runs refire against nginx, and compares what refire, nginx and what is behind nginx say about it.
func (n *nginx) fires(t *testing.T, b *backend, retrylog string, args ...string) (ended, []outcome) {
	t.Helper()
	_ = b.take()
	had, failures, length := n.requests(t), n.failures(t), len(read(t, n.log("combined.log")))
	logged := strings.Count(read(t, n.log("apart.log")), "\n")
	end, list := fire(t, n.addr, retrylog, args...)
	fired := after(list)
	lines(t, n.log("apart.log"), logged+len(list))
	if got := n.requests(t) - had; got != len(list) {
		t.Errorf("nginx counts %d requests, refire %d", got, len(list))
	}
	added := n.failures(t).since(failures)
	same(t, "the retry log", tallyOf(fired, failed), "nginx's own log of failures", added)
	same(t, "the retry log", tallyOf(fired, whole), "nginx's log", tallyOf(all(t, rest(t, n.log("combined.log"), length)).entries, whole))
	same(t, "the retry log", tallyOf(fired, request), "what was behind nginx", tallyOf(b.take(), request))
	return end, list
}
