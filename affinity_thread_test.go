package aio_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
)

// A Thread runs every call on its thread, whoever hands it over and however the one before ended; it ends with Close, and the state with it.
func TestThread_affinity(t *testing.T) {
	for _, k := range bondKinds {
		t.Run(k.name, func(t *testing.T) {
			a := newAffinity(t, k)
			th := aio.NewThread()
			bound := make(chan bool, 1)
			_ = th.Submit(t.Context(), func() { bound <- a.bind() })
			if <-bound {
				threadScenario(a, th)
				a.elsewhere("goroutines")
			}
			closeThread(t, th)
			checkLeft(a)
			a.sawAll("of a goroutine", "of a task", "of a callback", "of a hook", "of a call", "after Goexit", "in a loop in a call", "a callback of it",
				"Blocking", "InExecutor", "after a panic", "its ctx has ended", "during Close", "goroutines", "afterwards")
		})
	}
}

func threadScenario(a *affinity, th *aio.Thread) {
	ctx := a.Context()
	submit := func(place string) {
		if err := th.Submit(ctx, func() { a.here(place) }); err != nil {
			a.Errorf("%s: %v", place, err)
		}
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				submit("of a goroutine")
			}
			_ = th.Submit(ctx, runtime.Goexit)
			submit("after Goexit")
		})
	}
	all.Wait()
	_ = th.Submit(ctx, func() {
		submit("of a call")
		l := aio.Start() // another goroutine's, and so not the thread's
		l.CallSoon(func() { a.away("of a call") })
		_ = l.Close()
		_, err := aio.Run(ctx, aio.Do(func(ctx context.Context) error { return loopInACall(a, ctx) }), aio.OnThread())
		if err != nil {
			a.Errorf("a loop in a call: %v", err)
		}
	})
	hooks := aio.Hooks{TaskFinished: func(aio.TaskInfo, error) { submit("of a hook") }, Unhandled: func(aio.Failure) {}}
	_, err := aio.Run(ctx, aio.Do(func(ctx context.Context) error { return threadFromALoop(a, ctx, th, submit) }),
		aio.WithExecutor(th), aio.WithHooks(hooks))
	if err != nil {
		a.Errorf("a loop with the thread as its executor: %v", err)
	}
	last := make(chan struct{})
	_ = th.Submit(ctx, func() { <-last })
	submit("during Close")
	time.AfterFunc(0, func() { close(last) })
}

// loopInACall is a loop on the Thread's own thread.
func loopInACall(a *affinity, ctx context.Context) error {
	l, _ := aio.LoopOf(ctx)
	l.CallSoon(func() { a.here("a callback of it") })
	return aio.WithGroup(ctx, func(ctx context.Context) error {
		for range 5 {
			aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				for range 3 {
					a.here("in a loop in a call")
					if err := aio.Yield(ctx); err != nil {
						return err
					}
				}
				return nil
			}))
		}
		return nil
	})
}

// threadFromALoop uses the Thread from a loop that runs somewhere else.
func threadFromALoop(a *affinity, ctx context.Context, th *aio.Thread, submit func(place string)) error {
	l, _ := aio.LoopOf(ctx)
	submit("of a task")
	l.CallSoon(func() { submit("of a callback") })
	in := func(place string, fn func()) error {
		_, err := aio.InExecutor(ctx, th, aio.Do(func(context.Context) error { a.here(place); fn(); return nil })).Await(ctx)
		return err
	}
	if err := in("InExecutor", func() {}); err != nil {
		return err
	}
	for _, end := range []func(){runtime.Goexit, func() { panic("in a call") }} {
		if err := in("InExecutor", end); err == nil {
			return errors.New("a call that panicked or went has no error")
		}
		_, err := aio.Blocking(ctx, aio.Do(func(context.Context) error { a.here("after a panic"); return nil }))
		if err != nil {
			return err
		}
	}
	stopped, cancel := context.WithCancel(ctx)
	defer cancel()
	goOn := make(chan struct{})
	call := aio.Go(stopped, aio.Do(func(ctx context.Context) error {
		_, err := aio.Blocking(ctx, aio.Do(func(ctx context.Context) error {
			a.here("Blocking")
			<-ctx.Done()
			a.here("its ctx has ended")
			<-goOn
			return nil
		}))
		return err
	}))
	if err := aio.Sleep(ctx, time.Millisecond); err != nil {
		return err
	}
	cancel()
	_, _ = call.Await(ctx) // its caller has left, and it goes on
	close(goOn)
	return in("InExecutor", func() {})
}
