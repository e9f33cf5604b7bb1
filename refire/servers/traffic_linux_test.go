package servers

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// fates are the ways that requests go, by how often: see backend.
var fates = strings.Fields(`200-200 200-200 200-500 404-404 500-200 200-200 500-500 200-200 301-200 502-200 429-200 200-200 503-200 200-200 503-503
	200-200 504-200 reset-200 200-200 close-503 204-204 200-200 cut-200 garbage-404 200-200 gone-200 200-200 gone-500 599-301 200-200 507-close`)

// shapes are what follows in a target. Which of them a server takes, and how it writes them into its log, is its own business.
var shapes = []string{
	"", "a", "a/%2e%2e/b", "a/../b", "a/./b", "/b//c", ";v=1;w", "%2f%2F", "caf%C3%A9", "café", "quo\"te", `back\slash`, "%20x+y", "?q=" + strings.Repeat("0123456789", 200),
	"?a=1&b=%zz", "%E9", "\xe9", "{x}|y^`z", "?u=http://other.example/", "?x=\"y\"", "<s>'$(x)", "?", "??", "a:b@c", "~!*,()=", "%41%7e", "?retry=True", "?%00", "%ff",
	"a%0d%0ab", "?x=%0D%0AX:y", "%25zz", "UPPER/lower", "?日本=語", "[::1]", "*", "a%3Fb", "a%23b", "?\\\"", ".",
}

var methods = []string{"GET", "GET", "HEAD", "GET", "GET", "GET", "POST", "GET", "GET", "HEAD", "PUT", "GET", "DELETE"}

// requests makes n requests, always the same. The numbers of fates, shapes and methods have no common divisor, so each meets each in time.
func requests(n int) []asked {
	made := make([]asked, n)
	for i := range made {
		fate := fates[i%len(fates)]
		if i%250 == 123 {
			fate = "stall-200"
		}
		slash := "/"
		if i%17 == 3 {
			slash = "//"
		}
		made[i] = asked{method: methods[i%len(methods)], target: fmt.Sprintf("%s%s/%d/%s", slash, fate, i, shapes[i/3%len(shapes)])}
	}
	return made
}

// traffic asks the server at addr, on some connections at once that are kept alive, and fills in what the client has seen.
func traffic(t *testing.T, addr string, all []asked) []asked {
	t.Helper()
	all, dropped := patient(t, addr, all)
	if len(dropped) > 0 {
		t.Errorf("%d requests were not answered, the first is %v", len(dropped), dropped[0])
	}
	return all
}

// patient does so, and asks again on a new connection what was not answered on one that had been used before, as browsers do: HAProxy and
// Apache rely on that. It returns those, too.
func patient(t *testing.T, addr string, all []asked) (_, dropped []asked) {
	t.Helper()
	const clients = 12
	var mu sync.Mutex
	var wg sync.WaitGroup
	for first := range clients {
		wg.Go(func() {
			c := client{addr: addr}
			defer c.close()
			for i := first; i < len(all); i += clients {
				used := c.conn != nil
				status, err := c.ask(all[i].method, all[i].target)
				if used && errors.Is(err, io.ErrUnexpectedEOF) {
					mu.Lock()
					dropped = append(dropped, all[i])
					mu.Unlock()
					status, err = c.ask(all[i].method, all[i].target)
				}
				if err != nil {
					t.Errorf("%s %.80q: %v", all[i].method, all[i].target, err)
				}
				all[i].status = status
			}
		})
	}
	wg.Wait()
	return all, dropped
}

// client is a connection that is kept alive, as far as the server wants.
type client struct {
	addr string
	conn net.Conn
	r    *bufio.Reader
}

func (c *client) close() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

func (c *client) ask(method, target string) (status int, err error) {
	body := ""
	if method == "POST" || method == "PUT" {
		body = "Content-Length: 3\r\n\r\na=b"
	} else {
		body = "\r\n"
	}
	return c.send(method, fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: a \"client\" of\\the test\r\nReferer: http://x.example/\"?\r\n%s", method, target, c.addr, body))
}

// send sends what may be anything, and reads the answer.
func (c *client) send(method, text string) (status int, err error) {
	if c.conn == nil {
		if c.conn, err = net.Dial("tcp", c.addr); err != nil {
			return 0, err
		}
		c.r = bufio.NewReader(c.conn)
		if err := c.conn.SetDeadline(time.Now().Add(limit)); err != nil {
			return 0, err
		}
	}
	if _, err := io.WriteString(c.conn, text); err != nil {
		c.close()
		return 0, err
	}
	answer, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		c.close()
		return 0, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	if err != nil || answer.Close {
		c.close()
	}
	return answer.StatusCode, err
}

// odd is something that is sent on a connection of its own, and what the server's log has to say of it.
type odd struct {
	text           string
	status         int    // that the client gets; 0: none
	method, target string // as logged; "": the log says that it was no request
}

// oddities sends each of them, and returns what should be in the log, and how many entries without a request.
func oddities(t *testing.T, addr string, all []odd) (logged []asked, without int) {
	t.Helper()
	for _, o := range all {
		c := client{addr: addr}
		status, err := c.send("GET", o.text)
		c.close()
		if status != o.status || (err != nil) != (o.status == 0) {
			t.Errorf("%.80q is answered with %d, %v, want %d", o.text, status, err, o.status)
		}
		if o.target == "" {
			without++
		} else {
			logged = append(logged, asked{o.method, o.target, status})
		}
	}
	return logged, without
}

// leave asks, and goes away as soon as the backend has the request.
func leave(t *testing.T, b *backend, addr, target string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", target); err != nil {
		t.Fatal(err)
	}
	wait(t, "the backend has "+target, func() (string, bool) { return "", b.stalls(target) })
}
