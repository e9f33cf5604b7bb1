package aio_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// The judge of our order is CPython: testdata/order holds asyncio programs and what CPython 3.13.0 printed for them. Each is written here again, line by
// line, and must print the same. A line says in which turn of the loop something happened, counted by a callback that calls itself soon.
var orderPrograms = map[string]func(*script) error{
	"callbacks":  callbacksInOrder,
	"yield":      yieldInOrder,
	"sleep":      sleepInOrder,
	"sleepturns": sleepTurns,
	"gather":     gatherInOrder,
	"wait":       waitInOrder,
	"group":      groupInOrder,
	"ondone":     onDoneInOrder,
	"queue":      queueInOrder,
	"lock":       lockInOrder,
	"semaphore":  semaphoreInOrder,
	"event":      eventInOrder,
	"cancel":     cancelInOrder,
	"timeout":    timeoutInOrder,
	"end":        endInOrder,
	"eager":      eagerInOrder,
	"eagergroup": eagerGroupInOrder,
	"cond":       condInOrder,
	"barrier":    barrierInOrder,
	"priority":   priorityInOrder,
	"join":       joinInOrder,
	"shutdown":   shutdownInOrder,
	"gatherall":  gatherAllInOrder,
	"completed":  completedInOrder,
	"shield":     shieldInOrder,

	"groupcorners": groupCornersInOrder,
}

// uncounted are the programs in which time passes: the counting callback would never let the loop sleep.
var uncounted = map[string]bool{"sleep": true, "sleepturns": true, "timeout": true, "end": true}

func TestOrder_asCPython(t *testing.T) {
	traces, err := filepath.Glob("testdata/order/*.trace")
	if err != nil || len(traces) != len(orderPrograms) {
		t.Errorf("testdata/order has %d traces, and %d programs are here (%v)", len(traces), len(orderPrograms), err)
	}
	for name, program := range orderPrograms {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				want, err := os.ReadFile("testdata/order/" + name + ".trace")
				if err != nil {
					t.Fatal(err)
				}
				s := &script{}
				run(t, func(ctx context.Context) error { return s.main(ctx, program, !uncounted[name]) })
				if s.out.String() != string(want) {
					t.Errorf("got\n%swant, as CPython 3.13 has it,\n%s", s.out.String(), want)
				}
			})
		})
	}
}

// script is one such program at work. Only its loop touches it.
type script struct {
	ctx   context.Context
	loop  *aio.Loop
	turns int
	out   strings.Builder
}

func (s *script) main(ctx context.Context, program func(*script) error, counts bool) error {
	s.ctx = ctx
	s.loop, _ = aio.LoopOf(ctx)
	if !counts {
		return program(s)
	}
	var h aio.Handle
	var tick func()
	tick = func() { s.turns++; h = s.loop.CallSoon(tick) }
	h = s.loop.CallSoon(tick)
	defer func() { h.Cancel() }()
	if err := program(s); err != nil {
		return err
	}
	s.log("end")
	return nil
}

func (s *script) log(format string, args ...any) {
	fmt.Fprintf(&s.out, "%d %s\n", s.turns, fmt.Sprintf(format, args...))
}

// logs is a callback.
func (s *script) logs(what string) func() { return func() { s.log("%s", what) } }

// task starts one that logs its name at the end, after some turns.
func (s *script) task(name string, steps int, fail error) *aio.Task[string] {
	return aio.Go(s.ctx, func(ctx context.Context) (string, error) {
		for range steps {
			if err := aio.Yield(ctx); err != nil {
				return "", err
			}
		}
		s.log("%s ends", name)
		return name, fail
	})
}

// await awaits in order; the errors are the program's business.
func await[T any](s *script, ts ...*aio.Task[T]) {
	for _, t := range ts {
		_, _ = t.Await(s.ctx)
	}
}

func (s *script) yield() { _ = aio.Yield(s.ctx) }

func callbacksInOrder(s *script) error {
	task := func(name string) *aio.Task[int] {
		return aio.Go(s.ctx, func(context.Context) (int, error) { s.log("%s", name); return 0, nil })
	}
	s.loop.CallSoon(s.logs("a"))
	t := task("t1")
	s.loop.CallSoon(func() {
		s.log("b")
		s.loop.CallSoon(s.logs("b1"))
		task("b2")
		s.loop.CallSoon(s.logs("b3"))
	})
	task("t2")
	h := s.loop.CallSoon(s.logs("never"))
	s.loop.CallSoon(s.logs("c"))
	h.Cancel()
	await(s, t)
	s.log("awaited t1")
	s.yield()
	s.log("yielded")
	return nil
}

func yieldInOrder(s *script) error {
	var ts []*aio.Task[struct{}]
	for _, name := range []string{"a", "b", "c"} {
		ts = append(ts, aio.Go(s.ctx, aio.Do(func(ctx context.Context) error {
			for i := range 3 {
				s.log("%s%d", name, i)
				if err := aio.Yield(ctx); err != nil {
					return err
				}
			}
			return nil
		})))
	}
	for _, t := range ts {
		await(s, t)
		s.log("awaited")
	}
	return nil
}

func sleepInOrder(s *script) error {
	sleeper := func(name string, d time.Duration) {
		aio.Go(s.ctx, aio.Do(func(ctx context.Context) error {
			err := aio.Sleep(ctx, d)
			s.log("%s wakes", name)
			return err
		}))
	}
	sleeper("a", 3*time.Second)
	sleeper("b", time.Second)
	s.loop.CallLater(2*time.Second, s.logs("timer 2"))
	h := s.loop.CallLater(2500*time.Millisecond, s.logs("never"))
	s.loop.CallAt(s.loop.Now().Add(1500*time.Millisecond), s.logs("timer 1.5"))
	s.loop.CallLater(0, s.logs("timer 0"))
	s.loop.CallLater(-time.Second, s.logs("timer -1"))
	s.loop.CallSoon(s.logs("soon"))
	h.Cancel()
	for _, d := range []time.Duration{2200 * time.Millisecond, time.Second} {
		if err := aio.Sleep(s.ctx, d); err != nil {
			return err
		}
		s.log("main wakes")
	}
	return nil
}

func sleepTurns(s *script) error {
	s.loop.CallLater(time.Second, s.chain("turn %d after the timer", 0))
	if err := aio.Sleep(s.ctx, time.Second/2); err != nil {
		return err
	}
	s.log("main wakes early")
	await(s, aio.Go(s.ctx, aio.Do(func(ctx context.Context) error {
		err := aio.Sleep(ctx, time.Second/2)
		s.log("sleeper wakes")
		return err
	})))
	s.log("main wakes")
	// In CPython the runner's own turns come after main and let the chain end; ours stops at once with nothing to close.
	s.yield()
	s.yield()
	return nil
}

// chain logs in five turns, one after the other.
func (s *script) chain(format string, n int) func() {
	return func() {
		s.log(format, n)
		if n < 4 {
			s.loop.CallSoon(s.chain(format, n+1))
		}
	}
}

func gatherInOrder(s *script) error {
	names, err := aio.Gather(s.ctx, s.task("a", 2, nil), s.task("b", 0, nil), s.task("c", 1, nil))
	if err != nil {
		return err
	}
	s.log("['%s']", strings.Join(names, "', '"))
	t := s.task("d", 5, nil)
	if _, err := aio.Gather(s.ctx, s.task("e", 3, nil), t, s.task("f", 1, errors.New("boom"))); err != nil {
		s.log("error %v", err)
	}
	s.log("%s", map[bool]string{true: "True", false: "False"}[t.State() != aio.Pending])
	name, err := t.Await(s.ctx)
	s.log("%s", name)
	return err
}

func waitInOrder(s *script) error {
	wait := func(when aio.When, ts ...*aio.Task[string]) {
		done, pending, err := aio.Wait(s.ctx, when, ts...)
		if err != nil {
			s.log("%v", err)
		}
		s.log("done %d pending %d", len(done), len(pending))
	}
	a, b, c := s.task("a", 0, nil), s.task("b", 1, nil), s.task("c", 2, nil)
	wait(aio.FirstDone, a, b, c)
	wait(aio.FirstDone, a, b, c)
	wait(aio.AllDone, a, b, c)
	wait(aio.AllDone, a, b, c)
	d, e, f := s.task("d", 1, nil), s.task("e", 2, errors.New("boom")), s.task("f", 6, nil)
	f.OnDone(s.ctx, func(string, error) { s.log("f done") })
	wait(aio.FirstError, d, e, f)
	_, _ = e.Result()
	wait(aio.FirstError, d, f)
	return nil
}

func groupInOrder(s *script) error {
	forever := func(ctx context.Context, name string) error {
		err := new(aio.Event).Wait(ctx)
		s.log("%s cancelled", name)
		return err
	}
	member := func(ctx context.Context, name string) {
		aio.Go(ctx, aio.Do(func(ctx context.Context) error { return forever(ctx, name) }))
	}
	inGroup := func(body func(g *script) error) error {
		return aio.WithGroup(s.ctx, func(ctx context.Context) error {
			outer := s.ctx
			s.ctx = ctx
			defer func() { s.ctx = outer }()
			return body(s)
		})
	}
	boom := errors.New("boom")
	err := inGroup(func(s *script) error {
		s.task("a", 2, nil)
		s.task("b", 1, nil)
		s.log("body ends")
		return nil
	})
	s.log("group ends")
	err = errors.Join(err, inGroup(func(s *script) error { s.log("empty body"); return nil }))
	s.log("empty group ends")
	if failed := inGroup(func(s *script) error {
		member(s.ctx, "c")
		s.task("d", 1, boom)
		member(s.ctx, "e")
		return forever(s.ctx, "body")
	}); failed == boom {
		s.log("group failed")
	}
	if failed := inGroup(func(s *script) error {
		member(s.ctx, "f")
		s.yield()
		return boom
	}); failed == boom {
		s.log("group failed by its body")
	}
	return err
}

func onDoneInOrder(s *script) error {
	f := aio.NewPromise[int]()
	waits := func(name string) {
		aio.Go(s.ctx, aio.Do(func(ctx context.Context) error {
			v, err := f.Await(ctx)
			s.log("%s got %d", name, v)
			return err
		}))
	}
	callback := func(n int) { f.OnDone(s.ctx, func(int, error) { s.log("callback %d", n) }) }
	waits("a")
	s.yield()
	callback(1)
	waits("b")
	s.yield()
	callback(2)
	s.loop.CallSoon(s.logs("before"))
	f.Resolve(7)
	s.loop.CallSoon(s.logs("after"))
	callback(3)
	s.log("resolved")
	if _, err := f.Await(s.ctx); err != nil {
		return err
	}
	s.log("a done future does not suspend")
	s.yield()
	s.log("yielded")
	return nil
}
