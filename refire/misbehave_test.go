package refire_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// misbehaviours are the rows of the README's table: servers, by what they do.
var misbehaviours = map[string]func(t *testing.T) refire.Origin{
	"answers 2xx or 3xx":                    saying("HTTP/1.1 301 Moved\r\nConnection: close\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", false),
	"answers 5xx or 429":                    saying("HTTP/1.1 429 Too Many\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno", false),
	"answers anything else":                 saying("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno", false),
	"is not there":                          absent,
	"fails the TLS handshake":               untrusted,
	"stalls before the answer":              saying("", true),
	"stalls within the answer's body":       saying("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", true),
	"resets the connection":                 resetting,
	"closes the connection":                 saying("", false),
	"closes within the answer's header":     saying("HTTP/1.1 200 O", false),
	"closes within the answer's body":       saying("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", false),
	"answers in another language than HTTP": saying("SSH-2.0-OpenSSH_9.9\r\n\r\n", false),
	"sends a header without end":            saying("HTTP/1.1 200 OK\r\n"+strings.Repeat("A: "+strings.Repeat("x", 10_000)+"\r\n", 200), false),
}

// failing are servers whose answer breaks off, with a status that is a failure by itself.
var failing = map[string]func(t *testing.T) refire.Origin{
	"stalls within the answer's body": saying("HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\nx", true),
	"closes within the answer's body": saying("HTTP/1.1 503 No\r\nContent-Length: 10\r\n\r\n12345", false),
}

// saying is a server that sends that and closes the connection, or waits.
func saying(answer string, wait bool) func(t *testing.T) refire.Origin {
	return func(t *testing.T) refire.Origin {
		end := make(chan struct{})
		s := newRawServer(t, func(conn net.Conn, _ string, _, _ int) string {
			conn.Write([]byte(answer))
			if wait {
				<-end
			}
			return ""
		})
		t.Cleanup(func() { close(end) })
		return s.origin(t)
	}
}

func absent(t *testing.T) refire.Origin {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return mustOrigin(t, "http://"+l.Addr().String())
}

func untrusted(t *testing.T) refire.Origin {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	t.Cleanup(s.Close)
	return mustOrigin(t, s.URL)
}

func resetting(t *testing.T) refire.Origin {
	return newRawServer(t, func(conn net.Conn, _ string, _, _ int) string {
		conn.(*net.TCPConn).SetLinger(0)
		return ""
	}).origin(t)
}

// TestReadmeOfMisbehaviour: the README's table says what happens, with either client, and leaves nothing out.
func TestReadmeOfMisbehaviour(t *testing.T) { eachClient(t, testReadmeOfMisbehaviour) }

func testReadmeOfMisbehaviour(t *testing.T, newClient newClientFunc) {
	rows := readTable(t, "### When the server misbehaves")
	if len(rows) != len(misbehaviours) {
		t.Errorf("%d rows, %d servers", len(rows), len(misbehaviours))
	}
	for _, row := range rows {
		serve := misbehaviours[row[0]]
		if serve == nil {
			t.Errorf("nobody knows a server that %s", row[0])
			continue
		}
		t.Run(row[0], func(t *testing.T) {
			origin := serve(t)
			for method, again := range map[string]string{"GET": row[3], "POST": row[4]} {
				checkRow(t, row, method, again, fireOnce(t, newClient, origin, method, patience(row[0])))
			}
		})
	}
	for name, serve := range failing {
		o := fireOnce(t, newClient, serve(t), "GET", patience(name))
		if v := o.Verdict(); o.Status != 503 || v.Trouble == refire.NoTrouble || !v.StillFails() || v.Recovered() {
			t.Errorf("%s, with a failure: %+v", name, o)
		}
	}
}

// patience is how long a server is waited for: not long for one that will not answer.
func patience(server string) time.Duration {
	if strings.HasPrefix(server, "stalls") {
		return 100 * time.Millisecond
	}
	return 20 * time.Second
}

// fireOnce fires one request, with one retry.
func fireOnce(t *testing.T, newClient newClientFunc, origin refire.Origin, method string, timeout time.Duration) refire.Outcome {
	t.Helper()
	source := func(_ context.Context, emit func(refire.Request, int64) error) error {
		return emit(refire.Request{ID: accesslog.ID{1}, Method: method, Origin: origin, Target: "/"}, 0)
	}
	var sink memorySink
	f := &refire.Firing{
		Sources: []refire.Source{source}, Ledger: refire.NewLedger(false), Sink: &sink, Retries: 1,
		Client:  newClient(t, refire.HTTPConfig{Timeout: timeout}, origin),
		Backoff: refire.Backoff{Random: func(int64) int64 { return 0 }},
	}
	if _, err := aio.Run(t.Context(), f.Run); err != nil || len(sink.outcomes) != 1 {
		t.Fatalf("%v, %+v", err, sink.outcomes)
	}
	return sink.outcomes[0]
}

func checkRow(t *testing.T, row []string, method, again string, o refire.Outcome) {
	t.Helper()
	status, trouble, _ := strings.Cut(row[1], ", ")
	if kind, _, _ := strings.Cut(o.Error, ":"); kind != strings.Trim(trouble, "`") || (status == "0") != (o.Status == 0) {
		t.Errorf("%s: %d, %q; the table says %s", method, o.Status, o.Error, row[1])
	}
	v := o.Verdict()
	counts := map[bool]string{true: "recovered", false: "unreachable"}[v.Recovered()]
	if v.StillFails() {
		counts = "still failing"
	}
	if !strings.HasSuffix(row[2], counts) {
		t.Errorf("%s counts as %s; the table says %s", method, counts, row[2])
	}
	if want := map[bool]int{true: 2, false: 1}[strings.HasPrefix(again, "yes")]; o.Attempts != want {
		t.Errorf("%s: %d attempts; the table says %s", method, o.Attempts, again)
	}
	if strings.Contains(again, "nothing was sent") && !o.Unsent {
		t.Errorf("%s: something was sent; the table says %s", method, again)
	}
}

// readTable returns the cells of the first table below a heading of the README.
func readTable(t *testing.T, heading string) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text2, found := strings.Cut(string(text), "\n"+heading+"\n")
	if !found {
		t.Fatalf("no %q in the README", heading)
	}
	for line := range strings.Lines(text2) {
		switch {
		case strings.HasPrefix(line, "|"):
			var cells []string
			for cell := range strings.SplitSeq(strings.Trim(strings.TrimSpace(line), "|"), "|") {
				cells = append(cells, strings.TrimSpace(cell))
			}
			rows = append(rows, cells)
		case len(rows) > 0:
			return rows[2:] // without the head
		}
	}
	return nil
}

// TestServerGoesAway: every entry has an outcome, and they are told apart.
func TestServerGoesAway(t *testing.T) { eachClient(t, testServerGoesAway) }

func testServerGoesAway(t *testing.T, newClient newClientFunc) {
	const entries, last, concurrency = 60, 20, 4
	var server atomic.Pointer[rawServer]
	var requests atomic.Int64
	s := newRawServer(t, func(net.Conn, string, int, int) string {
		switch n := requests.Add(1); {
		case n == last:
			server.Load().Close()
			return ""
		case n > last:
			return ""
		}
		return okAnswer
	})
	server.Store(s)
	origin := s.origin(t)
	source := func(_ context.Context, emit func(refire.Request, int64) error) error {
		for i := range entries {
			if err := emit(refire.Request{ID: accesslog.ID{byte(i + 1)}, Method: "GET", Origin: origin, Target: fmt.Sprintf("/%d", i)}, 0); err != nil {
				return err
			}
		}
		return nil
	}
	var sink memorySink
	f := &refire.Firing{
		Sources: []refire.Source{source}, Ledger: refire.NewLedger(false), Sink: &sink, Concurrency: concurrency,
		Client: newClient(t, refire.HTTPConfig{Timeout: 5 * time.Second, Connections: concurrency}, origin),
	}
	if _, err := aio.Run(t.Context(), f.Run); err != nil {
		t.Fatal(err)
	}
	tally := f.Ledger.Tally()
	answered := tally.Recovered >= last-concurrency && tally.Recovered < last // the server takes answers that are on their way with it
	gone := tally.ByTrouble[refire.Refused] + tally.ByTrouble[refire.Closed] + tally.ByTrouble[refire.Reset]
	if len(sink.outcomes) != entries || !answered || gone != entries-tally.Recovered || tally.ByTrouble[refire.Refused] < entries-last-8 {
		t.Errorf("%d outcomes, %+v", len(sink.outcomes), tally)
	}
}

// TestCutHeader: whichever byte of an answer's header was the last, the server has closed, and its language is not to blame.
func TestCutHeader(t *testing.T) { eachClient(t, testCutHeader) }

func testCutHeader(t *testing.T, newClient newClientFunc) {
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\n"
	for size := range len(answer) {
		o := fireOnce(t, newClient, saying(answer[:size], false)(t), "GET", time.Minute)
		if trouble := o.Verdict().Trouble; trouble != refire.Closed || o.Status != 0 {
			t.Errorf("after %q: %v, %+v", answer[:size], trouble, o)
		}
	}
	for _, garbage := range []string{"hi\n", "HTTQ/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/x 200 OK\r\n\r\n"} {
		o := fireOnce(t, newClient, saying(garbage, true)(t), "GET", time.Minute)
		if trouble := o.Verdict().Trouble; trouble != refire.Garbage || o.Status != 0 {
			t.Errorf("after %q: %v, %+v", garbage, trouble, o)
		}
	}
}
