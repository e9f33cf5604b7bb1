package aio_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Gather counts what is done before it looks, while it looks, and later, each once.
func TestGather_someDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		body := func(ctx context.Context) error {
			var ps []*aio.Promise[int]
			for range 5 {
				ps = append(ps, aio.NewPromise[int]())
			}
			ps[0].Resolve(0)
			ps[3].Resolve(3)
			l.CallLater(time.Second, func() { ps[1].Resolve(1) })
			l.CallLater(3*time.Second, func() { ps[2].Resolve(2) })
			l.CallLater(2*time.Second, func() { ps[4].Resolve(4) })
			got, err := aio.Gather(ctx, ps...)
			if !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
				t.Errorf("in a task %v: got %v, want 0 to 4", aio.InTask(), got)
			}
			return err
		}
		on(t, l, body)
		if err := body(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func TestGather_raceWithCompletion(t *testing.T) {
	l := start(t)
	for range 200 {
		ts := make([]*aio.Task[int], 20)
		for i := range ts {
			ts[i] = aio.Submit(context.Background(), l, func(ctx context.Context) (int, error) { return i + 1, aio.Yield(ctx) })
		}
		got, err := aio.Gather(context.Background(), ts...)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			if v != i+1 {
				t.Fatalf("result %d is %d: Gather did not wait for it", i, v)
			}
		}
	}
}

func TestGather_firstErrorTakesAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		later := false
		run(t, func(ctx context.Context) error { // fails the test for an error that is not taken
			fails := func(after time.Duration, err error) *aio.Task[int] {
				return aio.Go(ctx, func(ctx context.Context) (int, error) {
					if err := aio.Sleep(ctx, after); err != nil {
						return 0, err
					}
					later = after > 2*time.Second
					return 0, err
				})
			}
			second := fails(3*time.Second, io.ErrNoProgress)
			if _, err := aio.Gather(ctx, second, fails(time.Second, io.ErrShortWrite), aio.Go(ctx, value(1))); err != io.ErrShortWrite {
				t.Errorf("got %v, want the error that came first", err)
			}
			if second.State() != aio.Pending {
				t.Error("Gather's error ended what goes on")
			}
			return aio.Sleep(ctx, 5*time.Second)
		})
		if !later {
			t.Error("the other member did not go on to its end")
		}
	})
}

func TestGather_nothing(t *testing.T) {
	got, err := aio.Gather[int, *aio.Task[int]](context.Background())
	if len(got) != 0 || err != nil {
		t.Errorf("Gather of nothing: %v, %v", got, err)
	}
	done, pending, err := aio.Wait[*aio.Task[int]](context.Background(), aio.AllDone)
	if len(done)+len(pending) != 0 || err != nil {
		t.Errorf("Wait for nothing: %v, %v, %v", done, pending, err)
	}
}

// later is somebody else's awaitable.
type later struct {
	after time.Duration
	err   error
}

func (a later) Await(ctx context.Context) (string, error) {
	return a.after.String(), errors.Join(aio.Sleep(ctx, a.after), a.err)
}

func TestGather_foreignAwaitables(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := func(ctx context.Context) error {
			got, err := aio.Gather(ctx, later{after: 2 * time.Second}, later{after: time.Second})
			if !slices.Equal(got, []string{"2s", "1s"}) || err != nil {
				t.Errorf("in a task %v: got %q, %v", aio.InTask(), got, err)
			}
			began := aio.Now(ctx)
			if _, err := aio.Gather(ctx, later{after: time.Hour}, later{after: time.Second, err: io.EOF}); !errors.Is(err, io.EOF) {
				t.Errorf("in a task %v: got %v, want EOF", aio.InTask(), err)
			}
			if took := aio.Now(ctx).Sub(began); took != time.Second {
				t.Errorf("in a task %v: Gather returned after %v, not at the first error", aio.InTask(), took)
			}
			return nil
		}
		run(t, body)
		_ = body(t.Context())
	})
}

func TestWait_lists(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		body := func(ctx context.Context) error {
			a, b, c := aio.NewPromise[int](), aio.NewPromise[int](), aio.NewPromise[int]()
			l.CallLater(time.Second, func() { b.Resolve(1) })
			l.CallLater(2*time.Second, func() { a.Cancel(nil) })
			l.CallLater(3*time.Second, func() { c.Reject(io.EOF) })
			check := func(when aio.When, wantDone, wantPending []*aio.Promise[int]) {
				done, pending, err := aio.Wait(ctx, when, a, b, c)
				if !slices.Equal(done, wantDone) || !slices.Equal(pending, wantPending) || err != nil {
					t.Errorf("in a task %v: Wait(%d): %d done, %d pending, %v", aio.InTask(), when, len(done), len(pending), err)
				}
			}
			type list = []*aio.Promise[int]
			check(aio.FirstDone, list{b}, list{a, c})
			check(aio.FirstError, list{a, b, c}, nil) // a was cancelled, which is no error
			check(aio.AllDone, list{a, b, c}, nil)

			never := aio.NewPromise[int]()
			short, cancel := aio.WithTimeout(ctx, time.Second)
			defer cancel()
			done, pending, err := aio.Wait(short, aio.AllDone, never, a)
			if !slices.Equal(done, list{a}) || !slices.Equal(pending, list{never}) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("in a task %v: after a timeout: %d done, %d pending, %v", aio.InTask(), len(done), len(pending), err)
			}
			if never.State() != aio.Pending {
				t.Error("Wait cancelled what it waited for")
			}
			return nil
		}
		on(t, l, body)
		_ = body(context.Background())
	})
}

// Anything with a Done can be waited for, mixed with ours.
func TestWait_foreignWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			timed, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			channel := make(waitable)
			l, _ := aio.LoopOf(ctx)
			l.CallLater(2*time.Second, func() { close(channel) })
			never := make(waitable)
			promise := aio.NewPromise[int]()
			done, pending, err := aio.Wait[aio.Waiter](ctx, aio.FirstDone, never, timed, channel, promise)
			if len(done) != 1 || done[0] != aio.Waiter(timed) || len(pending) != 3 || err != nil {
				t.Errorf("got %v done, %v pending, %v", done, pending, err)
			}
			done, _, err = aio.Wait[aio.Waiter](ctx, aio.AllDone, channel)
			if len(done) != 1 || err != nil {
				t.Errorf("got %v done, %v", done, err)
			}
			return nil
		})
	})
}

type waitable chan struct{}

func (w waitable) Done() <-chan struct{} { return w }

// When ctx ends first nothing is taken: what fails later is still told.
func TestGather_contextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newReports()
		l := start(t, seen.option())
		body := func(ctx context.Context) error {
			short, cancel := context.WithTimeoutCause(ctx, time.Second, errCause)
			defer cancel()
			got, err := aio.Gather(short, aio.Go(l.Context(), sleeper(2*time.Second, io.EOF)), aio.Go(l.Context(), sleeper(3*time.Second, nil)))
			checkErr(t, "Gather", err, context.DeadlineExceeded, errCause)
			if got != nil {
				t.Errorf("got %v", got)
			}
			return aio.Sleep(ctx, time.Minute)
		}
		on(t, l, body)
		if err := body(context.Background()); err != nil {
			t.Error(err)
		}
		_ = l.Close()
		if told := seen.all(); len(told) != 2 || told[0].Err != io.EOF || told[1].Err != io.EOF {
			t.Errorf("Unhandled was told %v, want EOF of each time", told)
		}
	})
}

// never is somebody else's awaitable that only its context ends.
type never struct{ over *atomic.Int32 }

func (a never) Await(ctx context.Context) (string, error) {
	err := new(aio.Event).Wait(ctx)
	a.over.Add(1)
	return "", err
}

// What awaits other people's awaitables aside goes when the waiting is over, whichever way it ended, and belongs to no group.
func TestGather_leavesNothingAside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var over atomic.Int32
		body := func(ctx context.Context) error {
			over.Store(0)
			_, err := aio.Gather[string, aio.Awaitable[string]](ctx, never{&over}, later{after: time.Second, err: io.EOF})
			if !errors.Is(err, io.EOF) {
				t.Errorf("in a task %v: %v", aio.InTask(), err)
			}
			short, cancel := aio.WithTimeout(ctx, time.Second)
			defer cancel()
			_, err = aio.GatherAll(short, never{&over}, never{&over})
			checkErr(t, "GatherAll", err, context.DeadlineExceeded)
			_ = aio.Sleep(ctx, time.Second)
			if n := over.Load(); n != 3 {
				t.Errorf("in a task %v: %d of 3 have ended", aio.InTask(), n)
			}
			return nil
		}
		run(t, body)
		_ = body(t.Context())
		run(t, func(ctx context.Context) error {
			return aio.WithGroup(ctx, func(ctx context.Context) error {
				if _, err := aio.Gather(ctx, later{after: time.Second, err: io.EOF}); !errors.Is(err, io.EOF) {
					t.Errorf("in a group: %v", err)
				}
				return aio.Sleep(ctx, time.Second) // the failure is Gather's, not a member's
			})
		})
	})
}

// brokenWaiter is a Waiter whose Done panics.
type brokenWaiter struct{}

func (brokenWaiter) Done() <-chan struct{} { explode("aio: Done"); return nil }

// Its panic is that of whoever calls Wait, who may recover, and not of a goroutine where nobody can.
func TestWait_foreignDonePanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		panics(t, "Done", func() { _, _, _ = aio.Wait(t.Context(), aio.AllDone, brokenWaiter{}) })
	})
}

// awaits is somebody else's awaitable, too.
type awaits func(context.Context) (int, error)

func (a awaits) Await(ctx context.Context) (int, error) { return a(ctx) }

// It may panic or go, in a task as without a loop.
func TestGather_foreignAwaitableThatDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		for _, ctx := range []context.Context{context.Background(), l.Context()} {
			_, err := aio.Gather(ctx, awaits(func(context.Context) (int, error) { explode(io.EOF); return 0, nil }))
			var p *aio.PanicError
			if !errors.As(err, &p) || p.Value != io.EOF {
				t.Errorf("a panic: %v", err)
			}
			if _, err = aio.Gather(ctx, awaits(func(context.Context) (int, error) { runtime.Goexit(); return 0, nil })); err != aio.ErrGoexit {
				t.Errorf("Goexit: %v", err)
			}
		}
	})
}
