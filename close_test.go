package aio_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Rule 9: how a loop ends.

func TestClose_cancelsAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		var tr trace
		task := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			err := new(aio.Event).Wait(ctx)
			checkErr(t, "the wait", err, context.Canceled, aio.ErrClosed)
			tr.add("cancelled")
			// Work that is started while the loop closes is under the same end...
			if _, err := aio.Go(ctx, value(1)).Await(context.WithoutCancel(ctx)); !errors.Is(err, aio.ErrCancelled) {
				t.Errorf("Go under the closing task: %v", err)
			}
			// ... but clean-up may use the loop.
			free := context.WithoutCancel(ctx)
			if v, err := aio.Go(free, value(2)).Await(free); v != 2 || err != nil {
				t.Errorf("Go in clean-up: %v, %v", v, err)
			}
			if _, err := aio.Blocking(free, value(3)); err != nil {
				t.Errorf("Blocking in clean-up: %v", err)
			}
			if err := aio.Sleep(free, time.Second); err != nil {
				t.Errorf("Sleep in clean-up: %v", err)
			}
			tr.add("clean")
			return err
		}))
		timer := l.CallLater(time.Minute, func() { t.Error("a timer that was not due ran") })
		synctest.Wait()
		if err := l.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		tr.add("closed")
		tr.check(t, "cancelled clean closed")
		_, err := task.Result()
		checkErr(t, "the task", err, aio.ErrCancelled, aio.ErrClosed)
		<-l.Done()
		if l.Context().Err() != context.Canceled || context.Cause(l.Context()) != aio.ErrClosed {
			t.Errorf("the loop's ctx: %v, %v", l.Context().Err(), context.Cause(l.Context()))
		}
		timer.Cancel() // of a closed loop: harmless
		if err := l.Close(); err != nil {
			t.Errorf("Close again: %v", err)
		}
	})
}

func TestClose_concurrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		cleaned := false
		aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			err := new(aio.Event).Wait(ctx)
			_ = aio.Sleep(context.WithoutCancel(ctx), time.Second)
			cleaned = true
			return err
		}))
		synctest.Wait()
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if err := l.Close(); err != nil || !cleaned {
					t.Errorf("Close: %v; it returned before the loop had ended: %v", err, !cleaned)
				}
			})
		}
		all.Wait()
	})
}

func TestClose_fromItself(t *testing.T) {
	for name, from := range map[string]func(l *aio.Loop, closes func()){
		"task": func(l *aio.Loop, closes func()) {
			aio.Submit(context.Background(), l, aio.Do(func(context.Context) error { closes(); return nil }))
		},
		"callback": func(l *aio.Loop, closes func()) { l.CallSoon(closes) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := start(t)
				from(l, func() {
					if err := l.Close(); err != aio.ErrWouldDeadlock {
						t.Errorf("Close: %v, want ErrWouldDeadlock", err)
					}
					if err := l.Shutdown(context.Background()); err != aio.ErrWouldDeadlock {
						t.Errorf("Shutdown: %v, want ErrWouldDeadlock", err)
					}
				})
				<-l.Done() // it was started
				if err := l.Close(); err != nil {
					t.Errorf("Close afterwards, elsewhere: %v", err)
				}
			})
		})
	}
}

func TestClose_ofAnotherLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := start(t)
		aio.Submit(context.Background(), other, aio.Do(func(ctx context.Context) error {
			err := new(aio.Event).Wait(ctx)
			_ = aio.Sleep(context.WithoutCancel(ctx), time.Second)
			return err
		}))
		run(t, func(ctx context.Context) error {
			beats := 0
			stop := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				for {
					if err := aio.Sleep(ctx, 100*time.Millisecond); err != nil {
						return err
					}
					beats++
				}
			}))
			if err := other.Close(); err != nil {
				return err
			}
			stop.Cancel(nil)
			if beats < 9 {
				t.Errorf("Close in a task held its loop: %d beats in a second", beats)
			}
			return nil
		})
	})
}

func TestClose_refusesWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newReports()
		l := aio.Start(seen.option())
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		never := func() { t.Error("a closed loop ran a callback") }
		for name, h := range map[string]aio.Handle{"CallSoon": l.CallSoon(never), "CallLater": l.CallLater(0, never), "CallAt": l.CallAt(l.Now(), never)} {
			if h.Err() != aio.ErrClosed || h.Cancel() {
				t.Errorf("%s on a closed loop: Err is %v", name, h.Err())
			}
		}
		if got := seen.all(); len(got) != 3 || got[0].Err != aio.ErrClosed {
			t.Errorf("Unhandled was told %v, want ErrClosed three times", got)
		}
		task := aio.Submit(context.Background(), l, func(context.Context) (int, error) { never(); return 0, nil })
		if _, err := task.Await(context.Background()); !errors.Is(err, aio.ErrClosed) {
			t.Errorf("Submit to a closed loop: %v, want ErrClosed", err)
		}
		if _, err := aio.Go(l.Context(), value(1)).Await(context.Background()); !errors.Is(err, aio.ErrClosed) {
			t.Errorf("Go on a closed loop: %v, want ErrClosed", err)
		}
		free := context.WithoutCancel(l.Context())
		if _, err := aio.Go(free, value(1)).Await(context.Background()); !errors.Is(err, aio.ErrClosed) {
			t.Errorf("Go on a closed loop, without cancel: %v, want ErrClosed", err)
		}
		if err := aio.WithGroup(free, func(ctx context.Context) error {
			aio.Go(ctx, value(1))
			return nil
		}); !errors.Is(err, aio.ErrClosed) {
			t.Errorf("a group on a closed loop: %v, want ErrClosed", err)
		}
		done := aio.NewPromise[int]()
		done.Resolve(1)
		done.OnDone(free, func(int, error) { never() })
		synctest.Wait() // not told under the future's lock
		if got := seen.all(); len(got) != 7 || got[6].Err != aio.ErrClosed || got[6].Task.ID != 0 {
			t.Errorf("Unhandled was told %v, want seven times ErrClosed, the last of no task: four callbacks, and three tasks whose reports no Close will bring any more", got)
		}
	})
}

// A loop that closes is not held up by those who go on to hand it tasks: these end before they begin.
func TestClose_tasksFromOutside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		cleaning, cleaned := make(chan struct{}), new(aio.Event)
		aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			err := new(aio.Event).Wait(ctx)
			close(cleaning)
			_ = cleaned.Wait(context.WithoutCancel(ctx))
			return err
		}))
		synctest.Wait()
		closed := make(chan error)
		go func() { closed <- l.Close() }()
		<-cleaning
		for _, ctx := range []context.Context{context.Background(), context.WithoutCancel(l.Context())} {
			task := aio.Submit(ctx, l, aio.Do(func(ctx context.Context) error {
				t.Error("a task that comes while the loop closes runs")
				return nil
			}))
			_, err := task.Await(context.Background())
			checkErr(t, "a task that comes while the loop closes", err, aio.ErrCancelled, aio.ErrClosed)
			if task.State() != aio.Cancelled {
				t.Errorf("its state is %v", task.State())
			}
		}
		began := time.Now()
		cleaned.Set()
		if err := <-closed; err != nil || time.Since(began) != 0 {
			t.Errorf("Close, %v after the last clean-up: %v", time.Since(began), err)
		}
	})
}

// Work that other goroutines hand over while the loop closes either runs or is refused; nothing is lost.
func TestClose_raceWithWork(t *testing.T) {
	for range 50 {
		refusals := newReports()
		l := aio.Start(refusals.option())
		const goroutines, n = 4, 50
		var ran, called [goroutines]int // loop only, until it has closed
		var tasks [goroutines][]*aio.Task[int]
		var refused [goroutines]int
		var all sync.WaitGroup
		for g := range goroutines {
			all.Go(func() {
				for range n {
					tasks[g] = append(tasks[g], aio.Submit(context.Background(), l, func(context.Context) (int, error) { ran[g]++; return 1, nil }))
					if l.CallSoon(func() { called[g]++ }).Err() != nil {
						refused[g]++
					}
				}
			})
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		all.Wait()
		told := 0
		for _, f := range refusals.all() {
			if f.Task.ID == 0 && f.Err == aio.ErrClosed {
				told++
			}
		}
		for g := range goroutines {
			ok := 0
			for _, task := range tasks[g] {
				switch _, err := task.Await(context.Background()); {
				case err == nil:
					ok++
				case !errors.Is(err, aio.ErrClosed):
					t.Errorf("a task ended with %v, want ErrClosed or success", err)
				}
			}
			if ok != ran[g] {
				t.Errorf("%d tasks ran, %d have succeeded", ran[g], ok)
			}
			if called[g]+refused[g] != n {
				t.Errorf("of %d callbacks %d ran and %d were refused", n, called[g], refused[g])
			}
			told -= refused[g]
		}
		if told != 0 {
			t.Errorf("Unhandled was told of %d refused callbacks too many", told)
		}
	}
}

func TestShutdown_waitsForTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		var tr trace
		aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			aio.Go(ctx, aio.Do(func(ctx context.Context) error { // a task that comes later counts too
				err := aio.Sleep(ctx, time.Minute)
				tr.add("child %v", err)
				return err
			}))
			return aio.Sleep(ctx, time.Second)
		}))
		if err := l.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		tr.add("closed")
		tr.check(t, "child <nil> closed")
		<-l.Done()
	})
}

func TestShutdown_givesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		task := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error { return new(aio.Event).Wait(ctx) }))
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Second, errCause)
		defer cancel()
		checkErr(t, "Shutdown", l.Shutdown(ctx), context.DeadlineExceeded, errCause)
		_, err := task.Result()
		checkErr(t, "the task", err, aio.ErrCancelled, aio.ErrClosed)
		<-l.Done()
	})
}

func TestRun_endsWithItsTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		v, err := aio.Run(t.Context(), func(ctx context.Context) (int, error) {
			aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				err := new(aio.Event).Wait(ctx)
				_ = aio.Sleep(context.WithoutCancel(ctx), time.Second)
				ended = true
				return err
			}))
			return 3, errors.Join(io.EOF, aio.Yield(ctx))
		}, complains(t))
		if v != 3 || !errors.Is(err, io.EOF) || !ended {
			t.Errorf("Run: %v, %v; its task had ended: %v", v, err, ended)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errCause)
		_, err = aio.Run(ctx, aio.Do(func(context.Context) error { return errors.New("main ran") }), complains(t))
		checkErr(t, "Run under an ended ctx", err, aio.ErrCancelled, errCause)
		ctx, cancelTimeout := context.WithTimeout(t.Context(), time.Second)
		defer cancelTimeout()
		_, err = aio.Run(ctx, aio.Do(func(ctx context.Context) error { return new(aio.Event).Wait(ctx) }), complains(t))
		checkErr(t, "Run until its ctx ends", err, aio.ErrCancelled, context.DeadlineExceeded)
	})
}

func TestStuckError_text(t *testing.T) {
	err := error(&aio.StuckError{Tasks: []aio.TaskInfo{{ID: 7, Name: "reader"}}, Calls: 2})
	for _, want := range []string{"aio: ", "reader", "2 call"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}
