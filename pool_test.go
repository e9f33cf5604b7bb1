package aio_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// hold is a call that runs until its release.
func hold(release <-chan struct{}) func() { return func() { <-release } }

func TestPool_bounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{Workers: 3, Queue: 2, FailIfFull: true})
		release := make(chan struct{})
		for i := range 5 {
			if err := p.Submit(t.Context(), hold(release)); err != nil {
				t.Errorf("call %d: %v", i, err)
			}
		}
		if err := p.Submit(t.Context(), func() { t.Error("a refused call ran") }); err != aio.ErrFull {
			t.Errorf("one too many: %v, want ErrFull", err)
		}
		synctest.Wait()
		if s := p.Stats(); s != (aio.PoolStats{Workers: 3, Busy: 3, Waiting: 2}) {
			t.Errorf("full, it says %+v", s)
		}
		close(release)
		synctest.Wait()
		if s := p.Stats(); s != (aio.PoolStats{Workers: 3, Done: 5}) {
			t.Errorf("idle, it says %+v", s)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := p.Submit(t.Context(), func() {}); err != aio.ErrClosed {
			t.Errorf("closed: %v, want ErrClosed", err)
		}
	})
}

func TestPool_noQueueLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{Workers: 1, Queue: -1})
		release := make(chan struct{})
		var order []int // of the one worker
		_ = p.Submit(t.Context(), hold(release))
		for i := range 1000 {
			if err := p.Submit(t.Context(), func() { order = append(order, i) }); err != nil {
				t.Fatal(err)
			}
		}
		close(release)
		if err := p.Close(); err != nil { // waits for all of them
			t.Error(err)
		}
		for i, v := range order {
			if i != v {
				t.Fatalf("call %d ran in place %d", v, i)
			}
		}
		if len(order) != 1000 {
			t.Errorf("%d of 1000 accepted calls ran", len(order))
		}
	})
}

// Who waits for room holds up nobody else on the loop.
func TestPool_backPressure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{Workers: 2})
		run(t, func(ctx context.Context) error {
			var running, most atomic.Int32
			beats := 0
			beat := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				for {
					if err := aio.Sleep(ctx, 100*time.Millisecond); err != nil {
						return err
					}
					beats++
				}
			}))
			for range 10 {
				if err := p.Submit(ctx, func() {
					most.Store(max(most.Load(), running.Add(1)))
					time.Sleep(time.Second)
					running.Add(-1)
				}); err != nil {
					return err
				}
			}
			beat.Cancel(nil)
			if most.Load() != 2 || beats < 39 {
				t.Errorf("at most %d ran at once, want 2; the loop beat %d times in 4 s", most.Load(), beats)
			}
			return nil
		})
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestPool_idleWorkersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{IdleAfter: time.Minute})
		release := make(chan struct{})
		for range 20 {
			_ = p.Submit(t.Context(), hold(release))
		}
		synctest.Wait()
		close(release)
		synctest.Wait()
		if s := p.Stats(); s.Workers != 20 || s.Busy != 0 {
			t.Errorf("after the calls it says %+v", s)
		}
		time.Sleep(30 * time.Second)
		done := make(chan struct{})
		_ = p.Submit(t.Context(), func() { close(done) }) // an idle one takes it
		<-done
		if s := p.Stats(); s.Workers != 20 {
			t.Errorf("a call made worker %d though others were idle", s.Workers)
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if s := p.Stats(); s != (aio.PoolStats{Done: 21}) {
			t.Errorf("after minutes without work it says %+v", s)
		}
		if err := errors.Join(p.Submit(t.Context(), func() {}), p.Close()); err != nil {
			t.Errorf("it does not start again: %v", err)
		}
	})
}

func TestPool_waiterIsToldOfClose(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		p := aio.NewPool(aio.PoolConfig{Workers: 1})
		release := make(chan struct{})
		_ = p.Submit(context.Background(), hold(release))
		submit := a(func(ctx context.Context) error { return p.Submit(ctx, func() { t.Error("a refused call ran") }) })
		synctest.Wait()
		var drained atomic.Bool
		closing := b(func(context.Context) error {
			err := p.Close()
			drained.Store(true)
			return err
		})
		if err := submit(); err != aio.ErrClosed {
			t.Errorf("a Submit that waits: %v, want ErrClosed", err)
		}
		synctest.Wait()
		if drained.Load() {
			t.Error("Close did not wait for the call that runs")
		}
		close(release)
		finish(t, closing)
		if err := p.Close(); err != nil {
			t.Errorf("Close again: %v", err)
		}
	})
}

func TestPool_closeInCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		p := aio.NewPool(aio.PoolConfig{})
		release := make(chan struct{})
		_ = p.Submit(t.Context(), hold(release))
		told := make(chan error)
		l.CallSoon(func() { err := p.Close(); go func() { told <- err }() })
		if err := <-told; err != aio.ErrWouldDeadlock {
			t.Errorf("Close in a callback: %v, want ErrWouldDeadlock", err)
		}
		close(release)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A call that ends its goroutine costs that one, not the pool.
func TestPool_goexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{Workers: 1, Queue: -1})
		var ran atomic.Int32
		for i := range 20 {
			if err := p.Submit(t.Context(), func() {
				ran.Add(1)
				if i%2 == 0 {
					runtime.Goexit()
				}
			}); err != nil {
				t.Error(err)
			}
		}
		if err := p.Close(); err != nil || ran.Load() != 20 {
			t.Errorf("Close: %v; %d of 20 calls ran", err, ran.Load())
		}
		if s := p.Stats(); s != (aio.PoolStats{Done: 20}) {
			t.Errorf("it says %+v", s)
		}
	})
}

// Accepted calls are run, whatever comes at the same time.
func TestPool_raceWithClose(t *testing.T) {
	for _, queue := range []int{0, 3, -1} {
		for range 50 {
			p := aio.NewPool(aio.PoolConfig{Workers: 2, Queue: queue})
			var accepted, ran atomic.Int32
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					for range 20 {
						switch err := p.Submit(context.Background(), func() { ran.Add(1) }); err {
						case nil:
							accepted.Add(1)
						case aio.ErrClosed:
							return
						default:
							t.Errorf("Submit: %v", err)
						}
					}
				})
			}
			runtime.Gosched()
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			before := ran.Load()
			all.Wait()
			if ran.Load() != accepted.Load() || before != ran.Load() {
				t.Fatalf("queue %d: %d accepted, %d had run when Close returned, %d in the end", queue, accepted.Load(), before, ran.Load())
			}
		}
	}
}

// A call that waits for its own pool waits until its context ends, here through a loop; what it waited for is run all the same. With another pool it is fine.
func TestPool_callThatWaitsForItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		own, behind := aio.NewPool(aio.PoolConfig{Workers: 1, Queue: 1}), aio.NewPool(aio.PoolConfig{Workers: 1})
		ran := 0
		outer := func(inner *aio.Pool) error {
			_, err := aio.InExecutor(l.Context(), own, func(ctx context.Context) (int, error) {
				ctx, cancel := aio.WithTimeout(ctx, time.Minute)
				defer cancel()
				return aio.Submit(context.WithoutCancel(ctx), l, func(ctx context.Context) (int, error) {
					return aio.InExecutor(ctx, inner, func(context.Context) (int, error) { ran++; return ran, nil }).Await(ctx)
				}).Await(ctx)
			}).Await(t.Context())
			return err
		}
		if err := outer(own); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting for its own pool: %v", err)
		}
		if err := outer(behind); err != nil {
			t.Errorf("waiting for another pool: %v", err)
		}
		if err := errors.Join(own.Close(), behind.Close()); err != nil || ran != 2 {
			t.Errorf("Close: %v; %d calls of 2 ran", err, ran)
		}
	})
}

func TestPool_nilCall(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Submit(nil) did not panic")
		}
	}()
	_ = aio.NewPool(aio.PoolConfig{}).Submit(t.Context(), nil)
}
