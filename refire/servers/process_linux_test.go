package servers

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// needAll is the variable of the environment that makes all servers mandatory.
const needAll = "AIO_NEED_SERVERS"

// limit is how long a server may take for anything: many times what it does where a machine is busy.
const limit = time.Minute

// program finds a server's program. A test is skipped for want of one, or fails where AIO_NEED_SERVERS is 1.
func program(t *testing.T, name, debian string) string {
	t.Helper()
	found, err := exec.LookPath(name)
	if err != nil {
		if found = filepath.Join("/usr/sbin", name); exec.Command(found, "-v").Run() == nil { // which is in no user's PATH
			return found
		}
		what := fmt.Sprintf("there is no %s: install it, Debian's package is %s", name, debian)
		if os.Getenv(needAll) == "1" {
			t.Fatalf("%s, and %s is 1", what, needAll)
		}
		t.Skip(what)
	}
	return found
}

// who is as whom servers run: root's servers would run their workers as somebody else, who can't get at the test's files, or refuse to.
func who(t *testing.T) *syscall.Credential {
	t.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	gid, failed := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(err, failed); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// folder is one that a server may use for all that it needs. Its name is short enough for a socket's, and nobody else's.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "refire")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if c := who(t); c != nil {
		if err := os.Chown(dir, int(c.Uid), int(c.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// freePort is one of this machine's that no connection to elsewhere is given: those begin at 32768.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 20000 + rand.IntN(10000)
		if l, err := net.Listen("tcp", local(port)); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

func local(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// running is a server's process.
type running struct {
	cmd   *exec.Cmd
	stop  chan syscall.Signal
	ended chan struct{}

	mu   sync.Mutex
	said bytes.Buffer // guarded by mu
}

func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.Write(p)
}

func (r *running) output() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.String()
}

// start starts a server, and waits until it accepts connections at addr. When the test is over it gets the signal that has it end what it does.
func start(t *testing.T, dir, addr string, end syscall.Signal, name string, args ...string) *running {
	t.Helper()
	r := &running{cmd: exec.Command(name, args...), stop: make(chan syscall.Signal, 1), ended: make(chan struct{})}
	r.cmd.Dir, r.cmd.Stdout, r.cmd.Stderr = dir, r, r
	r.cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_CONFIG_HOME="+dir, "TZ=UTC")
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: who(t), Pdeathsig: syscall.SIGTERM} // at which it ends its workers, too
	r.cmd.WaitDelay = time.Second
	started := make(chan error)
	go r.watch(t, started)
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.end(end)
		if t.Failed() {
			t.Logf("%s said:\n%s", name, r.output())
		}
	})
	wait(t, name+" accepts connections", func() (string, bool) {
		select {
		case <-r.ended:
			t.Fatalf("%s has ended: %s", name, r.output())
		default:
		}
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return r.output(), false
		}
		_ = c.Close()
		return "", true
	})
	return r
}

// watch runs in a goroutine of its own: a server dies with the thread that started it.
func (r *running) watch(t *testing.T, started chan<- error) {
	defer close(r.ended)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := r.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	over := make(chan struct{})
	go func() {
		select {
		case <-over:
		case signal := <-r.stop:
			_ = r.cmd.Process.Signal(signal)
			late := time.AfterFunc(limit, func() {
				t.Errorf("%s has not ended in %v after %v: killed", r.cmd.Path, limit, signal)
				_ = r.cmd.Process.Kill()
			})
			<-over
			late.Stop()
		}
	}()
	_ = r.cmd.Wait()
	close(over)
}

// end ends the server, if it runs, and waits for it.
func (r *running) end(signal syscall.Signal) {
	select {
	case r.stop <- signal:
	default:
	}
	<-r.ended
}

// wait waits until what is asked again and again says that it is so.
func wait(t *testing.T, what string, ask func() (seen string, so bool)) {
	t.Helper()
	late := time.After(limit)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		seen, so := ask()
		if so {
			return
		}
		select {
		case <-late:
			t.Fatalf("it is not so after %v that %s: %s", limit, what, seen)
		case <-tick.C:
		}
	}
}

// write writes a file that a server may read, but not write.
func write(t *testing.T, dir, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
