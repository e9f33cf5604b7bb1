package aio_test

import (
	"context"
	"runtime"
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio"
)

// All calls run on one OS thread on which nothing else does, also after one that went by Goexit.
func TestThread_isOne(t *testing.T) {
	th := aio.NewThread()
	ids := map[int]int{} // touched on the thread only
	// Somebody who runs whenever a call waits: on the thread that is free then, if it is not the calls' own.
	ask, answer := make(chan struct{}), make(chan int)
	go func() {
		for range ask {
			answer <- syscall.Gettid()
		}
	}()
	others := map[int]bool{} // touched on the thread only
	const n = 200
	for i := range n {
		if err := th.Submit(t.Context(), func() {
			ids[syscall.Gettid()]++
			ask <- struct{}{}
			others[<-answer] = true
			switch i % 50 {
			case 10:
				runtime.Goexit()
			case 20: // a call may run a loop there
				_, err := aio.Run(context.Background(), aio.Do(func(context.Context) error { ids[syscall.Gettid()]++; return nil }), aio.OnThread())
				if err != nil {
					t.Error(err)
				}
			}
		}); err != nil {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
	seen := make(chan int, 100) // of goroutines that run meanwhile
	for range cap(seen) {
		go func() { seen <- syscall.Gettid() }()
	}
	closeThread(t, th)
	close(ask)
	if len(ids) != 1 {
		t.Errorf("the calls ran on %d threads: %v", len(ids), ids)
	}
	for id, times := range ids {
		if times != n+4 {
			t.Errorf("%d of %d ran", times, n+4)
		}
		if others[id] {
			t.Error("while a call waited, something else ran on the thread")
		}
		for range cap(seen) {
			if <-seen == id {
				t.Error("something else ran on the thread")
			}
		}
	}
}
