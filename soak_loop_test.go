package aio_test

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/seed8b1f0744/aio"
)

// The loops of the soak: of four kinds, closed at any time by anybody and replaced.

type soakKind int

const (
	soakPlain     soakKind = iota
	soakOnThread           // on an OS thread of its own
	soakHooked             // with task hooks: tasks do not run the loop then
	soakImpatient          // with a short grace period: Close ends tasks by force
	soakKinds
)

type soakLoop struct {
	*aio.Loop
	soak     *soak
	kind     soakKind
	killable bool         // tasks may be ended by force
	closedAt atomic.Int64 // on the soak's clock: before anybody called Close; 0: nobody has
	closedOn atomic.Int64 // the same in time
	goexits  atomic.Int64 // reports that have no name
	refusals atomic.Int64
	bare     atomic.Int64

	// Loop only; the race detector sees if it is not.
	steps             int
	thread            int
	running           atomic.Bool
	started, finished map[uint64]bool
}

// soakReport is one failure that Hooks.Unhandled was told of.
type soakReport struct {
	err error
	at  int64
}

func (s *soak) newLoop(kind soakKind, random *rand.Rand) *soakLoop {
	return s.startLoop(kind, random, aio.Start)
}

// startLoop is newLoop where it is start that makes the loop.
func (s *soak) startLoop(kind soakKind, random *rand.Rand, start func(...aio.Option) *aio.Loop) *soakLoop {
	l := &soakLoop{soak: s, kind: kind, started: make(map[uint64]bool), finished: make(map[uint64]bool)}
	hooks := aio.Hooks{Unhandled: func(f aio.Failure) { s.report(l, f) }}
	opts := []aio.Option{aio.WithLogger(slog.New(slog.DiscardHandler)), aio.WithGrace(2 * time.Hour)} // longer than settle waits in a bubble: who is ended by force was stuck
	switch kind {
	case soakOnThread:
		opts = append(opts, aio.OnThread())
	case soakHooked:
		hooks.TaskStarted = func(i aio.TaskInfo) { l.once(l.started, i, !l.finished[i.ID]) }
		hooks.TaskFinished = func(i aio.TaskInfo, _ error) { l.once(l.finished, i, l.started[i.ID]) }
	case soakImpatient:
		l.killable = true
		opts = append(opts, aio.WithGrace(time.Duration(random.IntN(3))*time.Millisecond))
	}
	if random.IntN(4) == 0 {
		opts = append(opts, aio.WithDebug())
	}
	if random.IntN(4) == 0 {
		opts = append(opts, aio.WithSlowStep(time.Millisecond))
		hooks.SlowStep = func(aio.SlowStep) {}
	}
	if random.IntN(3) == 0 {
		opts = append(opts, aio.WithExecutor(s.shared))
	}
	l.Loop = start(append(opts, aio.WithHooks(hooks))...)
	s.byLoop.Store(l.Loop, l)
	s.mu.Lock()
	s.all = append(s.all, l)
	s.mu.Unlock()
	return l
}

// loopOf is the soak's loop of ctx, nil if it has none.
func (s *soak) loopOf(ctx context.Context) *soakLoop {
	if l, ok := aio.LoopOf(ctx); ok {
		if known, ok := s.byLoop.Load(l); ok {
			return known.(*soakLoop)
		}
	}
	return nil
}

func (l *soakLoop) once(seen map[uint64]bool, i aio.TaskInfo, inOrder bool) {
	if seen[i.ID] || !inOrder {
		l.soak.t.Errorf("a hook is told of task %d %q twice, or out of order", i.ID, i.Name)
	}
	seen[i.ID] = true
}

// step is called by whatever runs on the loop.
func (l *soakLoop) step() {
	if l.running.Swap(true) {
		l.soak.t.Error("two run on one loop at the same time")
	}
	l.steps++
	if l.kind == soakOnThread {
		if on := threadID(); l.thread == 0 {
			l.thread = on
		} else if on != l.thread {
			l.soak.t.Errorf("a loop of thread %d runs on %d", l.thread, on)
		}
	}
	l.running.Store(false)
}

// closes is called by whoever is about to close l.
func (l *soakLoop) closes() {
	l.closedOn.CompareAndSwap(0, l.soak.now())
	l.closedAt.CompareAndSwap(0, l.soak.clock.Add(1))
}

// close is called where it may wait.
func (l *soakLoop) close() {
	l.closes()
	l.checkClosed(l.Close())
}

func (l *soakLoop) checkClosed(err error) {
	var stuck *aio.StuckError
	if err != nil && !(l.killable && errors.As(err, &stuck)) {
		l.soak.t.Errorf("closing a loop of kind %d: %v", l.kind, err)
	}
}

// restart puts a new loop in the place of one that it closes, in one of the ways there are.
func (a *actor) restart() {
	i := a.random.IntN(len(a.loops))
	fresh := a.newLoop(soakKind(a.random.IntN(int(soakKinds))), a.random)
	l := a.loops[i].Swap(fresh)
	inOwn := func() {
		l.closes()
		if err := l.Close(); err != aio.ErrWouldDeadlock {
			a.t.Errorf("Close on the loop itself: %v", err)
		}
		if err := l.Shutdown(context.Background()); err != aio.ErrWouldDeadlock {
			a.t.Errorf("Shutdown on the loop itself: %v", err)
		}
	}
	switch how := a.random.IntN(4); {
	case how == 0:
		a.callback(l, inOwn)
	case how == 1:
		b, done := a.under()
		defer done()
		b.start(l, func(*actor) { inOwn() })
	case a.home == l:
		inOwn()
	case a.depth == 0: // nobody waits for this one
		a.closeFrom(l, how == 2)
	case a.mayClose && a.closer.TryLock():
		defer a.closer.Unlock()
		a.closeFrom(l, how == 2)
	default:
		a.callback(l, inOwn)
	}
}

func (a *actor) closeFrom(l *soakLoop, gently bool) {
	l.closes()
	if gently {
		ctx, cancel := aio.WithTimeout(a.ctx, a.moment())
		defer cancel()
		_ = l.Shutdown(ctx)
	} else if err := l.Close(); a.home == nil || !a.home.killable {
		l.checkClosed(err)
	}
}

// report is Hooks.Unhandled. It reports whether it knows what the failure is.
func (s *soak) report(l *soakLoop, f aio.Failure) bool {
	id, bare := int64(0), f.Task.ID == 0
	if name, ok := strings.CutPrefix(f.Task.Name, "soak-"); ok {
		id, _ = strconv.ParseInt(name, 10, 64)
	}
	var failed *soakError
	switch {
	case l != nil && bare && (f.Err == aio.ErrFull || isEndedContext(f.Err)): // a call was refused
		l.bare.Add(1)
		return true
	case errors.As(f.Err, &failed):
		if id != 0 && id != failed.id {
			s.t.Errorf("the failure of %d is reported as %d's", failed.id, id)
		}
		id = failed.id
	case id != 0:
	case f.Err == errSoakItem:
		return true
	case l == nil && f.Err == aio.ErrGoexit:
		s.goexits.Add(1)
		return true
	case l != nil && bare && f.Err == aio.ErrGoexit:
		l.goexits.Add(1)
		return true
	case l != nil && bare && f.Err == aio.ErrClosed:
		l.refusals.Add(1)
		return true
	case f.Err == aio.ErrClosed: // of a task without a name
		return true
	default:
		s.t.Errorf("nobody knows this failure of task %d %q: %v", f.Task.ID, f.Task.Name, errText(f.Err))
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reports[id] = append(s.reports[id], soakReport{f.Err, s.clock.Add(1)})
	return true
}

// isEndedContext reports whether err is the error of a wait whose context has ended. Its cause may be anybody's failure.
func isEndedContext(err error) bool {
	if both, ok := err.(interface{ Unwrap() []error }); ok && reflect.TypeOf(err) != reflect.TypeOf(errors.Join(aio.ErrFull)) {
		err = both.Unwrap()[0]
	}
	return err == context.Canceled || err == context.DeadlineExceeded
}

func (s *soak) reportsOf(id int64) []soakReport {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reports[id]
}

// auditLoops compares what the loops told without a name with what must have been told, when that has come.
func (s *soak) auditLoops() (compare func()) {
	var compares []func()
	for _, l := range s.all {
		if len(l.started) != len(l.finished) {
			s.t.Errorf("hooks were told of %d tasks that start and %d that finish", len(l.started), len(l.finished))
		}
		goexits, refusals, bare := s.nameless(l)
		compares = append(compares, func() {
			s.within(l, "ErrGoexit", &l.goexits, goexits)
			s.within(l, "ErrClosed", &l.refusals, refusals)
			s.within(l, "another refusal of a call", &l.bare, bare)
		})
	}
	goexits, _, _ := s.nameless(nil)
	return func() {
		for _, compare := range compares {
			compare()
		}
		if got := s.goexits.Load(); got != goexits.least {
			s.t.Errorf("without a loop ErrGoexit was logged %d times, want %d", got, goexits.least)
		}
	}
}

type soakRange struct{ least, most int64 }

func (r *soakRange) add(least, most bool) {
	if least {
		r.least++
	}
	if most {
		r.most++
	}
}

func (s *soak) within(l *soakLoop, what string, n *atomic.Int64, want soakRange) {
	s.eventually(func() bool { return n.Load() >= want.least })
	if got := n.Load(); got < want.least || got > want.most && !l.killable { // who is ended by force leaves some behind
		s.t.Errorf("a loop of kind %d reported %s %d times, want %d to %d", l.kind, what, got, want.least, want.most)
	}
}
