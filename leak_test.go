package aio_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"testing"
)

// TestMain fails the run if a goroutine is left after all tests. Bubbles check that by themselves; this is for what runs outside.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leftGoroutines(); code == 0 && len(left) > 0 {
		fmt.Fprintf(os.Stderr, "%d goroutines are left after the tests:\n\n%s\n", len(left), bytes.Join(left, []byte("\n\n")))
		code = 1
	}
	os.Exit(code)
}

// leftGoroutines are the stacks that have this package in them and do not end within some hundred turns of the scheduler: what Close waited for is about to end, at most.
func leftGoroutines() [][]byte {
	var left [][]byte
	for range 300 {
		left = nil
		buf := make([]byte, 1<<20)
		for i, stack := range bytes.Split(buf[:runtime.Stack(buf, true)], []byte("\n\n")) {
			if i > 0 && bytes.Contains(stack, []byte("seed8b1f0744/aio")) && !bytes.Contains(stack, []byte("aio_test.TestMain(")) {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			break
		}
		runtime.Gosched()
	}
	return left
}

func TestLeftGoroutines(t *testing.T) {
	stop := make(chan struct{})
	go func() { <-stop }()
	if left := leftGoroutines(); len(left) != 1 || !bytes.Contains(left[0], []byte("TestLeftGoroutines")) {
		t.Errorf("%d goroutines found, want the one of this test", len(left))
	}
	close(stop)
	if left := leftGoroutines(); len(left) != 0 {
		t.Errorf("%d goroutines found, want none", len(left))
	}
}
