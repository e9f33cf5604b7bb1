package aio_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/seed8b1f0744/aio"
)

func (s *script) eager(name string, steps int, fail error) *aio.Task[string] {
	return aio.Go(s.ctx, func(ctx context.Context) (string, error) {
		s.log("%s begins", name)
		for range steps {
			if err := aio.Yield(ctx); err != nil {
				return "", err
			}
			s.log("%s goes on", name)
		}
		return name, fail
	}, aio.Eager())
}

func isDone(t *aio.Task[string]) string {
	if t.State() == aio.Pending {
		return "False"
	}
	return "True"
}

func eagerInOrder(s *script) error {
	boom := errors.New("boom")
	s.loop.CallSoon(s.logs("ready before"))
	aio.Go(s.ctx, aio.Do(func(context.Context) error { s.log("usual begins"); return nil }))
	a := s.eager("a", 0, nil)
	s.log("a is done: %s", isDone(a))
	a.OnDone(s.ctx, func(string, error) { s.log("a's callback") })
	b := s.eager("b", 2, nil)
	s.log("b is done: %s", isDone(b))
	b.OnDone(s.ctx, func(string, error) { s.log("b's callback") })
	c := s.eager("c", 0, boom)
	s.log("c is done: %s", isDone(c))
	if _, err := c.Await(s.ctx); err == boom {
		s.log("c failed, and to await it took no turn")
	}
	await(s, b)
	s.log("b awaited")
	n := aio.Go(s.ctx, aio.Do(func(context.Context) error {
		s.log("outer begins")
		t := s.eager("inner", 1, nil)
		s.log("outer goes on")
		await(s, t)
		s.log("outer ends")
		return nil
	}), aio.Eager())
	s.log("started nested")
	await(s, n)
	s.log("nested awaited")
	s.loop.CallSoon(func() {
		s.log("callback begins")
		s.eager("from a callback", 1, nil)
		s.log("callback ends")
	})
	s.yield()
	s.yield()
	s.yield()
	var event aio.Event
	w := aio.Go(s.ctx, aio.Do(func(ctx context.Context) error {
		s.log("waits")
		err := event.Wait(ctx)
		s.log("is set")
		return err
	}), aio.Eager())
	event.Set()
	s.log("set")
	await(s, w)
	s.log("waiter awaited")
	g, err := aio.Gather(s.ctx, s.eager("g1", 1, nil), s.eager("g2", 0, nil))
	if err == nil {
		s.log("gathered %s %s", g[0], g[1])
	}
	return err
}

func eagerGroupInOrder(s *script) error {
	boom := errors.New("boom")
	member := func(ctx context.Context, name string, steps int, fail error) {
		aio.Go(ctx, aio.Do(func(ctx context.Context) error {
			s.log("%s begins", name)
			for range steps {
				if err := aio.Yield(ctx); err != nil {
					s.log("%s cancelled", name)
					return err
				}
			}
			s.log("%s ends", name)
			return fail
		}), aio.Eager())
	}
	err := aio.WithGroup(s.ctx, func(ctx context.Context) error {
		member(ctx, "a", 0, nil)
		member(ctx, "b", 2, nil)
		s.log("body ends")
		return nil
	})
	s.log("group ends")
	err = errors.Join(err, aio.WithGroup(s.ctx, func(ctx context.Context) error {
		member(ctx, "c", 0, nil)
		s.log("body ends")
		return nil
	}))
	s.log("group ends")
	if failed := aio.WithGroup(s.ctx, func(ctx context.Context) error {
		member(ctx, "d", 9, nil)
		member(ctx, "e", 0, boom)
		s.log("body goes on")
		if err := aio.Yield(ctx); err != nil {
			return err
		}
		s.log("never")
		return nil
	}); failed == boom {
		s.log("group failed")
	}
	if failed := aio.WithGroup(s.ctx, func(ctx context.Context) error {
		member(ctx, "f", 9, nil)
		member(ctx, "g", 1, boom)
		s.log("body ends")
		return nil
	}); failed == boom {
		s.log("group failed")
	}
	return err
}

func TestEager_outsideTheLoop(t *testing.T) {
	l, other := start(t), start(t)
	begun := make(chan bool, 1)
	body := aio.Do(func(context.Context) error { begun <- aio.InTask(); return nil })
	from := func(where string, submit func() *aio.Task[struct{}]) {
		if _, err := submit().Await(t.Context()); err != nil || !<-begun {
			t.Errorf("from %s: %v; the task must run as any other", where, err)
		}
	}
	from("a goroutine", func() *aio.Task[struct{}] { return aio.Submit(t.Context(), l, body, aio.Eager()) })
	on(t, other, func(ctx context.Context) error {
		from("another loop", func() *aio.Task[struct{}] { return aio.Submit(ctx, l, body, aio.Eager()) })
		return nil
	})
}

func TestEager_ends(t *testing.T) {
	r := newReports()
	run(t, func(ctx context.Context) error {
		panics := aio.Go(ctx, aio.Do(func(context.Context) error { panic("eagerly") }), aio.Eager())
		var p *aio.PanicError
		if _, err := panics.Result(); !errors.As(err, &p) || p.Value != "eagerly" {
			t.Errorf("a panic at once: %v", err)
		}
		goes := aio.Go(ctx, aio.Do(func(context.Context) error { runtime.Goexit(); return nil }), aio.Eager())
		if _, err := goes.Result(); !errors.Is(err, aio.ErrGoexit) {
			t.Errorf("Goexit at once: %v", err)
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		ran := false
		never := aio.Go(ended, aio.Do(func(context.Context) error { ran = true; return nil }), aio.Eager())
		if ran || never.State() != aio.Cancelled {
			t.Errorf("under an ended context: ran %t, state %v", ran, never.State())
		}
		if !aio.InTask() {
			t.Error("the starter is a task no more")
		}
		return aio.Yield(ctx) // and can still wait
	}, r.option())
}

// Whatever an eager task does in its first step, its starter goes on right after it, before anything that is ready.
func TestEager_comesBackToItsStarter(t *testing.T) {
	run(t, func(ctx context.Context) error {
		var order []string
		note := func(what string) { order = append(order, what) }
		aio.Go(ctx, aio.Do(func(context.Context) error { note("ready"); return nil }))
		var level func(n int) *aio.Task[struct{}]
		level = func(n int) *aio.Task[struct{}] {
			return aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				if n < 9 { // more than drive the loop
					level(n + 1)
				}
				err := aio.Yield(ctx)
				note("deep")
				return err
			}), aio.Eager())
		}
		outer := level(0)
		note("back")
		_, err := outer.Await(ctx)
		if len(order) != 12 || order[0] != "back" || order[1] != "ready" {
			t.Errorf("got %q", order)
		}
		return err
	})
}

func TestEager_hooks(t *testing.T) {
	var told []string
	in := func(what string) func(aio.TaskInfo) {
		return func(i aio.TaskInfo) {
			if aio.InTask() {
				t.Errorf("%s of %s is called in a task", what, i.Name)
			}
			told = append(told, what+" "+i.Name)
		}
	}
	finished := in("finished")
	run(t, func(ctx context.Context) error {
		aio.Go(ctx, aio.Do(func(context.Context) error { told = append(told, "runs"); return nil }), aio.Eager(), aio.Named("e"))
		told = append(told, "back")
		return nil
	}, aio.WithHooks(aio.Hooks{TaskStarted: in("started"), TaskFinished: func(i aio.TaskInfo, _ error) { finished(i) }}))
	want := []string{"started task-1", "started e", "runs", "finished e", "back", "finished task-1"}
	if len(told) != len(want) {
		t.Fatalf("got %q, want %q", told, want)
	}
	for i := range want {
		if told[i] != want[i] {
			t.Errorf("got %q, want %q", told, want)
			break
		}
	}
}

// From a callback, right after a task: its coroutine, which is free by then, may get the eager one, and must not be taken for the caller's.
func TestEager_fromACallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		on(t, l, func(context.Context) error { return nil })
		var event aio.Event
		var task *aio.Task[struct{}]
		l.CallSoon(func() {
			task = aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
				if !aio.InTask() {
					t.Error("the task does not know that it is one")
				}
				return event.Wait(ctx)
			}), aio.Eager())
			if aio.InTask() {
				t.Error("the callback takes itself for a task")
			}
			checkTasks(t, l.Tasks(), "task-2 waiting event")
		})
		turn(t, l)
		on(t, l, aio.Yield) // others come and go meanwhile
		event.Set()
		if _, err := task.Await(context.Background()); err != nil {
			t.Error(err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A hook that does not come back, as an eager task is about to begin, costs its starter, but not that task.
func TestEager_hookThatDoesNotReturn(t *testing.T) {
	for how, spring := range springs {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var told []string
				l := aio.Start(aio.WithHooks(aio.Hooks{TaskStarted: func(i aio.TaskInfo) {
					told = append(told, i.Name)
					if i.Name == "eager" {
						spring()
					}
				}}))
				var eager *aio.Task[int]
				_, err := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
					defer func() { eager = aio.Go(l.Context(), value(2), aio.Eager(), aio.Named("another")) }() // what the hook cut short is over
					aio.Go(l.Context(), value(1), aio.Eager(), aio.Named("eager"))
					return nil
				}), aio.Named("starter")).Await(context.Background())
				var p *aio.PanicError
				if err != aio.ErrGoexit && !errors.As(err, &p) {
					t.Errorf("the starter: %v", err)
				}
				if v, err := eager.Result(); v != 2 || err != nil {
					t.Errorf("the starter's next eager task: %v, %v", v, err)
				}
				turn(t, l)
				if n := len(l.Tasks()); n > 0 {
					t.Errorf("%d tasks have not begun", n)
				}
				if err := l.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
				if got := strings.Join(told, " "); got != "starter eager another" {
					t.Errorf("TaskStarted was told of %s", got)
				}
			})
		})
	}
}

// A hook that starts an eager task and then goes costs neither that task nor the one it was called for.
func TestEager_startedByAHookThatGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newReports()
		var l *aio.Loop
		var inner *aio.Task[int]
		l = aio.Start(seen.option(), aio.WithHooks(aio.Hooks{Unhandled: seen.add, TaskStarted: func(i aio.TaskInfo) {
			if i.Name == "first" {
				inner = aio.Go(l.Context(), value(2), aio.Eager())
				runtime.Goexit()
			}
		}}))
		synctest.Wait() // l is set
		first := aio.Submit(context.Background(), l, value(1), aio.Named("first"))
		if v, err := first.Await(context.Background()); v != 1 || err != nil {
			t.Errorf("the task: %v, %v", v, err)
		}
		if v, err := inner.Result(); v != 2 || err != nil {
			t.Errorf("the hook's task: %v, %v", v, err)
		}
		if err := l.Close(); err != nil || len(seen.all()) > 0 {
			t.Errorf("Close: %v; told %v", err, seen.all())
		}
	})
}
