package aio_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/seed8b1f0744/aio"
)

// What travellers do who go nowhere: wait for the end of their context, which must reach them wherever they are, or pass some time.

// condemned starts something that waits until it is cancelled, and cancels it: when it has not begun, or waits.
func (t *traveller) condemned() {
	n := *t
	n.loyal = true
	if t.layer == len(t.b.layers) || t.random.IntN(2) == 0 {
		n.duel()
		return
	}
	c, future := n.newCallOn(t.place(), (*traveller).linger)
	for range t.random.IntN(4) {
		_ = aio.Yield(t.ctx)
	}
	if c.future != nil && future.Cancel(errSoakCause) {
		c.cancelled.Store(true)
	}
}

// duel has tasks begin to wait in the very moment in which they are cancelled.
func (t *traveller) duel() {
	for range 4 {
		now := new(atomic.Bool)
		n := *t
		n.about = now
		_, task := n.startTask(t.loop(), (*traveller).linger)
		spin := t.random.IntN(300)
		go func() {
			for !now.Load() && task.State() == aio.Pending {
				runtime.Gosched()
			}
			for range spin {
				_ = now.Load()
			}
			task.Cancel(errSoakCause)
		}()
	}
}

// linger waits until its context ends, which it does, and must hear of it.
func (t *traveller) linger() {
	if !t.loyal {
		return
	}
	var err error
	kind := t.random.IntN(5)
	if t.about != nil {
		t.about.Store(true)
	}
	switch n := kind; {
	case n == 0:
		err = new(aio.Event).Wait(t.ctx)
	case n == 1:
		_, err = aio.NewPromise[int]().Await(t.ctx)
	case n == 2:
		err = aio.Sleep(t.ctx, time.Hour/2)
	case n == 3:
		_, err = aio.NewQueue[int](1).Get(t.ctx)
	case t.home == nil:
		<-t.ctx.Done()
		err = errors.Join(t.ctx.Err(), context.Cause(t.ctx))
	default:
		err = aio.NewSemaphore(0).Acquire(t.ctx)
	}
	if err == nil || t.ctx.Err() == nil || !errors.Is(err, t.ctx.Err()) || !errors.Is(err, context.Cause(t.ctx)) {
		t.t.Errorf("a wait for the end of a context with %v because of %v: %v", t.ctx.Err(), context.Cause(t.ctx), err)
	}
}

// rest passes some time.
func (t *traveller) rest() {
	switch t.random.IntN(16) {
	case 0, 1, 2, 3, 4, 5, 6, 7:
		_ = aio.Yield(t.ctx)
	case 15:
		checkSense(t.t, t.loop().Loop, 0)
	default:
		_ = aio.Sleep(t.ctx, t.moment()/8)
	}
}
