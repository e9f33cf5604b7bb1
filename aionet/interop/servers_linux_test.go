package interop_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// lacks skips a test for want of a server, or fails it where AIO_NEED_SERVERS is 1.
func lacks(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("AIO_NEED_SERVERS") == "1" {
		t.Fatalf("%s, and AIO_NEED_SERVERS is 1", what)
	}
	t.Skip(what)
}

// redisServer starts a Redis on a unix socket for the time of the test, and returns its path.
func redisServer(t *testing.T) (socket string) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		lacks(t, "there is no redis-server: install it, Debian's package is redis-server")
	}
	dir := t.TempDir()
	socket = filepath.Join(dir, "s")
	cmd := exec.Command(program, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", dir)
	start(t, cmd, "eady to accept connections", syscall.SIGTERM)
	return socket
}

// start starts a server, waits until it says that it is ready, and ends it by that signal when the test is over, or the
// process.
func start(t *testing.T, cmd *exec.Cmd, ready string, end syscall.Signal) {
	t.Helper()
	output, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	started, stop, ended := make(chan error), make(chan struct{}), make(chan struct{})
	go func() { // it dies with the thread that started it
		defer close(ended)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		_ = w.Close()
		started <- err
		if err == nil {
			<-stop
			_ = cmd.Process.Signal(end)
			late := time.AfterFunc(limit, func() {
				t.Errorf("%s has not ended in %v after %v: killed", cmd.Path, limit, end)
				_ = cmd.Process.Kill()
			})
			_ = cmd.Wait()
			late.Stop()
		}
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close(stop); <-ended; _ = output.Close() })
	if err := output.SetReadDeadline(time.Now().Add(limit)); err != nil {
		t.Fatal(err)
	}
	var said []string
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		said = append(said, lines.Text())
		if strings.Contains(lines.Text(), ready) {
			if err := output.SetReadDeadline(time.Time{}); err != nil {
				t.Fatal(err)
			}
			go func() { // it must not wait for a reader
				for lines.Scan() {
				}
			}()
			return
		}
	}
	t.Fatal(errors.Join(fmt.Errorf("%s is not ready: %s", cmd.Path, strings.Join(said, "\n")), lines.Err()))
}
