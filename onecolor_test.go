package aio_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// One suite that everything that waits passes, called from tasks, from goroutines and from both at once.

// stage is a bubble with two loops, and those who call: in turns.
type stage struct {
	*testing.T
	loop    *aio.Loop
	callers []caller
	kind    operationKind
	from    string
}

// onStage runs body for each kind of operation (but those that skip says), from each kind of callers.
func onStage(t *testing.T, skip func(operationKind) bool, body func(s stage)) {
	for _, k := range operationKinds {
		if skip(k) {
			continue
		}
		for _, from := range []string{"tasks", "goroutines", "both"} {
			t.Run(k.name+" from "+from, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					l, other := start(t), start(t)
					s := stage{T: t, loop: l, kind: k, from: from}
					if from != "goroutines" {
						s.callers = append(s.callers, fromTask(l))
					}
					if from != "tasks" {
						s.callers = append(s.callers, fromGoroutine(l.Context()))
					}
					if from != "tasks" && !k.loop {
						s.callers = append(s.callers, fromGoroutine(context.Background()))
					}
					if from == "both" || from == "tasks" && !k.all {
						s.callers = append(s.callers, fromTask(other))
					}
					body(s)
					if err := errors.Join(l.Close(), other.Close()); err != nil {
						t.Error(err)
					}
				})
			})
		}
	}
}

func none(operationKind) bool { return false }

// make is an operation of which n waits will be let through.
func (s stage) make(n int) operation {
	op := s.kind.make(n)
	if op.close != nil {
		s.Cleanup(op.close) // in the bubble, as the body is
	}
	return op
}

// call has the i-th caller call fn, and lets everything settle.
func (s stage) call(i int, fn func(ctx context.Context) error) (wait func() error) {
	wait = s.callers[i%len(s.callers)](fn)
	synctest.Wait()
	return wait
}

// pass lets what was granted come about.
func pass() {
	_ = aio.Sleep(context.Background(), 2*time.Hour)
	synctest.Wait()
}

// waitsOn reports whether another wait for op would have to wait.
func (s stage) waitsOn(op operation) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := op.wait(ctx)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		s.Errorf("another wait: %v", err)
	}
	return err != nil
}

// Waiters are woken in the order they came, whoever they are.
func TestOneColor_order(t *testing.T) {
	onStage(t, none, func(s stage) {
		const n = 8
		op := s.make(n)
		var tr trace
		var all []func() error
		want := ""
		for i := range n {
			all = append(all, s.call(i, func(ctx context.Context) error {
				err := op.wait(ctx)
				tr.add("%d", i)
				return err
			}))
			want += fmt.Sprintf(" %d", i)
		}
		if got := tr.String(); got != "" {
			s.Fatalf("did not wait: %s", got)
		}
		if s.kind.all {
			op.grant()
			pass()
			if s.from == "tasks" { // others run in parallel: who logs first is no question
				tr.check(s.T, want[1:])
			}
		} else {
			for range n {
				op.grant()
				pass()
			}
			if !s.kind.unordered {
				tr.check(s.T, want[1:])
			}
		}
		finish(s.T, all...)
	})
}

// Under a ctx that has ended nothing is taken, also where it could be had at once.
func TestOneColor_endedTakesNothing(t *testing.T) {
	onStage(t, none, func(s stage) {
		op := s.make(1)
		if !s.kind.unready {
			op.grant()
			synctest.Wait()
		}
		for i := range s.callers {
			finish(s.T, s.call(i, func(ctx context.Context) error {
				for name, e := range endings(ctx) {
					err := op.wait(e.ctx)
					if s.kind.outcome {
						if err != nil {
							s.Errorf("what is done, under %s: %v, want its outcome", name, err)
						}
						continue
					}
					checkErr(s.T, "under "+name, err, e.want...)
				}
				return nil
			}))
		}
		if s.kind.unready {
			return
		}
		finish(s.T, s.call(0, op.wait)) // of the one grant there was
		if !s.kind.all && !s.waitsOn(op) {
			s.Error("one grant let two waits end")
		}
	})
}

// A wait whose ctx ends returns the error of that; the others wait on, in their order.
func TestOneColor_endsWhileWaiting(t *testing.T) {
	onStage(t, none, func(s stage) {
		const n, gone = 5, 2
		op := s.make(n)
		var tr trace
		var all []func() error
		var cancel context.CancelCauseFunc
		for i := range n {
			all = append(all, s.call(i, func(ctx context.Context) error {
				if i == gone {
					ctx, cancel = context.WithCancelCause(ctx)
				}
				err := op.wait(ctx)
				tr.add("%d", i)
				return err
			}))
		}
		if got := tr.String(); got != "" {
			s.Fatalf("did not wait: %s", got)
		}
		cancel(errCause)
		synctest.Wait()
		if s.kind.name != "Cond.Wait" { // where being restless shows at once: see TestCond_errorWakesTheNext
			tr.check(s.T, fmt.Sprint(gone))
		}
		checkErr(s.T, "the one whose ctx ended", all[gone](), context.Canceled, errCause)
		for i := range n - 1 {
			if i == 0 || !s.kind.all {
				op.grant()
				pass()
			}
		}
		if s.kind.name == "Barrier.Wait" {
			op.grant() // comes in the place of the one that went
			pass()
		}
		finish(s.T, append(all[:gone:gone], all[gone+1:]...)...)
		if !s.kind.unordered && !s.kind.restless && (!s.kind.all || s.from == "tasks") {
			tr.check(s.T, "2 0 1 3 4")
		}
	})
}

// What was granted to a waiter whose context ends before it runs goes to the next one; it is neither taken nor lost. In a task the grant
// and the end can come in either order within one step of the loop.
func TestOneColor_grantGoesOn(t *testing.T) {
	for _, k := range operationKinds {
		if k.all || k.aside || k.unordered {
			continue // nothing that others could have; or granted by another goroutine: see the next test
		}
		for _, grantFirst := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s granted first %v", k.name, grantFirst), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					run(t, func(ctx context.Context) error { return grantGoesOn(t, ctx, k.make(3), grantFirst) })
				})
			})
		}
	}
}

func grantGoesOn(t *testing.T, ctx context.Context, op operation, grantFirst bool) error {
	ended, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	wait := func(ctx context.Context) *aio.Task[struct{}] { return aio.Go(ctx, aio.Do(op.wait)) }
	first, second, third := wait(ended), wait(ctx), wait(ctx)
	if err := aio.Yield(ctx); err != nil {
		return err
	}
	if grantFirst {
		op.grant()
		cancel(errCause)
	} else {
		cancel(errCause)
		op.grant()
	}
	_, err := first.Await(ctx)
	checkErr(t, "the first", err, aio.ErrCancelled, errCause)
	if _, err := second.Await(ctx); err != nil {
		t.Errorf("the second: %v", err)
	}
	if err := aio.Sleep(ctx, time.Second); err != nil {
		return err
	}
	if third.State() != aio.Pending {
		t.Error("one grant woke two")
	}
	op.grant()
	_, err = third.Await(ctx)
	return err
}

// From other goroutines nobody can order the two; whichever wins, nothing is lost and nothing is granted twice.
func TestOneColor_grantRacesWithTheEnd(t *testing.T) {
	skip := func(k operationKind) bool { return k.all || k.unordered }
	onStage(t, skip, func(s stage) {
		for i := range 20 {
			op := s.kind.make(2)
			ctx, cancel := context.WithCancelCause(context.Background())
			first := s.call(i, func(context.Context) error { return op.wait(ctx) })
			second := s.call(i+1, op.wait)
			ended := make(chan struct{})
			go func() { cancel(errCause); close(ended) }()
			op.grant()
			<-ended
			synctest.Wait()
			switch err := first(); {
			case err == nil: // the grant won: the second has another
				op.grant()
			case !errors.Is(err, errCause):
				s.Errorf("the first: %v", err)
			}
			finish(s.T, second) // the bubble calls it a deadlock if the grant is lost
			if op.close != nil {
				op.close()
			} else if !s.waitsOn(op) {
				s.Error("something was granted twice")
			}
		}
	})
}

// In a plain callback nothing could end a wait: it is ErrWouldDeadlock at once, and has taken nothing. Where there is nothing to wait for
// it works.
func TestOneColor_callback(t *testing.T) {
	for _, k := range operationKinds {
		t.Run(k.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := stage{T: t, loop: start(t), kind: k}
				contexts := []context.Context{s.loop.Context(), context.Background()}
				if k.loop {
					contexts = contexts[:1]
				}
				for _, ctx := range contexts {
					s.inCallback(ctx)
				}
				if err := s.loop.Close(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func (s stage) inCallback(ctx context.Context) {
	op := s.make(1)
	tried := func() (err error) {
		s.loop.CallSoon(func() { err = op.wait(ctx) })
		turn(s.T, s.loop)
		return err
	}
	if err := tried(); err != aio.ErrWouldDeadlock {
		s.Errorf("with something to wait for: %v, want ErrWouldDeadlock", err)
	}
	if s.kind.unready {
		return
	}
	op.grant()
	synctest.Wait()
	if err := tried(); err != nil {
		s.Errorf("with nothing to wait for: %v", err)
	}
	if !s.kind.all && !s.waitsOn(op) {
		s.Error("the one that got ErrWouldDeadlock had taken something, or the other nothing")
	}
}
