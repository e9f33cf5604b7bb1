package aio_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// What a pool does where nothing was said: 512 workers, which end when they had nothing to do for 10 s.
func TestPool_defaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{FailIfFull: true})
		release := make(chan struct{})
		accepted := 0
		for p.Submit(t.Context(), hold(release)) == nil {
			accepted++
		}
		if s := p.Stats(); accepted != 512 || s != (aio.PoolStats{Workers: 512, Busy: 512}) {
			t.Errorf("%d calls were accepted; it says %+v", accepted, s)
		}
		close(release)
		time.Sleep(10*time.Second - 1)
		if s := p.Stats(); s.Workers != 512 || s.Busy != 0 {
			t.Errorf("before 10 s it says %+v", s)
		}
		time.Sleep(time.Second)
		if s := p.Stats(); s != (aio.PoolStats{Done: 512}) {
			t.Errorf("after 10 s it says %+v", s)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Each worker ends when it had nothing to do for so long, not when another had; and so do later ones.
func TestPool_idleFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{IdleAfter: time.Minute})
		workers := func(when time.Duration, want int) {
			t.Helper()
			time.Sleep(when)
			synctest.Wait()
			if s := p.Stats(); s.Workers != want || s.Busy != 0 || s.Waiting != 0 {
				t.Errorf("it says %+v, want %d idle workers", s, want)
			}
		}
		for range 2 { // from no workers each time
			release := make(chan struct{})
			for range 20 {
				_ = p.Submit(t.Context(), hold(release))
			}
			close(release)
			workers(20*time.Second, 20)
			for range 3 {
				_ = p.Submit(t.Context(), func() { time.Sleep(time.Second) })
			}
			workers(39*time.Second, 20)
			workers(2*time.Second, 3)
			workers(19*time.Second, 3)
			workers(2*time.Second, 0)
		}

		// That it had no workers any more is not that it was closed.
		release := make(chan struct{})
		_ = p.Submit(t.Context(), hold(release))
		closed := make(chan error, 1)
		go func() { closed <- p.Close() }()
		synctest.Wait()
		if len(closed) != 0 {
			t.Error("Close did not wait for a call")
		}
		close(release)
		if err := <-closed; err != nil {
			t.Error(err)
		}
	})
}

func TestPool_statsOnceClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := aio.NewPool(aio.PoolConfig{})
		for range 5 {
			_ = p.Submit(t.Context(), func() { time.Sleep(time.Second) })
		}
		time.Sleep(2 * time.Second) // the workers are idle
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if s := p.Stats(); s != (aio.PoolStats{Done: 5}) {
			t.Errorf("it says %+v", s)
		}
	})
}

// There is room as soon as a call has left the queue, though none has returned since.
func TestPool_roomInTheQueue(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		p := aio.NewPool(aio.PoolConfig{Workers: 1, Queue: 1})
		first, second := make(chan struct{}), make(chan struct{})
		_ = p.Submit(context.Background(), hold(first))
		_ = p.Submit(context.Background(), hold(second))
		third := a(func(ctx context.Context) error { return p.Submit(ctx, func() {}) })
		synctest.Wait()
		if s := p.Stats(); s != (aio.PoolStats{Workers: 1, Busy: 1, Waiting: 1}) {
			t.Errorf("it says %+v", s)
		}
		close(first)
		if err := third(); err != nil { // while the second call runs
			t.Error(err)
		}
		if s := p.Stats(); s != (aio.PoolStats{Workers: 1, Busy: 1, Waiting: 1, Done: 1}) {
			t.Errorf("then it says %+v", s)
		}
		close(second)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
}

// Who is cancelled while it waits for room leaves its place to the next one, also if it was told of room.
func TestPool_roomOfWhoIsCancelled(t *testing.T) {
	for _, told := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := aio.NewPool(aio.PoolConfig{Workers: 1})
			release := make(chan struct{})
			_ = p.Submit(t.Context(), hold(release))
			run(t, func(ctx context.Context) error {
				submit := aio.Do(func(ctx context.Context) error { return p.Submit(ctx, func() {}) })
				first, second := aio.Go(ctx, submit), aio.Go(ctx, submit)
				for range 3 { // they wait
					if err := aio.Yield(ctx); err != nil {
						return err
					}
				}
				if !told {
					first.Cancel(nil)
					_, _ = first.Await(ctx)
				}
				close(release)
				if told {
					for p.Stats().Done == 0 { // this loop does nothing else meanwhile
						runtime.Gosched()
					}
					first.Cancel(nil)
				}
				if _, err := second.Await(ctx); err != nil {
					t.Errorf("the second: %v", err)
				}
				if _, err := first.Await(ctx); !errors.Is(err, aio.ErrCancelled) {
					t.Errorf("the first: %v", err)
				}
				return nil
			})
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
