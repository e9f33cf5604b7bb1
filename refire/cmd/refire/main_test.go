package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The test binary is refire itself when it is called by that name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"refire": func() {
		if client := os.Getenv(testClient); client != "" && len(os.Args) > 1 && os.Args[1] == "run" {
			os.Args = slices.Insert(os.Args, 2, "--client", client)
		}
		main()
	}})
}

// testClient is a variable of the environment: the --client of runs that are tested, where they do not choose one.
const testClient = "REFIRE_TEST_CLIENT"

// eachClient runs test with either --client, in children that inherit the environment.
func eachClient(t *testing.T, test func(t *testing.T)) {
	for _, kind := range []clientKind{onLoop, onThreads} {
		if _, err := parseClient(string(kind)); err != nil {
			continue
		}
		t.Run(string(kind), func(t *testing.T) {
			t.Setenv(testClient, string(kind))
			test(t)
		})
	}
}

// TestScripts runs testdata/*.txtar. Each has a server of its own: $BASE, and $VICTIM, which nobody must ever reach.
//
//	hits N            so many requests have arrived
//	hits N TARGET     so many with this target
//	sent NAME VALUE N  so many had this header; *: any value
//	lines N FILE      the file (or stdout, stderr) has so many lines
//	code N ARGS...    refire ends with this exit code
//	binary FILE TEXT  writes a Go string literal
//	pack KIND IN OUT  packs a file: gzip, zstd, xz; ends as KIND:N are without their last N bytes
//	killed N ALL OUT  OUT becomes ALL as it was when a run was killed that was firing its last N entries, which go out at most once
//	at FILE TIME      sets when it was written
//
// The condition [loop] holds where --client is loop.
func TestScripts(t *testing.T) { eachClient(t, testScripts) }

func testScripts(t *testing.T) {
	client := os.Getenv(testClient)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			s, victim := newCounter(nil), newCounter(nil)
			env.Defer(s.Close)
			env.Defer(func() {
				victim.Close()
				if n := victim.total(); n > 0 {
					t.Errorf("%s: %d requests to another host", env.WorkDir, n)
				}
			})
			env.Values["server"] = s
			env.Setenv("GORACE", "atexit_sleep_ms=0") // else every command takes a second under -race
			env.Setenv(testClient, client)
			env.Setenv("BASE", s.URL)
			env.Setenv("HOST", strings.TrimPrefix(s.URL, "http://"))
			env.Setenv("VICTIM", strings.TrimPrefix(victim.URL, "http://"))
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond != "loop" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			return client == string(onLoop), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"hits": func(ts *testscript.TestScript, neg bool, args []string) {
				s := ts.Value("server").(*counter)
				want, err := strconv.Atoi(args[0])
				ts.Check(err)
				got := s.total()
				if len(args) > 1 {
					got = s.count(args[1])
				}
				if (got == want) == neg {
					ts.Fatalf("%d hits: %v", got, s.all())
				}
			},
			"sent": func(ts *testscript.TestScript, neg bool, args []string) {
				if got := ts.Value("server").(*counter).sent(args[0], args[1]); (strconv.Itoa(got) == args[2]) == neg {
					ts.Fatalf("%d requests had %s: %s", got, args[0], args[1])
				}
			},
			"lines": func(ts *testscript.TestScript, _ bool, args []string) {
				if got := strings.Count(ts.ReadFile(args[1]), "\n"); strconv.Itoa(got) != args[0] {
					ts.Fatalf("%s has %d lines", args[1], got)
				}
			},
			"code": func(ts *testscript.TestScript, _ bool, args []string) {
				err := ts.Exec("refire", args[1:]...)
				if got := exitCode(err); strconv.Itoa(got) != args[0] {
					ts.Fatalf("exit code %d", got)
				}
			},
			"hinted": func(ts *testscript.TestScript, _ bool, _ []string) { // runs the command that the hint on stderr names
				_, command, _ := strings.Cut(ts.ReadFile("stderr"), "hint: as lines of Apache's: ")
				command, _, _ = strings.Cut(command, "\n")
				ts.Check(ts.Exec("sh", "-c", strings.Replace(command, "refire ...", "refire scan", 1)))
			},
			"pack": func(ts *testscript.TestScript, _ bool, args []string) {
				kind, less, _ := strings.Cut(args[0], ":")
				data, err := pack(kind, []byte(ts.ReadFile(args[1])))
				ts.Check(err)
				n, _ := strconv.Atoi(less)
				ts.Check(os.WriteFile(ts.MkAbs(args[2]), data[:len(data)-n], 0o600))
			},
			"killed": func(ts *testscript.TestScript, _ bool, args []string) {
				n, err := strconv.Atoi(args[0])
				ts.Check(err)
				ts.Check(asKilled(ts.ReadFile(args[1]), n, ts.MkAbs(args[2])))
			},
			"at": func(ts *testscript.TestScript, _ bool, args []string) {
				when, err := time.Parse(time.RFC3339, args[1])
				ts.Check(err)
				ts.Check(os.Chtimes(ts.MkAbs(args[0]), when, when))
			},
			"binary": func(ts *testscript.TestScript, _ bool, args []string) {
				text, err := strconv.Unquote(`"` + args[1] + `"`)
				ts.Check(err)
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
			},
		},
	})
}

func exitCode(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode() // -1: ended by a signal
	}
	return -2
}

// counter is a server that counts. Targets beginning with /fail always get a 500, with /flaky a 503 the first time, with /gone a 404, with /moved a redirect; ones that
// end in /who a proxy's 407;
// /post tells that a request with a body is no surprise. arrived, if set, is called for each request before it is answered.
type counter struct {
	*httptest.Server
	arrived func(n int)

	mu   sync.Mutex
	hits map[string]int // guarded by mu: by target
	had  []http.Header  // guarded by mu
	n    int            // guarded by mu
}

func newCounter(arrived func(n int)) *counter {
	s := &counter{arrived: arrived, hits: map[string]int{}}
	s.Server = httptest.NewServer(s)
	return s
}

func (s *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.n++
	s.hits[r.RequestURI]++
	s.had = append(s.had, r.Header)
	n, times := s.n, s.hits[r.RequestURI]
	s.mu.Unlock()
	if s.arrived != nil {
		s.arrived(n)
	}
	switch path := r.RequestURI; {
	case strings.HasPrefix(path, "/fail"), strings.HasPrefix(path, "/flaky") && times == 1:
		http.Error(w, "no", http.StatusServiceUnavailable)
	case strings.HasPrefix(path, "/gone"):
		http.NotFound(w, r)
	case strings.HasPrefix(path, "/moved"):
		http.Redirect(w, r, "http://victim.test/", http.StatusFound)
	case strings.HasSuffix(path, "/who"):
		http.Error(w, "who?", http.StatusProxyAuthRequired)
	default:
		fmt.Fprintln(w, "yes")
	}
}

func (s *counter) total() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

func (s *counter) sent(name, value string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.had {
		if got := h.Get(name); got == value || value == "*" && got != "" {
			n++
		}
	}
	return n
}

func (s *counter) count(target string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits[target]
}

func (s *counter) all() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]int{}
	for target, n := range s.hits {
		all[target] = n
	}
	return all
}

// writeLog writes an access log of n failed requests, /0 to /n-1, and a good one after each.
func writeLog(t testing.TB, dir string, n int) (path string) {
	t.Helper()
	return writeLogOf(t, dir, "GET", n)
}

// writeLogOf does so with another method.
func writeLogOf(t testing.TB, dir, method string, n int) (path string) {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "192.0.2.1 - - [12/Mar/2026:14:02:%02d +0000] \"%s /%d HTTP/1.1\" 503 0 \"-\" \"test\"\n", i%60, method, i)
		fmt.Fprintf(&b, "192.0.2.1 - - [12/Mar/2026:14:02:%02d +0000] \"GET /fine HTTP/1.1\" 200 9 \"-\" \"test\"\n", i%60)
	}
	path = filepath.Join(dir, "access.log")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
