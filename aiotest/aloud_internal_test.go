package aiotest

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPromise_orPanic(t *testing.T) {
	p := promise[int]{text: "it never panics"}
	var stderr bytes.Buffer
	call := func(fn func()) (v any) {
		defer func() { v = recover() }()
		p.orPanic("TestX/case", &stderr, fn)
		return nil
	}
	if v := call(func() {}); v != nil || stderr.Len() > 0 {
		t.Errorf("of what does not panic: %v, %q", v, &stderr)
	}
	end := make(chan struct{})
	go func() { // as t.FailNow goes
		defer close(end)
		call(runtime.Goexit)
	}()
	if <-end; stderr.Len() > 0 {
		t.Errorf("of what goes by Goexit: %q", &stderr)
	}
	cause := errors.New("send on closed channel")
	if v := call(func() { panic(cause) }); v != cause {
		t.Errorf("the panic became %v", v)
	}
	if got, want := stderr.String(), "TestX/case: the case panics; the promise: it never panics\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPromise_orStick(t *testing.T) {
	p := promise[int]{text: "it always ends"}
	for took, want := range map[time.Duration]string{stuckAfter - 1: "", stuckAfter + 1: "; the promise: it always ends\n"} {
		synctest.Test(t, func(t *testing.T) {
			var stderr bytes.Buffer
			p.orStick("TestX/case", &stderr, func() { time.Sleep(took) })
			time.Sleep(stuckAfter)
			synctest.Wait()
			if got := stderr.String(); !strings.HasSuffix(got, want) || (got == "") != (want == "") {
				t.Errorf("of a case of %v: got %q, want %q", took, got, want)
			}
		})
	}
}
