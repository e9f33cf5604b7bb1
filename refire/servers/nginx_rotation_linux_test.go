package servers

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// rotate does what logrotate does with "create": the old log gets another name, which nginx goes on writing to until it is told.
func (n *nginx) rotate(t *testing.T, times int) {
	t.Helper()
	log := n.log("combined.log")
	for i := times; i > 0; i-- {
		from := log
		if i > 1 {
			from += "." + strconv.Itoa(i-1)
		}
		if err := os.Rename(from, log+"."+strconv.Itoa(i)); err != nil {
			t.Error(err)
		}
	}
	if err := n.cmd.Process.Signal(syscall.SIGUSR1); err != nil {
		t.Error(err)
	}
	wait(t, "nginx has opened a new log", func() (string, bool) {
		_, err := os.Stat(log)
		return "", err == nil
	})
}

// pack replaces a file by its packed self.
func pack(t *testing.T, name string) {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write([]byte(read(t, name)))
	if err := errors.Join(err, z.Close(), os.WriteFile(name+".gz", packed.Bytes(), 0o644), os.Remove(name)); err != nil {
		t.Fatal(err)
	}
}

// TestNginx_rotation: a run that follows a log fires each failure once, while nginx is asked on and its log is rotated twice; and so has the next run, on the
// rotated set with its oldest packed, nothing left to do.
func TestNginx_rotation(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	n := newNginx(t, b)
	b.mend()
	b.state.Store(brokenForOthers)
	log, out := n.log("combined.log"), filepath.Join(t.TempDir(), "retry.log")
	var mending []asked // what fails again is logged again, and so fired again: a run that follows the log of the server it fires at would not end
	for _, a := range requests(4000) {
		if strings.Contains(a.target, "-200/") {
			mending = append(mending, a)
		}
	}
	cmd := refire(t, "run", "--json", "--follow-for", "10m", "--timeout", "30s", "--base", "http://"+n.addr, "--out", out, log)
	var words, events bytes.Buffer
	cmd.Stderr, cmd.Stdout = &words, &events
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var asking sync.WaitGroup
	var seen []asked
	asking.Go(func() { seen = traffic(t, n.addr, mending) })
	for i := range 2 {
		wait(t, "nginx has had some of the traffic", func() (string, bool) {
			return "", strings.Count(read(t, n.log("apart.log")), "\n") > (i+1)*len(mending)/3
		})
		n.rotate(t, i+1)
	}
	asking.Wait()
	take := sent(wanted(seen))
	wait(t, "refire has fired all", func() (string, bool) {
		fired := strings.Count(read(t, out), "\n")
		return strconv.Itoa(fired), fired >= len(take)
	})
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	end, list := lastEvent(t, cmd, events.Bytes(), &words), outcomes(t, out)
	if code := cmd.ProcessState.ExitCode(); code != 130 || end.Recovered != len(take) || end.Settled != len(take) {
		t.Errorf("exit code %d, the end says %+v, want 130, and %d recovered\n%s", code, end, len(take), words.String())
	}
	same(t, "the retry log", tallyOf(before(list), whole), "what had failed", tallyOf(take, whole))
	same(t, "nginx's own log of failures", n.failures(t), "what the client has seen", tallyOf(seen, failed))
	if got := n.requests(t); got != len(seen)+len(list) {
		t.Errorf("nginx counts %d requests, want %d and refire's %d", got, len(seen), len(list))
	}
	if !strings.Contains(words.String(), "was rotated") {
		t.Errorf("refire has seen no rotation:\n%s", words.String())
	}
	lines(t, n.log("apart.log"), len(seen)+len(list))
	pack(t, log+".2")
	if s := all(t, log+"*"); len(s.entries) != len(seen)+len(list) {
		t.Errorf("the rotated set has %d entries, want %d", len(s.entries), len(seen)+len(list))
	}
	again, code := run(t, "--base", "http://"+n.addr, "--out", out, log+"*")
	if code != 0 || again.Fired != 0 || again.Settled != len(take) {
		t.Errorf("the next run ends with %d, %+v; it should have nothing left to fire", code, again)
	}
}
