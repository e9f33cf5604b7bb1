package servers

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// backend is what the server under test passes requests to: HTTP/1.1 of its own, so that each byte of a target can be seen, and each way to fail be shown.
//
// What it does is in the target: /500-200/... is answered with 500 while it is broken, and with 200 when it is mended. Words instead of a status: close and
// reset (the connection, without an answer), cut (within the answer's header), garbage (in the header), stall (until the server under test gives up), gone (there
// is nothing at that port at all).
type backend struct {
	port, gone int // the latter refuses connections until the backend is mended

	state  atomic.Int32 // broken, mended, well
	refuse func()       // ends that the second port refuses

	mu       sync.Mutex
	received []asked           // guarded by mu: in any order
	stalled  map[string]bool   // guarded by mu: targets
	conns    map[net.Conn]bool // guarded by mu
	closed   bool              // guarded by mu
}

const (
	broken int32 = iota
	mended
	well            // answers all with 200
	brokenForOthers // mended for refire
)

// asked is a request, as one side sees it.
type asked struct {
	method, target string
	status         int // 0: none came, or none was sent
}

func (a asked) String() string { return fmt.Sprintf("%d\t%s\t%s", a.status, a.method, a.target) }

func newBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{stalled: map[string]bool{}, conns: map[net.Conn]bool{}}
	l, err := net.Listen("tcp", local(0))
	if err != nil {
		t.Fatal(err)
	}
	b.port = l.Addr().(*net.TCPAddr).Port
	var served sync.WaitGroup
	b.serve(l, &served)
	fd, port := bound(t)
	b.gone = port
	b.refuse = sync.OnceFunc(func() {
		if err := syscall.Listen(fd, 1024); err != nil {
			t.Error(err)
			return
		}
		f := os.NewFile(uintptr(fd), "listener")
		second, err := net.FileListener(f)
		_ = f.Close()
		if err != nil {
			t.Error(err)
			return
		}
		b.serve(second, &served)
		t.Cleanup(func() { _ = second.Close() })
	})
	t.Cleanup(func() {
		_ = l.Close()
		b.mu.Lock()
		b.closed = true
		for c := range b.conns {
			_ = c.Close()
		}
		b.mu.Unlock()
		served.Wait()
	})
	return b
}

// bound is a socket with a port, at which nobody listens, and nobody else can.
func bound(t *testing.T) (fd, port int) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fd, name.(*syscall.SockaddrInet4).Port
}

// mend lets the backend answer by what comes second in the targets.
func (b *backend) mend() {
	b.refuse()
	b.state.Store(mended)
}

// take returns what was received since the last time.
func (b *backend) take() []asked {
	b.mu.Lock()
	defer b.mu.Unlock()
	received := b.received
	b.received = nil
	return received
}

// stalls reports whether a request with that target is waiting for its answer.
func (b *backend) stalls(target string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stalled[target]
}

func (b *backend) serve(l net.Listener, served *sync.WaitGroup) {
	served.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b.mu.Lock()
			if b.closed {
				_ = c.Close()
			}
			b.conns[c] = true
			b.mu.Unlock()
			served.Go(func() {
				r := bufio.NewReaderSize(c, 32<<10)
				for b.one(c, r) {
				}
				_ = c.Close()
				b.mu.Lock()
				delete(b.conns, c)
				b.mu.Unlock()
			})
		}
	})
}

// one answers one request, and reports whether there may be another.
func (b *backend) one(c net.Conn, r *bufio.Reader) (more bool) {
	text := textproto.NewReader(r)
	line, err := text.ReadLine()
	if err != nil {
		return false
	}
	method, rest, _ := strings.Cut(line, " ")
	space := strings.LastIndexByte(rest, ' ')
	header, err := text.ReadMIMEHeader()
	if err != nil || space < 0 {
		return false
	}
	if n, _ := strconv.ParseInt(header.Get("Content-Length"), 10, 64); n > 0 {
		if _, err := io.CopyN(io.Discard, r, n); err != nil {
			return false
		}
	}
	a := asked{method: method, target: rest[:space]}
	does := b.fate(a.target, header.Get("User-Agent"))
	a.status, _ = strconv.Atoi(does)
	b.mu.Lock()
	b.received = append(b.received, a)
	b.mu.Unlock()
	switch does {
	case "close":
		return false
	case "reset":
		_ = c.(*net.TCPConn).SetLinger(0)
		return false
	case "cut":
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Le")
		return false
	case "garbage":
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nwhat is\x00this?\r\n\r\n")
		return false
	case "stall":
		b.stall(a.target, r)
		return false
	}
	closes := strings.EqualFold(header.Get("Connection"), "close") || strings.HasSuffix(line, "HTTP/1.0")
	_, err = io.WriteString(c, answer(a, closes))
	return err == nil && !closes
}

func answer(a asked, closes bool) string {
	body := "the backend says " + strconv.Itoa(a.status) + "\n"
	connection := ""
	if closes {
		connection = "Connection: close\r\n"
	}
	text := fmt.Sprintf("HTTP/1.1 %d So\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n%s\r\n", a.status, len(body), connection)
	if a.method == "HEAD" {
		return text
	}
	return text + body
}

// stall waits until the other side has enough of it.
func (b *backend) stall(target string, r io.Reader) {
	b.mu.Lock()
	b.stalled[target] = true
	b.mu.Unlock()
	_, _ = io.Copy(io.Discard, r)
}

// fate is what becomes of a request now.
func (b *backend) fate(target, agent string) string {
	word, _, _ := strings.Cut(strings.TrimLeft(target, "/"), "/")
	before, after, ok := strings.Cut(word, "-")
	switch state := b.state.Load(); {
	case !ok || state == well:
		return "200"
	case state == mended, state == brokenForOthers && agent == "refire/1-again":
		return after
	case before == "gone": // for others
		return "503"
	}
	return before
}
