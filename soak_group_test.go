package aio_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/seed8b1f0744/aio"
)

// The groups of the soak: what their members fail with comes out of them, or is reported.

// soakGroup is a WithGroup.
type soakGroup struct {
	id       int64
	plan     soakEnd // of its body
	end      soakEnd
	result   error // nil too if it did not return
	returned bool

	mu      sync.Mutex
	members []*soakTask // guarded by mu
}

func (g *soakGroup) add(r *soakTask) {
	if g == nil {
		return
	}
	g.mu.Lock()
	g.members = append(g.members, r)
	g.mu.Unlock()
}

func (a *actor) withGroup() {
	if a.depth == soakDepth {
		return
	}
	b, done := a.under()
	defer done()
	l := a.loopOf(b.ctx)
	if l == nil {
		l = a.loop()
		b.ctx = context.WithValue(l.Context(), key{}, 0)
	}
	g := &soakGroup{id: a.ids.Add(1), plan: a.ending(), end: endsByForce}
	a.mu.Lock()
	a.groups = append(a.groups, g)
	a.mu.Unlock()
	defer func() {
		if v := recover(); v != nil {
			if failed, ok := v.(*soakError); !ok || failed.id != g.id {
				panic(v)
			}
		}
	}()
	outer := b.ctx
	err := aio.WithGroup(outer, func(ctx context.Context) error {
		c := *b
		c.ctx, c.group, c.mayClose = ctx, g, false
		for range a.random.IntN(4) {
			c.start(nil, nil)
		}
		for range a.random.IntN(2) {
			c.act()
		}
		return g.body(ctx)
	})
	g.result, g.returned = err, true
	if a.home == nil || !a.home.killable {
		g.checkEnded(a)
	}
}

// body ends the body as planned.
func (g *soakGroup) body(ctx context.Context) error {
	g.end = endsWell
	switch g.plan {
	case endsFailed:
		g.end = endsFailed
		return &soakError{g.id}
	case endsPanicked:
		g.end = endsPanicked
		panic(&soakError{g.id})
	case endsCancelled:
		return ctx.Err()
	case endsBoth:
		g.end = endsFailed
		return errors.Join(ctx.Err(), &soakError{g.id})
	}
	return nil
}

func (g *soakGroup) checkEnded(a *actor) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range g.members {
		if r.began.Load() != r.returned.Load() {
			a.t.Errorf("WithGroup has returned while its member %d runs", r.id)
		}
	}
}

// owes checks that the failure of a member came out, or is reported.
func (g *soakGroup) owes(s *soak, r *soakTask) {
	out, told := r.hears(g.result), len(s.reportsOf(r.id))
	if r.end == endsGone {
		return // has no name in either; see nameless
	}
	if out == (told == 1) || told > 1 {
		s.t.Errorf("member %d of group %d on a loop of kind %d ended as %d, came out of it: %t (%s), is reported %d times", r.id, g.id, r.loop.kind, r.end, out, errText(g.result), told)
	}
}

func (s *soak) auditGroup(g *soakGroup) {
	out := anyOf(g.result, func(e error) bool {
		failed, ok := e.(*soakError)
		return ok && failed.id == g.id
	})
	told := len(s.reportsOf(g.id))
	if want := g.end == endsFailed; told > 1 || want && out == (told == 1) || !want && (out || told > 0) {
		s.t.Errorf("the body of group %d ended as %d, came out: %t, is reported %d times", g.id, g.end, out, told)
	}
}

// nameless is what l must have told of g's members.
func (g *soakGroup) nameless(l *soakLoop, goexits, refusals *soakRange) {
	for _, r := range g.members {
		if r.loop != l {
			continue
		}
		gone := r.began.Load() == 1 && r.end == endsGone
		out := anyOf(g.result, func(e error) bool { return e == aio.ErrGoexit })
		goexits.add(gone && !out && !l.killable, gone && !out) // ended by force, it may be
		refusals.add(false, r.refused)
	}
}

// errSoakItem is reported if whoever called ForEach was ended by force.
var errSoakItem = errors.New("this item fails, which is meant")

// forEach calls a function for some numbers.
func (a *actor) forEach() {
	if a.depth == soakDepth {
		return
	}
	ctx := a.ctx
	if a.loopOf(ctx) == nil {
		ctx = a.loop().Context()
	}
	l := a.loopOf(ctx)
	limit, n := 1+a.random.IntN(3), a.random.IntN(6)
	fails := a.random.IntN(10)
	var running, calls atomic.Int32
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	err := aio.ForEach(ctx, limit, slices.Values(numbers), func(ctx context.Context, i int) error {
		l.step()
		calls.Add(1)
		if now := running.Add(1); int(now) > limit {
			a.t.Errorf("ForEach with a limit of %d runs %d", limit, now)
		}
		defer running.Add(-1)
		_ = aio.Yield(ctx)
		if i == fails {
			return errSoakItem
		}
		return nil
	})
	if n := running.Load(); n != 0 && (a.home == nil || !a.home.killable) {
		a.t.Errorf("ForEach has returned while %d run", n)
	}
	if err == nil && (int(calls.Load()) != n || fails < n) {
		a.t.Errorf("ForEach called %d of %d, one of which fails: %t", calls.Load(), n, fails < n)
	}
}
