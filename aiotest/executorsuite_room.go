package aiotest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// The cases of TestExecutor about room, Close, and many at once.

func waitsForRoom(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	f := c.fill(context.Background())
	switch f.what {
	case noLimit:
		t.Logf("%d calls, and there was still room", f.n)
	case refuses:
		if !errors.Is(f.err, aio.ErrFull) {
			t.Fatalf("%d calls had room, and the next Submit, with a ctx that has not ended and before Close, is: %v", f.n, f.err)
		}
	}
	c.open()
	f.last.wait(t, "Submit waited for room, and did not return when all calls had")
	synctest.Wait()
	if err := c.submit(context.Background()); err != nil {
		t.Fatalf("Submit, when all calls had returned: %v", err)
	}
}

func waitsForRoomInTask(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	if c.fill(context.Background()).what != waits {
		return
	}
	c.onLoop(func(ctx context.Context) error {
		submitting := aio.Go(ctx, aio.Do(c.submit))
		if err := aio.Sleep(ctx, time.Second); err != nil { // while the other waits
			return err
		}
		if submitting.State() != aio.Pending {
			t.Error("Submit in a task returned while there was no room, and a goroutine's did not")
		}
		c.open()
		_, err := submitting.Await(ctx)
		return err
	}).wait(t, "a task waited for room, and its loop, which should have opened the gate meanwhile, stood still")
}

func neverWaitsInCallback(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	f := c.fill(context.Background())
	c.onLoop(func(ctx context.Context) error {
		l, _ := aio.LoopOf(ctx)
		asked := aio.NewPromise[error]()
		l.CallSoon(func() { asked.Resolve(c.submit(ctx)) })
		err, _ := asked.Await(ctx)
		if f.what == waits && err == nil {
			t.Error("Submit in a callback was accepted while there was no room")
		}
		return nil
	}).wait(t, "Submit in a callback waited for room, and so the loop stood still")
}

func stopsWaitingForRoom(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	if c.fill(context.Background()).what != waits {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var err error
	inBackground(func() { err = c.submit(ctx) }).wait(t, "Submit waited for room and its ctx ended: it did not return")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Submit waited for room and its ctx ended by its deadline: %v", err)
	}
	c.onLoop(func(ctx context.Context) error {
		submitting := aio.Go(ctx, aio.Do(c.submit))
		if err := aio.Sleep(ctx, time.Second); err != nil {
			return err
		}
		submitting.Cancel(nil)
		if _, err := submitting.Await(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("a task waited for room and was cancelled: its Submit returned %v", err)
		}
		return nil
	}).wait(t, "a task waited for room and was cancelled: Submit did not return")
}

func roomIsNotLost(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	f := c.fill(context.Background())
	waiting := func(ctx context.Context) (all []going) {
		for range 10 {
			all = append(all, inBackground(func() { _ = c.submit(ctx) }))
		}
		synctest.Wait()
		return all
	}
	const late = "Submit did not return when all calls had, and its ctx had ended"
	ctx, cancel := context.WithCancel(context.Background())
	refused := waiting(ctx)
	cancel()
	if f.what == waits {
		for _, g := range refused {
			g.wait(t, late)
		}
	}
	staying := inBackground(func() { _ = c.submit(context.Background()) }) // behind those
	synctest.Wait()
	ctx, cancel = context.WithCancel(context.Background())
	refused = append(refused, waiting(ctx)...)
	if f.what == waits {
		inBackground(cancel) // while others may be told of room
	}
	c.open()
	f.last.wait(t, "Submit waited for room, and did not return when all calls had, and others who waited were cancelled")
	staying.wait(t, "Submit waited for room behind others who were cancelled, and did not return when all calls had")
	for _, g := range refused {
		g.wait(t, late)
	}
	cancel()
	synctest.Wait()

	again := callsOf(t, ex)
	defer again.open()
	if now := again.fill(context.Background()); now.n < f.n {
		t.Fatalf("there was room for %d calls, and when all had returned and those who waited were refused, for %d", f.n, now.n)
	}
}

func refusesWhenClosed(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	c.close()
	if err := c.submit(context.Background()); !errors.Is(err, aio.ErrClosed) {
		t.Errorf("Submit after Close: %v", err)
	}
	c.onLoop(func(ctx context.Context) error {
		if err := c.submit(ctx); !errors.Is(err, aio.ErrClosed) {
			t.Errorf("Submit after Close, in a task: %v", err)
		}
		return nil
	}).wait(t, "Submit after Close did not return in a task")
	synctest.Wait()
	if _, _, _, ran := c.fate(); ran > 0 {
		t.Fatalf("%d calls were run that were submitted after Close", ran)
	}
}

func closeWaits(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	if err := ex.Submit(context.Background(), func() {}); err != nil { // it does not only wait for the first ones it has
		t.Fatalf("the first Submit: %v", err)
	}
	synctest.Wait()
	early := make(chan struct{})
	endEarly := sync.OnceFunc(func() { close(early) })
	defer endEarly()
	var err error
	inBackground(func() { err = ex.Submit(context.Background(), func() { <-early }) }).wait(t, "Submit did not return before its call did")
	if err != nil {
		t.Fatalf("Submit, when the only call had returned: %v", err)
	}
	c.fill(context.Background())
	if c.closing().over() {
		t.Fatalf("Close returned while %d accepted calls had not", c.leftByClose+1)
	}
	if endEarly(); c.closing().over() && c.leftByClose > 0 { // there may have been room for that one only
		t.Fatalf("Close returned when one call had, and %d accepted calls had not", c.leftByClose)
	}
	c.open()
	c.closing().wait(t, "Close did not return when all calls had")
	if c.leftByClose > 0 {
		t.Fatalf("Close returned, and %d accepted calls had not", c.leftByClose)
	}
}

func closesAgain(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	var err error
	inBackground(func() { err = c.submit(context.Background()) }).wait(t, "the first Submit did not return")
	if err != nil {
		t.Fatalf("the first Submit: %v", err)
	}
	again := func() {
		defer func() {
			if p := recover(); p != nil {
				t.Errorf("Close panicked when it was called again: %v", p)
			}
		}()
		if err := ex.Close(); err != nil {
			t.Errorf("one Close of several: %v", err)
		}
	}
	c.closing().over()
	all := []going{c.closing(), inBackground(again), inBackground(again)}
	for _, g := range all {
		if g.over() {
			t.Fatal("Close was called three times, and one of them returned before the call that was accepted")
		}
	}
	c.open()
	for _, g := range all {
		g.wait(t, "Close was called three times, and one of them did not return when all calls had")
	}
	inBackground(again).wait(t, "Close of a closed executor did not return")
}

func closeEndsWaits(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	f := c.fill(context.Background())
	var late error
	waiter := inBackground(func() { late = c.submit(context.Background()) })
	synctest.Wait()
	c.closing().over()
	c.open()
	c.closing().wait(t, "Close did not return when all calls had")
	f.last.wait(t, "Submit waited for room when Close was called, and never returned")
	waiter.wait(t, "Submit waited for room when Close was called, and never returned")
	if late != nil && !errors.Is(late, aio.ErrClosed) && f.what == waits {
		t.Errorf("Submit waited for room when Close was called, and is: %v", late)
	}
	synctest.Wait()
	if accepted, unreturned, _, _ := c.fate(); unreturned > 0 {
		t.Errorf("after Close, %d of %d accepted calls were not run", unreturned, accepted)
	}
}

func closesInTask(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	c.onLoop(func(ctx context.Context) error {
		l, _ := aio.LoopOf(ctx)
		if err := ex.Submit(ctx, func() {
			done := make(chan struct{})
			l.CallSoon(func() { close(done) })
			select {
			case <-done:
			case <-c.gate: // the case has failed
			}
		}); err != nil {
			return fmt.Errorf("a Submit: %w", err)
		}
		return c.closeHere()
	}).wait(t, "Close in a task did not return: a call it waits for needs the task's loop, and that stood still")
}

func manyAtOnce(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	c.open()
	submit := func(ctx context.Context) error {
		for range 100 {
			if err := c.insist(ctx); err != nil {
				return fmt.Errorf("a Submit among others: %w", err)
			}
		}
		return nil
	}
	var all []going
	for range 8 {
		all = append(all, inBackground(func() {
			if err := submit(context.Background()); err != nil {
				t.Error(err)
			}
		}))
	}
	for range 2 {
		all = append(all, c.onLoop(func(ctx context.Context) error {
			_, err := aio.Gather(ctx, aio.Go(ctx, aio.Do(submit)), aio.Go(ctx, aio.Do(submit)))
			return err
		}))
	}
	for _, g := range all {
		g.wait(t, "many submitted calls at the same time, and one of them did not come to its end")
	}
	c.close()
	c.ranOnce()
}

func closesAmongMany(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	c.open()
	var started sync.WaitGroup
	var all []going
	for range 8 {
		started.Add(1)
		all = append(all, inBackground(func() {
			for i := range 5000 { // an end for what never says ErrClosed
				err := c.insist(context.Background())
				if i == 0 {
					started.Done()
				}
				if errors.Is(err, aio.ErrClosed) {
					return
				}
				if err != nil {
					t.Errorf("Submit while the executor is closed: %v", err)
					return
				}
			}
		}))
	}
	started.Wait()
	c.close()
	for _, g := range all {
		g.wait(t, "Submit did not return, and the executor was closed")
	}
	if c.leftByClose > 0 {
		t.Errorf("Close returned, and %d accepted calls had not", c.leftByClose)
	}
	c.ranOnce()
}

func servesLoop(t testing.TB, ex aio.Executor) {
	c := callsOf(t, ex)
	defer c.end()
	c.onLoop(func(ctx context.Context) error {
		for i := range 10 {
			got, err := aio.Blocking(ctx, func(context.Context) (int, error) { return i, nil })
			for errors.Is(err, aio.ErrFull) && aio.Sleep(ctx, time.Millisecond) == nil {
				got, err = aio.Blocking(ctx, func(context.Context) (int, error) { return i, nil })
			}
			if err != nil || got != i {
				t.Errorf("Blocking: %v, %v, want %d", got, err, i)
			}
		}
		timeout, cancel := aio.WithTimeout(ctx, time.Hour)
		defer cancel()
		_, err := aio.Blocking(timeout, func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Blocking, whose ctx ended by its deadline: %v", err)
		}
		return nil
	}, aio.WithExecutor(ex)).wait(t, "a loop whose executor it is did not come to its end")
	synctest.Wait()
	if err := c.submit(context.Background()); err != nil {
		t.Errorf("Submit, after a loop whose executor it was had ended: %v", err)
	}
}
