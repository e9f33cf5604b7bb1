//go:build unix

package main

import (
	"bufio"
	"flag"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/seed8b1f0744/aio/refire/retrylog"
)

// child starts refire as a process of its own.
func child(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Args = append([]string{"refire"}, args...)
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	return cmd
}

// killRuns asks for more of TestKillAndGoOn: -kills 1000.
var killRuns = flag.Int("kills", 0, "kill at least so many runs for each client and method, instead of a moderate number")

const (
	killEntries     = 300
	killConcurrency = 8
)

// TestKillAndGoOn kills runs with SIGKILL, each at a random request or at a random time, until one comes to its end: no entry is lost, and per kill at most
// as many are fired twice as were being fired; of those that go out at most once, none.
func TestKillAndGoOn(t *testing.T) { eachClient(t, testKillAndGoOn) }

func testKillAndGoOn(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		t.Run(method, func(t *testing.T) {
			kills, rounds := 0, 4
			if testing.Short() {
				rounds = 2
			}
			for round := 0; kills < *killRuns || *killRuns == 0 && round < rounds; round++ {
				seed := rand.Uint64()
				t.Run(strconv.Itoa(round), func(t *testing.T) {
					t.Logf("seed %d", seed)
					v := newVictim(t, method, rand.New(rand.NewPCG(seed, 0)))
					v.killUntilDone(t)
					v.check(t)
					kills += v.kills
				})
			}
			t.Logf("%d runs were killed", kills)
		})
	}
}

// victim is a log that is fired by runs that are killed.
type victim struct {
	method   string
	log, out string
	random   *rand.Rand
	server   *counter
	at       atomic.Int64               // the request at which the run dies; 0: at a time
	process  atomic.Pointer[os.Process] // the run, once it has been started
	kills    int
	torn     int // kills after which the last line was torn, as by a power cut
}

func newVictim(t *testing.T, method string, random *rand.Rand) *victim {
	dir := t.TempDir()
	v := &victim{method: method, log: writeLogOf(t, dir, method, killEntries), out: filepath.Join(dir, "retry.log"), random: random}
	v.server = newCounter(func(n int) {
		if p := v.process.Load(); p != nil && int64(n) == v.at.Load() {
			p.Kill()
		}
	})
	t.Cleanup(v.server.Close)
	return v
}

func (v *victim) killUntilDone(t *testing.T) {
	for {
		code := v.run(t)
		if code == exitRecovered || code == exitStillFails && v.method == "POST" {
			return
		}
		if code != -1 {
			t.Fatalf("exit code %d", code)
		}
		if v.kills++; v.kills > killEntries {
			t.Fatal("it gets nowhere")
		}
		if v.kills%3 == 0 && v.method == "GET" { // and the power goes as well
			v.torn++
			tear(t, v.out, v.random)
		}
	}
}

// run starts a run and kills it, unless it ends before.
func (v *victim) run(t *testing.T) (code int) {
	t.Helper()
	v.process.Store(nil)
	v.at.Store(int64(v.server.total() + 1 + v.random.IntN(60)))
	cmd := child(t, "run", "--base", v.server.URL, "--method", v.method, "--out", v.out, "--concurrency", strconv.Itoa(killConcurrency), v.log)
	atTime := v.random.IntN(3) == 0
	if atTime {
		v.at.Store(0)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	v.process.Store(cmd.Process)
	if atTime { // also while it opens its files, and before it fires anything
		timer := time.AfterFunc(time.Duration(v.random.IntN(60_000))*time.Microsecond, func() { cmd.Process.Kill() })
		defer timer.Stop()
	}
	return exitCode(cmd.Wait())
}

// check counts what the server has seen, and what the retry log says.
func (v *victim) check(t *testing.T) {
	unknown := checkOutcomes(t, v.out, killEntries)
	hits := v.server.all()
	twice, unseen := 0, 0
	for i := range killEntries {
		switch n := hits["/"+strconv.Itoa(i)]; {
		case n == 0 && v.method == "GET":
			t.Errorf("/%d was lost", i)
		case n == 0:
			unseen++
		case n > 1 && v.method == "POST":
			t.Errorf("/%d was fired %d times, and goes out at most once", i, n)
		default:
			twice += n - 1
		}
	}
	if limit := v.kills*killConcurrency + v.torn; twice > limit || unknown > limit || unseen > unknown || unknown > 0 && v.method == "GET" {
		t.Errorf("after %d kills, %d at a time: %d fired twice, %d unknown, %d never seen", v.kills, killConcurrency, twice, unknown, unseen)
	}
	t.Logf("%d kills, %d fired twice, %d unknown, of which %d had not arrived", v.kills, twice, unknown, unseen)
}

// tear takes some bytes from the end of the last line, one entry's worth at most.
func tear(t *testing.T, path string, random *rand.Rand) {
	text, err := os.ReadFile(path)
	if err != nil || len(text) == 0 {
		return
	}
	last := len(text) - 1 - strings.LastIndexByte(string(text[:len(text)-1]), '\n')
	if err := os.Truncate(path, int64(len(text)-1-random.IntN(last))); err != nil {
		t.Fatal(err)
	}
}

// checkOutcomes: one good line for each of so many entries. It returns how many say that nobody knows.
func checkOutcomes(t *testing.T, path string, entries int) (unknown int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen := map[accesslog.ID]int{}
	ext, err := retrylog.Read(f, func(o *refire.Outcome) error {
		seen[o.ID]++
		if o.Verdict().Unknown() {
			unknown++
		}
		return nil
	})
	if err != nil || ext.Torn > 0 || ext.Unends || len(seen) != entries || ext.Lines != int64(entries) {
		t.Errorf("%v, %+v, %d entries of %d", err, ext, len(seen), entries)
	}
	if _, err := os.Stat(path + retrylog.FiredSuffix); err == nil {
		t.Error("announcements were left behind")
	}
	return unknown
}

// TestInterrupt: after one Ctrl-C what is under way ends and is written, so that nothing at all is fired twice by the next run.
func TestInterrupt(t *testing.T) { eachClient(t, testInterrupt) }

func testInterrupt(t *testing.T) {
	for sent, want := range map[syscall.Signal]int{syscall.SIGINT: exitInterrupted, syscall.SIGTERM: exitTerminated, syscall.SIGHUP: exitHungUp} {
		t.Run(sent.String(), func(t *testing.T) {
			caught := make(chan os.Signal, 1) // one that is ignored, as under nohup, would be so in the child, too
			signal.Notify(caught, sent)
			defer signal.Stop(caught)
			dir := t.TempDir()
			log, out := writeLog(t, dir, killEntries), filepath.Join(dir, "retry.log")
			started := make(chan *os.Process, 1)
			told := make(chan struct{})
			s := newCounter(func(n int) {
				switch {
				case n == 50:
					(<-started).Signal(sent)
				case n < 50 || n > 50+killConcurrency:
					return
				}
				<-told
			})
			defer s.Close()
			cmd := child(t, "run", "--base", s.URL, "--out", out, "--concurrency", strconv.Itoa(killConcurrency), log)
			words := watchWords(t, cmd, "ending what is under way", func() { close(told) })
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			started <- cmd.Process
			text := <-words
			if code := exitCode(cmd.Wait()); code != want {
				t.Errorf("exit code %d, want %d\n%s", code, want, text)
			}
			if !strings.Contains(text, "hint: everything that was answered is in "+out) {
				t.Errorf("no hint how to go on:\n%s", text)
			}
			first := s.total()
			if first >= killEntries || first < 50 {
				t.Errorf("%d were fired before it ended", first)
			}
			if output, err := child(t, "run", "--base", s.URL, "--out", out, log).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, output)
			}
			if n := s.total(); n != killEntries {
				t.Errorf("%d requests for %d entries", n, killEntries)
			}
			checkOutcomes(t, out, killEntries)
		})
	}
}

// watchWords collects cmd's standard error and calls seen at the first line with text in it.
func watchWords(t *testing.T, cmd *exec.Cmd, text string, seen func()) <-chan string {
	t.Helper()
	r, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	all := make(chan string, 1)
	go func() {
		var b strings.Builder
		br := bufio.NewReader(r)
		for {
			line, err := br.ReadString('\n')
			b.WriteString(line)
			if seen != nil && strings.Contains(line, text) {
				seen()
				seen = nil
			}
			if err != nil {
				all <- b.String()
				return
			}
		}
	}()
	return all
}

// TestSecondInterrupt: it ends at once, although a request hangs.
func TestSecondInterrupt(t *testing.T) { eachClient(t, testSecondInterrupt) }

func testSecondInterrupt(t *testing.T) {
	dir := t.TempDir()
	log := writeLog(t, dir, 3)
	started := make(chan *os.Process, 2) // for two signals
	ended := make(chan struct{})
	s := newCounter(func(n int) {
		if n == 1 {
			(<-started).Signal(os.Interrupt)
		}
		<-ended
	})
	defer s.Close()
	cmd := child(t, "run", "--base", s.URL, "--out", filepath.Join(dir, "retry.log"), "--timeout", "10m", "--concurrency", "1", log)
	words := watchWords(t, cmd, "once more ends at once", func() { (<-started).Signal(os.Interrupt) })
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	started <- cmd.Process
	started <- cmd.Process
	text := <-words
	code := exitCode(cmd.Wait())
	close(ended)
	if code != exitInterrupted || !strings.Contains(text, "ends at once") {
		t.Errorf("exit code %d\n%s", code, text)
	}
}

// TestInterruptWhileReadingAPipe: standard input that stays open does not keep it.
func TestInterruptWhileReadingAPipe(t *testing.T) {
	dir := t.TempDir()
	started := make(chan *os.Process, 1)
	s := newCounter(func(int) { (<-started).Signal(os.Interrupt) })
	defer s.Close()
	cmd := child(t, "run", "--base", s.URL, "--out", filepath.Join(dir, "retry.log"), "-")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	words := watchWords(t, cmd, "", nil)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	started <- cmd.Process
	text, err := os.ReadFile(writeLog(t, dir, 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write(text); err != nil {
		t.Fatal(err)
	}
	said := <-words
	if code := exitCode(cmd.Wait()); code != exitInterrupted {
		t.Errorf("exit code %d\n%s", code, said)
	}
	in.Close()
}
