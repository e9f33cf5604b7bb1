package servers

import (
	"encoding/csv"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// haproxyConf is a HAProxy that logs each request in four forms to four syslog daemons.
const haproxyConf = `
global
	maxconn 1000
	stats socket DIR/stats mode 600 level operator
	log ring@rfc3164 len 65000 local0
	log ring@rfc5424 len 65000 local0
	log ring@raw len 65000 local0
	log ring@iso len 65000 local0
defaults
	mode http
	log global
	option httplog
	timeout connect 5s
	timeout client 60s
	timeout server 1s
	timeout http-request 60s
	retries 0
frontend http-in
	bind 127.0.0.1:PORT
	capture request header User-Agent len 64
	capture request header Referer len 64
	use_backend gone if { path_reg ^/+gone- }
	default_backend usual
backend usual
	server one 127.0.0.1:BACKEND
backend gone
	server none 127.0.0.1:GONE
`

// syslogs are the forms.
var syslogs = []string{"rfc3164", "rfc5424", "raw", "iso"}

type haproxy struct {
	dir, addr string
	*running
}

func newHAProxy(t *testing.T, b *backend) *haproxy {
	name := program(t, "haproxy", "haproxy")
	h := &haproxy{dir: folder(t)}
	port := freePort(t)
	h.addr = local(port)
	text := haproxyConf
	for _, form := range syslogs {
		addr := daemon(t, filepath.Join(h.dir, form))
		text += fmt.Sprintf("ring %s\n\tformat %s\n\tmaxlen 65000\n\tsize 16777216\n\ttimeout connect 5s\n\ttimeout server 60s\n\tserver daemon %s\n", form, form, addr)
	}
	conf := write(t, h.dir, "haproxy.cfg", strings.NewReplacer("DIR", h.dir, "PORT", fmt.Sprint(port), "BACKEND", fmt.Sprint(b.port), "GONE", fmt.Sprint(b.gone)).Replace(text))
	h.running = start(t, h.dir, h.addr, syscall.SIGUSR1, name, "-db", "-f", conf)
	return h
}

// daemon takes what HAProxy sends, and writes it to name.log, as a syslog daemon does. It listens on TCP: what does not fit into a datagram socket's queue is
// dropped, and then nobody could compare anything.
func daemon(t *testing.T, name string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", local(0))
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(name + ".log")
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.Copy(log, c) // until HAProxy ends, which it has when this is cleaned up
			_ = c.Close()
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		done.Wait()
		_ = log.Close()
	})
	return l.Addr().String()
}

func (h *haproxy) log(name string) string { return filepath.Join(h.dir, name+".log") }

// counts are HAProxy's own of its frontend: "requests", and answers by class.
func (h *haproxy) counts(t *testing.T) tally {
	t.Helper()
	c, err := net.Dial("unix", filepath.Join(h.dir, "stats"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, "show stat\n")
	text, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimSpace(strings.TrimPrefix(string(text), "# ")) + "\n")).ReadAll()
	if err != nil {
		t.Fatalf("%v: %q", err, text)
	}
	count := tally{}
	for _, row := range rows[1:] {
		if row[0] != "http-in" {
			continue
		}
		for i, name := range rows[0] {
			if name == "req_tot" {
				count["requests"] = number(row[i])
			}
			if class, ok := strings.CutPrefix(name, "hrsp_"); ok && number(row[i]) > 0 {
				count[class] = number(row[i])
			}
		}
	}
	return count
}

// What HAProxy says to clients that speak another language. What it can't take it does not log as a request.
var haproxyOdd = []odd{
	{"GARBAGE\r\n\r\n", 400, "", ""},
	{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 \r\n\r\n", 400, "", ""},
	{plain("GET /500-200/a b HTTP/1.1"), 400, "", ""},
	{plain("GET /500-200/version HTTP/9.9"), 500, "GET", "/500-200/version"},
	{"GET /500-200/te HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: what\r\n\r\n", 400, "", ""},
	{"GET /500-200/nohost HTTP/1.1\r\n\r\n", 500, "GET", "/500-200/nohost"},
	{plain("GET /500-200/%zz HTTP/1.1"), 500, "GET", "/500-200/%zz"},
	{plain("GET /500-200/#f HTTP/1.1"), 400, "", ""},
	{plain("GET /500-200/" + strings.Repeat("x", 20000) + " HTTP/1.1"), 400, "", ""},
	{plain("OPTIONS * HTTP/1.1"), 200, "OPTIONS", "*"},
	{plain("TRACE /500-200/t HTTP/1.1"), 500, "TRACE", "/500-200/t"},
	{plain("get /500-200/lower HTTP/1.1"), 500, "get", "/500-200/lower"},
	{"GET /500-200/zero HTTP/1.0\r\n\r\n", 500, "GET", "/500-200/zero"},
	{plain("GET  /500-200/two HTTP/1.1"), 500, "GET", "/500-200/two"},
}

func TestHAProxy(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	h := newHAProxy(t, b)
	seen, dropped := patient(t, h.addr, requests(3000))
	strange, without := oddities(t, h.addr, haproxyOdd)
	without++ // start's connection
	seen = slices.DeleteFunc(append(seen, strange...), func(a asked) bool {
		if a.status == 400 { // of its own
			without++
		}
		return a.status == 400
	})
	total := len(seen) + without
	for _, form := range syslogs {
		lines(t, h.log(form), total)
	}
	want := tallyOf(seen, class)
	want["4xx"] += without
	want["requests"] = total + len(dropped) // which it counts, and does not log
	same(t, "HAProxy", h.counts(t), "what the client has seen", want)
	cut := len(seen)
	seen = slices.DeleteFunc(seen, func(a asked) bool { return len(request(a)+" HTTP/1.1") > 1023 }) // of which the log has the beginning only
	cut -= len(seen)
	old := folderOf(t, h.dir, "rfc3164.log", "rfc5424.log", "raw.log", "iso.log")
	write(t, old, "file.log", regexp.MustCompile(`(?m)^<\d+>`).ReplaceAllString(read(t, filepath.Join(old, "rfc3164.log")), ""))
	b.mend()
	out := filepath.Join(t.TempDir(), "retry.log")
	for _, form := range []string{"raw", "rfc3164", "file", "rfc5424", "iso"} {
		t.Run(form, func(t *testing.T) {
			log := filepath.Join(old, form+".log")
			if form == "raw" { // the very one that goes on, with the whole retry log left for another round
				log = h.log("raw")
			} else {
				out = filepath.Join(t.TempDir(), "retry.log")
			}
			s := all(t, log)
			if s.lines != total || s.without != without || s.bad != cut || cut == 0 {
				t.Errorf("scan counts %d lines, %d without a request, %d bad; want %d, %d, %d", s.lines, s.without, s.bad, total, without, cut)
			}
			same(t, "scan", tallyOf(s.entries, whole), "what the client has seen", tallyOf(seen, whole))
			list := h.fires(t, b, out, log)
			same(t, "the retry log", tallyOf(before(list), whole), "what had failed", tallyOf(wanted(seen), whole))
		})
	}
}

// fires runs refire against HAProxy, and compares what refire, HAProxy and what is behind it say about it.
func (h *haproxy) fires(t *testing.T, b *backend, retrylog string, args ...string) []outcome {
	t.Helper()
	_ = b.take()
	had, length := h.counts(t), len(read(t, h.log("raw")))
	logged := strings.Count(read(t, h.log("raw")), "\n")
	_, list := fire(t, h.addr, retrylog, args...)
	answered := slices.DeleteFunc(after(list), func(a asked) bool { return a.status == 0 })
	lines(t, h.log("raw"), logged+len(answered))
	added := h.counts(t).since(had)
	want := tallyOf(answered, class)
	want["requests"] = len(list)
	same(t, "HAProxy's counters", added, "the retry log", want)
	same(t, "the retry log", tallyOf(answered, whole), "HAProxy's log", tallyOf(all(t, rest(t, h.log("raw"), length)).entries, whole))
	same(t, "the retry log", tallyOf(after(list), request), "what was behind HAProxy", tallyOf(b.take(), request))
	return list
}
