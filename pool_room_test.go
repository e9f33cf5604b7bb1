package aio_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// busyPool is a pool without room: it has one worker, which runs a call until release.
func busyPool(t *testing.T, queue int) (p *aio.Pool, release chan struct{}) {
	t.Helper()
	p, release = aio.NewPool(aio.PoolConfig{Workers: 1, Queue: queue}), make(chan struct{})
	for range 1 + queue {
		if err := p.Submit(context.Background(), hold(release)); err != nil {
			t.Fatal(err)
		}
	}
	return p, release
}

// stall holds up the loop until something has happened elsewhere: a stall that is meant.
func stall(t *testing.T, until func() bool) {
	t.Helper()
	for range 1_000_000 {
		if until() {
			return
		}
		runtime.Gosched()
	}
	t.Error("what should happen while the loop is held up does not")
}

// A Submit that comes when there is room again does not overtake one that waits, though that has not run yet.
func TestPool_roomInTurn(t *testing.T) {
	for _, queue := range []int{0, 1} {
		synctest.Test(t, func(t *testing.T) {
			p, release := busyPool(t, queue)
			var order trace
			run(t, func(ctx context.Context) error {
				waits := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
					return p.Submit(ctx, func() { order.add("waited") })
				}))
				if err := aio.Yield(ctx); err != nil {
					return err
				}
				close(release)
				stall(t, func() bool { return p.Stats().Done >= uint64(1+queue) }) // the one that waits must not run
				err := p.Submit(ctx, func() { order.add("late") })
				_, err2 := waits.Await(ctx)
				return errors.Join(err, err2, p.Close())
			})
			order.check(t, "waited late")
		})
	}
}

// Those that wait for room get it in the order in which they came, whoever they are.
func TestPool_roomInOrder(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		p, release := busyPool(t, 0)
		var order trace
		var waits []func() error
		for i := range 6 {
			from := a
			if i%2 == 1 {
				from = b
			}
			waits = append(waits, from(func(ctx context.Context) error {
				return p.Submit(ctx, func() { order.add("%d", i) })
			}))
			synctest.Wait()
		}
		close(release)
		finish(t, waits...)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		order.check(t, "0 1 2 3 4 5")
	})
}

// Whose ctx ends while it waits for room is told so, its call does not run, and the others keep their turn.
func TestPool_stopsWaitingForRoom(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		p, release := busyPool(t, 0)
		var order trace
		var cancels []context.CancelCauseFunc
		var waits []func() error
		for i := range 4 {
			from := a
			if i%2 == 1 {
				from = b
			}
			stop := make(chan context.CancelCauseFunc, 1)
			waits = append(waits, from(func(ctx context.Context) error {
				ctx, cancel := context.WithCancelCause(ctx)
				stop <- cancel
				return p.Submit(ctx, func() { order.add("%d", i) })
			}))
			synctest.Wait()
			cancels = append(cancels, <-stop)
		}
		cancels[0](errCause)
		cancels[2](errCause)
		for _, i := range []int{0, 2} { // while the pool is still full
			checkErr(t, "Submit", waits[i](), context.Canceled, errCause)
		}
		close(release)
		finish(t, waits[1], waits[3])
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		order.check(t, "1 3")
		if s := p.Stats(); s != (aio.PoolStats{Done: 3}) {
			t.Errorf("it says %+v", s)
		}
	})
}

// Of many that come, go and stop waiting, none is lost, and at no time more run or wait than may.
func TestPool_roomUnderStress(t *testing.T) {
	const workers, queue = 3, 2
	p := aio.NewPool(aio.PoolConfig{Workers: workers, Queue: queue})
	var running, most, ran, accepted atomic.Int32
	call := func() {
		now := running.Add(1)
		for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
		}
		runtime.Gosched()
		ran.Add(1)
		running.Add(-1)
	}
	submit := func(ctx context.Context, i int) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		if i%3 == 0 {
			go cancel()
		}
		err := p.Submit(ctx, call)
		if err == nil {
			accepted.Add(1)
		} else if i%3 != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("Submit: %v", err)
		}
		if s := p.Stats(); s.Busy > workers || s.Waiting+s.Busy > workers+queue || s.Workers > workers {
			t.Errorf("it says %+v", s)
		}
		return nil
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 200 {
				_ = submit(context.Background(), i)
			}
		})
		all.Go(func() {
			_, err := aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
				return aio.WithGroup(ctx, func(ctx context.Context) error {
					for i := range 200 {
						aio.Go(ctx, aio.Do(func(ctx context.Context) error { return submit(ctx, i) }))
					}
					return nil
				})
			}))
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if most.Load() > workers || ran.Load() != accepted.Load() || p.Stats().Done != uint64(ran.Load()) {
		t.Errorf("at most %d ran at once, %d accepted calls ran of %d; it says %+v", most.Load(), ran.Load(), accepted.Load(), p.Stats())
	}
}

// Calls that wait for each other all begin: no call is left to a worker that may be long, while another could have it.
func TestPool_everyCallFindsAWorker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers = 100
		p := aio.NewPool(aio.PoolConfig{Workers: workers, Queue: 10, FailIfFull: true})
		for _, idle := range []int{0, workers, 30} { // of the workers, when the calls come; the others end
			if idle < workers {
				time.Sleep(5 * time.Second)
				for range idle { // these have work, the others end
					_ = p.Submit(t.Context(), func() { time.Sleep(time.Second) })
				}
				time.Sleep(6 * time.Second)
			}
			synctest.Wait()
			if s := p.Stats(); s.Workers != idle || s.Busy != 0 {
				t.Fatalf("before, it says %+v, want %d workers", s, idle)
			}
			release := make(chan struct{})
			var began atomic.Int32
			for range workers {
				if err := p.Submit(t.Context(), func() { began.Add(1); <-release }); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
			if s := p.Stats(); began.Load() != workers || s.Workers != workers || s.Busy != workers || s.Waiting != 0 {
				t.Errorf("of %d calls %d have begun; it says %+v", workers, began.Load(), s)
			}
			close(release)
			synctest.Wait()
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A call that goes by Goexit takes its worker with it: the calls behind it, and those that wait for room, get another.
func TestPool_goexitMakesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{Workers: 1, Queue: 1})
		go1 := make(chan struct{})
		var ran trace
		_ = p.Submit(t.Context(), func() { <-go1; runtime.Goexit() })
		_ = p.Submit(t.Context(), func() { ran.add("queued") })
		go func() { _ = p.Submit(t.Context(), func() { ran.add("waited") }) }()
		synctest.Wait()
		close(go1)
		synctest.Wait()
		ran.check(t, "queued waited")
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// What holds without a word in the configuration: 512 workers, no queue, and ten seconds.
func TestPool_defaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{FailIfFull: true})
		release := make(chan struct{})
		n := 0
		for p.Submit(t.Context(), hold(release)) == nil {
			n++
		}
		synctest.Wait()
		if s := p.Stats(); n != 512 || s != (aio.PoolStats{Workers: 512, Busy: 512}) {
			t.Errorf("it took %d calls, and says %+v", n, s)
		}
		close(release)
		time.Sleep(10*time.Second - time.Nanosecond)
		if s := p.Stats(); s.Workers != 512 {
			t.Errorf("before ten seconds it says %+v", s)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if s := p.Stats(); s != (aio.PoolStats{Done: 512}) {
			t.Errorf("after ten seconds it says %+v", s)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// In a callback nothing can wait: without room Submit says so, with room it is as anywhere.
func TestPool_submitInCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		p, release := busyPool(t, 1)
		told := make(chan error, 2)
		submit := func() { told <- p.Submit(l.Context(), func() {}) }
		l.CallSoon(submit)
		if err := <-told; err != aio.ErrWouldDeadlock {
			t.Errorf("a full pool: %v, want ErrWouldDeadlock", err)
		}
		close(release)
		synctest.Wait()
		l.CallSoon(submit)
		if err := errors.Join(<-told, p.Close()); err != nil {
			t.Errorf("with room: %v", err)
		}
		if s := p.Stats(); s != (aio.PoolStats{Done: 3}) {
			t.Errorf("it says %+v", s)
		}
	})
}

// Under a ctx that has ended nothing is accepted, also where there is room.
func TestPool_endedContext(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		p := aio.NewPool(aio.PoolConfig{})
		submit := func(ctx context.Context) error {
			ctx, cancel := context.WithCancelCause(ctx)
			cancel(errCause)
			checkErr(t, "Submit", p.Submit(ctx, func() { t.Error("a refused call ran") }), context.Canceled, errCause)
			return nil
		}
		finish(t, a(submit), b(submit))
		if s := p.Stats(); s != (aio.PoolStats{}) {
			t.Errorf("it says %+v", s)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Every Close waits, also one beside another; what was accepted before has run by then.
func TestPool_closeTwice(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		p, release := busyPool(t, 2)
		closes := func(context.Context) error {
			err := p.Close()
			if s := p.Stats(); s != (aio.PoolStats{Done: 3}) {
				t.Errorf("after Close it says %+v", s)
			}
			return err
		}
		first, second := a(closes), b(closes)
		synctest.Wait()
		close(release)
		finish(t, first, second, a(closes))
	})
}

// A panic in a bare Submit's call crashes the program, and says where it was.
func TestPool_panicCrashes(t *testing.T) {
	const asked = "AIO_TEST_POOL_PANIC"
	if os.Getenv(asked) != "" {
		p := aio.NewPool(aio.PoolConfig{Workers: 1, Queue: 1})
		_ = p.Submit(t.Context(), func() { explode("in the pool") })
		_ = p.Submit(t.Context(), func() { select {} })
		_ = p.Close()
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), asked+"=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("panic: in the pool")) || !bytes.Contains(out, []byte("explode")) {
		t.Errorf("the program ended with %v:\n%s", err, out)
	}
}
