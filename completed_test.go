package aio_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Each comes as it gets done, whoever waits, and no error is taken.
func TestAsCompleted_asTheyGetDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		body := func(ctx context.Context) error {
			began := aio.Now(ctx)
			in := l.Context()
			a, b, c := aio.Go(in, sleeper(3*time.Second, nil)), aio.Go(in, sleeper(time.Second, io.EOF)), aio.Go(in, sleeper(2*time.Second, nil))
			names := map[*aio.Task[int]]string{a: "a", b: "b", c: "c"}
			var tr trace
			for task := range aio.AsCompleted(ctx, a, b, c) {
				_, err := task.Result()
				tr.add("%s:%v:%v", names[task], aio.Now(ctx).Sub(began), err)
			}
			tr.check(t, "b:1s:EOF c:2s:<nil> a:3s:<nil>")
			return nil
		}
		on(t, l, body)
		_ = body(context.Background())
	})
}

// What got done while the body was busy comes without waiting, in the order in which it got done.
func TestAsCompleted_bodyWaitsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		body := func(ctx context.Context) error {
			var ps []*aio.Promise[int]
			for i := range 5 {
				p := aio.NewPromise[int]()
				ps = append(ps, p)
				l.CallLater(time.Duration(5-i)*time.Second, func() { p.Resolve(i) })
			}
			var got []int
			for p := range aio.AsCompleted(ctx, ps...) {
				v, _ := p.Result()
				got = append(got, v)
				if len(got) == 1 {
					if err := aio.Sleep(ctx, 3500*time.Millisecond); err != nil {
						return err
					}
				}
			}
			if !slices.Equal(got, []int{4, 3, 2, 1, 0}) {
				t.Errorf("in a task %v: got %v", aio.InTask(), got)
			}
			return nil
		}
		on(t, l, body)
		if err := body(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// One that is there twice comes once; values that can't be compared come as often as they are there.
func TestAsCompleted_repetitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			a, b := aio.NewPromise[int](), aio.NewPromise[int]()
			a.Resolve(1)
			b.Resolve(2)
			var got []*aio.Promise[int]
			for p := range aio.AsCompleted(ctx, a, b, a, a, b) {
				got = append(got, p)
			}
			if !slices.Equal(got, []*aio.Promise[int]{a, b}) {
				t.Errorf("of two promises, five times: %d came", len(got))
			}
			odd := incomparable{a.Done()}
			n := 0
			for range aio.AsCompleted[aio.Waiter](ctx, odd, odd, a, &a.Future, a) {
				n++
			}
			if n != 4 {
				t.Errorf("%d of 4 came: two that can't be compared, a promise, its future", n)
			}
			return nil
		})
	})
}

// incomparable is a Waiter that can't be a map's key.
type incomparable []<-chan struct{}

func (w incomparable) Done() <-chan struct{} { return w[0] }

func TestAsCompleted_contextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		body := func(ctx context.Context) error {
			short, cancel := aio.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			fast, slow := aio.Go(l.Context(), sleeper(time.Second, nil)), aio.Go(l.Context(), sleeper(time.Hour, nil))
			defer slow.Cancel(nil)
			n := 0
			for task := range aio.AsCompleted(short, slow, fast) {
				if n++; task != fast {
					t.Error("what is not done came")
				}
			}
			if n != 1 || !errors.Is(short.Err(), context.DeadlineExceeded) {
				t.Errorf("in a task %v: %d came; ctx: %v", aio.InTask(), n, short.Err())
			}
			for range aio.AsCompleted(short, fast) {
				t.Error("under a context that has ended something came")
			}
			inside, stop := context.WithCancel(ctx)
			defer stop()
			n = 0
			for range aio.AsCompleted(inside, fast, aio.Go(l.Context(), value(1))) {
				n++
				stop() // the other one may be done already: it does not come
			}
			if n != 1 {
				t.Errorf("in a task %v: %d came though the context ended at the first", aio.InTask(), n)
			}
			return nil
		}
		on(t, l, body)
		_ = body(context.Background())
	})
}

// Whoever leaves early is not woken by what gets done later, and what waited for others' Waiters is gone: a bubble ends only when its goroutines have.
func TestAsCompleted_leftEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := func(ctx context.Context) error {
			never, soon := make(waitable), aio.NewPromise[int]()
			l, _ := aio.LoopOf(ctx)
			if l == nil {
				time.AfterFunc(time.Second, func() { soon.Resolve(1) })
			} else {
				l.CallLater(time.Second, func() { soon.Resolve(1) })
			}
			later := aio.NewPromise[int]()
			leave := func(how func()) {
				defer func() { _ = recover() }()
				for range aio.AsCompleted[aio.Waiter](ctx, never, ctx, soon, later) {
					how()
					break
				}
			}
			leave(func() {})
			leave(func() { panic("out") })
			later.Resolve(1)
			return aio.Sleep(ctx, time.Second) // would return at once if it were woken
		}
		began := time.Now()
		run(t, body)
		_ = body(t.Context())
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestAsCompleted_foreignWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := func(ctx context.Context) error {
			slow, fast := make(waitable), make(waitable)
			time.AfterFunc(2*time.Second, func() { close(slow) })
			time.AfterFunc(time.Second, func() { close(fast) })
			timed, cancel := context.WithTimeout(ctx, 1500*time.Millisecond)
			defer cancel()
			var got []aio.Waiter
			for w := range aio.AsCompleted[aio.Waiter](ctx, slow, timed, fast) {
				got = append(got, w)
			}
			if !slices.Equal(got, []aio.Waiter{fast, timed, slow}) {
				t.Errorf("in a task %v: got %v", aio.InTask(), got)
			}
			return nil
		}
		run(t, body)
		_ = body(t.Context())
	})
}

// Where waiting would never end, what is done comes, and the rest is not passed over in silence.
func TestAsCompleted_inACallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newReports()
		l := start(t, seen.option())
		a, b := aio.NewPromise[int](), aio.NewPromise[int]()
		a.Resolve(1)
		n := 0
		l.CallSoon(func() {
			for range aio.AsCompleted(l.Context(), a, a) {
				n++
			}
		})
		l.CallSoon(func() {
			for range aio.AsCompleted(l.Context(), b, a) {
				n++
			}
		})
		on(t, l, func(ctx context.Context) error {
			next, stop := iter.Pull(aio.AsCompleted(ctx, b, a))
			defer stop()
			_, ok := next()
			defer func() {
				if err, _ := recover().(error); !ok || !errors.Is(err, aio.ErrWouldDeadlock) {
					t.Errorf("an iterator pulled by a task: the first came: %v, then %v", ok, err)
				}
			}()
			next()
			return nil
		})
		if got := seen.all(); n != 2 || len(got) != 1 || !errors.Is(got[0].Err, aio.ErrWouldDeadlock) {
			t.Errorf("%d of 2 came; Unhandled was told %v", n, got)
		}
	})
}

// A task that Close gives up on ends at its next wait, also in the midst of a range.
func TestAsCompleted_closeGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := aio.Start(aio.WithGrace(time.Second), quiet())
		a, b := aio.NewPromise[int](), aio.NewPromise[int]()
		a.Resolve(1)
		var tr trace
		aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			defer tr.add("ended")
			for range aio.AsCompleted(context.WithoutCancel(ctx), a, b) {
				tr.add("%v", aio.Sleep(context.WithoutCancel(ctx), time.Hour) != nil)
			}
			t.Error("it went on")
			return nil
		}))
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		tr.check(t, "true ended")
	})
}

// Completions that race with the waiting are all seen, each once.
func TestAsCompleted_race(t *testing.T) {
	l := start(t)
	for range 50 {
		ps := make([]*aio.Promise[int], 20)
		for i := range ps {
			ps[i] = aio.NewPromise[int]()
		}
		settle := func() {
			for _, p := range ps {
				p.Resolve(1)
				runtime.Gosched()
			}
		}
		count := func(ctx context.Context) (n int) {
			for range aio.AsCompleted(ctx, ps...) {
				n++
			}
			return n
		}
		go settle()
		task := aio.Submit(context.Background(), l, func(ctx context.Context) (int, error) { return count(ctx), nil })
		here := count(context.Background())
		if there, err := task.Await(context.Background()); here != len(ps) || there != len(ps) || err != nil {
			t.Fatalf("of %d a goroutine saw %d, a task %d (%v)", len(ps), here, there, err)
		}
	}
}

// It takes no error: who does not ask for it has not been given it.
func TestAsCompleted_takesNoError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newReports()
		l := start(t, seen.option())
		body := func(ctx context.Context) error {
			n := 0
			for range aio.AsCompleted(ctx, aio.Go(l.Context(), sleeper(time.Second, io.EOF)), aio.Go(l.Context(), fails(io.EOF))) {
				n++
			}
			if n != 2 {
				t.Errorf("%d of 2 came", n)
			}
			for range aio.AsCompleted(ctx, aio.Go(l.Context(), sleeper(time.Second, io.EOF)), aio.Go(l.Context(), value(1))) {
				break // and the other one fails later
			}
			return aio.Sleep(ctx, time.Minute)
		}
		on(t, l, body)
		if err := body(context.Background()); err != nil {
			t.Error(err)
		}
		_ = l.Close()
		if got := seen.all(); len(got) != 6 {
			t.Errorf("Unhandled was told %v, want EOF six times", got)
		}
	})
}

// What gets done in the very step in which ctx ends has its turn when the range is over, and must not be taken for the end of a later wait.
func TestAsCompleted_endsNoLaterWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		ctx, cancel := aio.WithTimeout(l.Context(), time.Hour)
		defer cancel()
		p := aio.NewPromise[int]()
		var event aio.Event
		task := aio.Submit(context.Background(), l, aio.Do(func(own context.Context) error {
			for range aio.AsCompleted(ctx, p) {
				t.Error("something came")
			}
			err := event.Wait(own)
			if !event.IsSet() {
				t.Error("a wait for an event ended without it")
			}
			return err
		}))
		synctest.Wait()
		l.CallSoon(func() { cancel(); p.Resolve(1) })
		synctest.Wait()
		event.Set()
		if _, err := task.Await(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

// In a callback, too, nothing comes under a context that has ended.
func TestAsCompleted_endedInACallback(t *testing.T) {
	l := start(t)
	ended, cancel := context.WithCancel(l.Context())
	cancel()
	done, pending := aio.NewPromise[int](), aio.NewPromise[int]()
	done.Resolve(1)
	l.CallSoon(func() {
		for range aio.AsCompleted(ended, done, pending) {
			t.Error("something came")
		}
	})
	turn(t, l)
}
