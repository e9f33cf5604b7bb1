package aio_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

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
			synctest.Wait() // so that each has its worker
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
