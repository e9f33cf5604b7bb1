package aio_test

import (
	"context"
	"errors"

	"github.com/seed8b1f0744/aio"
)

// The programs of TestOrder_asCPython about conditions, barriers, and what queues can do beside passing items.

// goes starts a task of the program.
func (s *script) goes(fn func(ctx context.Context) error) *aio.Task[struct{}] {
	return aio.Go(s.ctx, aio.Do(fn))
}

func (s *script) turn(n int) {
	for range n {
		s.yield()
	}
}

func condInOrder(s *script) error {
	var m aio.Mutex
	cond := aio.NewCond(&m)
	under := func(ctx context.Context, body func() error) error {
		if err := m.Lock(ctx); err != nil {
			return err
		}
		defer m.Unlock()
		return body()
	}
	waits := func(names string) map[string]*aio.Task[struct{}] {
		ts := map[string]*aio.Task[struct{}]{}
		for _, r := range names {
			name := string(r)
			ts[name] = s.goes(func(ctx context.Context) error {
				err := under(ctx, func() error {
					s.log("%s waits", name)
					if err := cond.Wait(ctx); err != nil {
						s.log("%s cancelled, locked %s", name, pythonBool(!m.TryLock()))
						return err
					}
					s.log("%s woke", name)
					return aio.Yield(ctx)
				})
				if err == nil {
					s.log("%s left", name)
				}
				return err
			})
		}
		return ts
	}
	ts := waits("abcd")
	s.turn(3)
	err := under(s.ctx, func() error {
		cond.Signal()
		s.log("notified one")
		return aio.Yield(s.ctx)
	})
	s.log("unlocked")
	await(s, ts["a"])
	err = errors.Join(err, under(s.ctx, func() error { cond.Broadcast(); s.log("notified all"); return nil }))
	await(s, ts["b"], ts["c"], ts["d"])
	s.log("all left")

	ts = waits("efgh")
	s.yield()
	err = errors.Join(err, under(s.ctx, func() error { cond.Signal(); return nil }))
	ts["e"].Cancel(nil)
	_, _, err2 := aio.Wait(s.ctx, aio.AllDone, ts["f"])
	s.log("g pending %s", pythonBool(ts["g"].State() == aio.Pending))
	ts["g"].Cancel(nil)
	_, _, err3 := aio.Wait(s.ctx, aio.AllDone, ts["g"], ts["h"])

	n := 0
	waitsFor := func(name string, least int) *aio.Task[struct{}] {
		return s.goes(func(ctx context.Context) error {
			return under(ctx, func() error {
				err := cond.WaitFor(ctx, func() bool { return n >= least })
				s.log("%s saw it", name)
				return err
			})
		})
	}
	more := []*aio.Task[struct{}]{waitsFor("i", 2), waitsFor("j", 1), waitsFor("k", 0)}
	for range 3 {
		s.yield()
		err = errors.Join(err, under(s.ctx, func() error {
			n++
			s.log("n is %d", n)
			cond.Broadcast()
			return nil
		}))
	}
	await(s, more...)
	return errors.Join(err, err2, err3)
}

func pythonBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// gate is the barrier of a program, and how its parties tell.
type gate struct {
	*script
	b *aio.Barrier
}

func (g gate) party(ctx context.Context, name string) error {
	index, err := g.b.Wait(ctx)
	switch {
	case err == nil:
		g.log("%s is %d", name, index)
	case err == aio.ErrBroken:
		g.log("%s broken", name)
		return nil
	default:
		g.log("%s cancelled", name)
	}
	return err
}

func (g gate) parties(names string) (ts []*aio.Task[struct{}]) {
	for _, name := range names {
		ts = append(ts, g.goes(func(ctx context.Context) error { return g.party(ctx, string(name)) }))
	}
	return ts
}

func barrierInOrder(s *script) error {
	g := gate{s, aio.NewBarrier(3)}
	ts := g.parties("abcdefg")
	s.turn(6)
	pending := 0
	for _, t := range ts {
		if t.State() == aio.Pending {
			pending++
		}
	}
	s.log("pending %d", pending)
	await(s, append(ts, g.parties("hi")...)...)
	s.log("two generations")

	g.parties("ab")
	s.turn(1)
	err := g.party(s.ctx, "main")
	s.log("main goes on")
	late := g.parties("c")
	s.turn(3)

	gone := g.parties("d")
	s.turn(1)
	gone[0].Cancel(nil)
	s.turn(3)
	await(s, append(late, g.parties("ef")...)...)
	return errors.Join(err, g.broken())
}

func (g gate) broken() error {
	ts := g.parties("gh")
	g.turn(1)
	g.b.Abort()
	await(g.script, append(ts, g.parties("i")...)...)
	g.b.Reset()
	ts = g.parties("jkl")
	g.turn(1)
	g.b.Abort()
	await(g.script, ts...)
	err := g.party(g.ctx, "main")
	g.b.Reset()

	ts = g.parties("mn")
	g.turn(1)
	g.b.Reset()
	await(g.script, append(ts, g.parties("opq")...)...)
	ts = g.parties("rstu")
	g.turn(1)
	g.b.Reset()
	await(g.script, append(ts, g.parties("vw")...)...)

	g.b = aio.NewBarrier(4)
	ts = g.parties("abc")
	g.turn(1)
	ts[2].Cancel(nil)
	g.turn(3)
	await(g.script, append(ts[:2], g.parties("de")...)...)
	return err
}

func priorityInOrder(s *script) error {
	s.log("priority")
	err := kindInOrder(s, aio.NewPriorityQueue(3, func(a, b int) bool { return a < b }))
	s.log("last in, first out")
	return errors.Join(err, kindInOrder(s, aio.NewLIFOQueue[int](3)))
}

func kindInOrder(s *script, q *aio.Queue[int]) error {
	var ts []*aio.Task[struct{}]
	for _, name := range []string{"a", "b"} {
		ts = append(ts, s.goes(func(ctx context.Context) error {
			v, err := q.Get(ctx)
			s.log("%s got %d", name, v)
			return err
		}))
	}
	s.yield()
	for _, v := range []int{3, 1, 2} {
		if err := q.TryPut(v); err != nil {
			return err
		}
	}
	await(s, ts...)
	ts = nil
	for _, v := range []int{9, 7, 8, 6, 5} {
		ts = append(ts, s.goes(func(ctx context.Context) error {
			err := q.Put(ctx, v)
			s.log("put %d", v)
			return err
		}))
	}
	s.yield()
	v, err := q.TryGet()
	s.log("took %d", v)
	s.yield()
	for range 5 {
		v, err2 := q.Get(s.ctx)
		err = errors.Join(err, err2)
		s.log("main got %d", v)
	}
	await(s, ts...)
	return err
}

func joinInOrder(s *script) error {
	var q aio.Queue[int]
	err := q.Join(s.ctx)
	s.log("nothing to join")
	did := 0
	var workers []*aio.Task[struct{}]
	for _, name := range []string{"a", "b"} {
		workers = append(workers, s.goes(func(ctx context.Context) error {
			for v := range q.All(ctx) {
				s.log("%s works on %d", name, v)
				if err := aio.Yield(ctx); err != nil {
					return err
				}
				q.TaskDone()
				did++
				s.log("%s did %d", name, v)
			}
			return ctx.Err()
		}))
	}
	join := func(name string) *aio.Task[struct{}] {
		return s.goes(func(ctx context.Context) error {
			err := q.Join(ctx)
			s.log("%s joined", name)
			return err
		})
	}
	for v := range 3 {
		err = errors.Join(err, q.TryPut(v))
	}
	x, y := join("x"), join("y")
	err = errors.Join(err, q.Join(s.ctx))
	s.log("main joined")
	await(s, x, y)

	z := join("z")
	err = errors.Join(err, q.TryPut(3))
	for did < 4 {
		s.yield()
	}
	err = errors.Join(err, q.TryPut(4))
	s.log("put another")
	await(s, z)
	err = errors.Join(err, q.Join(s.ctx))
	for _, t := range workers {
		t.Cancel(nil)
	}
	func() {
		defer func() {
			if recover() != nil {
				s.log("once too often")
			}
		}()
		q.TaskDone()
	}()
	return err
}

// shop is a queue of a program, and who puts and gets.
type shop struct {
	*script
	q  *aio.Queue[int]
	ts []*aio.Task[struct{}]
}

func (o *shop) tell(err error, format string, v any) error {
	if err == aio.ErrQueueClosed {
		o.log(format+" shut down", v)
		return nil
	}
	return err
}

func (o *shop) get(name string) {
	o.ts = append(o.ts, o.goes(func(ctx context.Context) error {
		v, err := o.q.Get(ctx)
		if err == nil {
			o.log("%s got %d", name, v)
			o.q.TaskDone()
		}
		return o.tell(err, "%s", name)
	}))
}

func (o *shop) put(v int) {
	o.ts = append(o.ts, o.goes(func(ctx context.Context) error {
		err := o.q.Put(ctx, v)
		if err == nil {
			o.log("put %d", v)
		}
		return o.tell(err, "put %d", v)
	}))
}

func shutdownInOrder(s *script) error {
	o := &shop{script: s, q: aio.NewQueue[int](2)}
	for _, name := range []string{"a", "b", "c"} {
		o.get(name)
	}
	s.yield()
	err := o.q.TryPut(1)
	o.q.Close()
	s.log("closed")
	s.yield()
	o.get("d")
	await(s, o.ts...)

	o = &shop{script: s, q: aio.NewQueue[int](2)}
	for v := range 4 {
		o.put(v)
	}
	s.yield()
	joined := s.goes(func(ctx context.Context) error {
		err := o.q.Join(ctx)
		s.log("joined")
		return err
	})
	o.q.Close()
	o.q.Close()
	o.put(4)
	s.yield()
	s.log("left %d", o.q.Len())
	for _, name := range []string{"e", "f", "g"} {
		o.get(name)
	}
	await(s, append(o.ts, joined)...)
	_, err2 := o.q.TryGet()
	for _, err := range []error{err2, o.q.TryPut(1)} {
		if err == aio.ErrQueueClosed {
			s.log("shut down")
		}
	}

	o = &shop{script: s, q: aio.NewQueue[int](1)}
	err = errors.Join(err, o.q.TryPut(0))
	o.put(1)
	o.put(2)
	s.yield()
	v, err2 := o.q.TryGet()
	s.log("took %d", v)
	o.q.Close()
	await(s, o.ts...)
	return errors.Join(err, err2)
}
