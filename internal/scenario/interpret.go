package scenario

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Trace runs a scenario on aio and tells what happened. The loop must be on virtual time: call it
// in a testing/synctest bubble, or with an option that brings a clock.
func Trace(s *Scenario, opts ...aio.Option) ([]string, error) {
	texts(s.Body)
	w := &world{
		things: map[string]any{}, tasks: map[string]*aio.Task[int]{}, calls: map[string]aio.Handle{},
		watches: map[string]func() bool{}, groups: map[string]context.Context{},
		second: -1,
	}
	quiet := aio.WithLogger(slog.New(slog.DiscardHandler)) // of tasks that the end cuts off, as a scenario's deadlock has them
	w.loop = aio.Start(append([]aio.Option{quiet, aio.WithHooks(aio.Hooks{Unhandled: w.unhandled})}, opts...)...)
	w.start = w.loop.Now()
	for _, o := range s.Uses {
		w.things[o.Name] = w.make(o)
	}
	ended := make(chan struct{})
	w.loop.CallSoon(func() { // so that main is the first to run, whatever comes from here
		w.spawn(w.loop.Context(), "main", s.Body)
		w.loop.CallAt(w.start.Add(Limit*time.Second), func() {
			w.over = true
			close(ended)
		})
	})
	<-ended
	err := w.loop.Close() // what still waits is cancelled; nobody looks
	if w.failed != nil {
		err = w.failed
	}
	return w.lines, err
}

// world is one scenario at work. Its loop only, until that has closed.
type world struct {
	loop    *aio.Loop
	start   time.Time
	things  map[string]any
	tasks   map[string]*aio.Task[int]
	calls   map[string]aio.Handle
	watches map[string]func() bool
	groups  map[string]context.Context

	lines  []string
	over   bool
	failed error  // the interpreter itself did
	second int    // of the last line
	turn   uint64 // in which its second's first line was
}

// failure is what a scenario raises.
type failure string

func (f failure) Error() string { return string(f) }

// errMisuse stands for the panics of operations that are refused.
var errMisuse = errors.New("misuse")

// returned leaves a task with a value.
type returned int

func (returned) Error() string { return "return" }

// interrupted leaves a task whose context has ended, or a block.
type interrupted struct{ err error }

func (i interrupted) Error() string { return i.err.Error() }
func (i interrupted) Unwrap() error { return i.err }

// unhandled is told of failures that a scenario does not take, which is its right, and of our own.
func (w *world) unhandled(f aio.Failure) {
	if p, ok := errors.AsType[*aio.PanicError](f.Err); ok && w.failed == nil {
		w.failed = fmt.Errorf("scenario: %w\n%s", f.Err, p.Stack)
	}
}

func (w *world) make(o Object) any {
	switch o.Kind {
	case "future":
		return aio.NewPromise[int]()
	case "mutex":
		return new(aio.Mutex)
	case "event":
		return new(aio.Event)
	case "sem":
		return aio.NewSemaphore(o.N)
	case "bounded":
		return aio.NewBoundedSemaphore(o.N)
	case "queue":
		return aio.NewQueue[int](o.N)
	case "lifo":
		return aio.NewLIFOQueue[int](o.N)
	case "priority":
		return aio.NewPriorityQueue(o.N, func(a, b int) bool { return a < b })
	case "cond":
		return aio.NewCond(w.things[o.Of].(*aio.Mutex))
	case "barrier":
		return aio.NewBarrier(o.N)
	default:
		panic("scenario: there is no kind of object " + o.Kind)
	}
}

// log tells of a step; results are joined by ": ".
func (w *world) log(who, text string, result ...string) {
	if w.over {
		return
	}
	turns := w.loop.Stats().Iterations
	if now := int(w.loop.Now().Sub(w.start) / time.Second); now != w.second {
		w.second, w.turn = now, turns
	}
	line := fmt.Sprintf("%d.%d %s %s", w.second, turns-w.turn, who, text)
	if len(result) > 0 && result[0] != "" {
		line += ": " + result[0]
	}
	w.lines = append(w.lines, line)
}

// spawn starts a task. Under the loop's own context nothing but Cancel ends it, as in asyncio.
func (w *world) spawn(ctx context.Context, name string, body []Step, opts ...aio.TaskOption) {
	w.tasks[name] = nil // an eager one may speak of itself
	w.tasks[name] = aio.Go(ctx, func(ctx context.Context) (int, error) { return w.task(ctx, name, body) }, append(opts, aio.Named(name))...)
}

// task is the function of a task.
func (w *world) task(ctx context.Context, name string, body []Step) (int, error) {
	w.log(name, "begins")
	var cleanUp []Step
	if n := len(body); n > 0 && body[n-1].Op == "cancelled" {
		cleanUp, body = body[n-1].Body, body[:n-1]
	}
	err := w.steps(ctx, name, body)
	if i, ok := errors.AsType[interrupted](err); ok {
		err = i.err
		if e := w.steps(context.WithoutCancel(ctx), name, cleanUp); e != nil {
			err = e
		}
	}
	if r, ok := err.(returned); ok {
		return int(r), nil
	}
	return 0, err
}

// steps does steps until one of them leaves: by returned, a failure that was raised, or
// interrupted.
func (w *world) steps(ctx context.Context, who string, steps []Step) error {
	for i := range steps {
		s := &steps[i]
		switch {
		case s.Op == "raise":
			w.log(who, s.Text)
			return failure(s.Word)
		case s.Op == "return":
			w.log(who, s.Text)
			return returned(s.N)
		case s.Op == "repeat":
			for range s.N {
				if err := w.steps(ctx, who, s.Body); err != nil {
					return err
				}
			}
		case !w.bound(s):
			w.log(who, s.Text, "none")
		case !ops[s.Op].waits:
			w.log(who, s.Text, w.act(ctx, s))
		default:
			result, err := w.wait(ctx, who, s)
			if err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				w.log(who, s.Text, "interrupted")
				return interrupted{err}
			}
			if err != nil {
				result = word(err)
			}
			w.log(who, s.Text, result)
		}
	}
	return nil
}

// callback makes the function of a callback.
func (w *world) callback(name string, body []Step) func(result ...string) {
	return func(result ...string) {
		w.log(name, "called", result...)
		_ = w.steps(context.Background(), name, body) // nothing waits there, so nothing but return leaves
	}
}

// bound reports whether everything that s speaks of is there by now.
func (w *world) bound(s *Step) bool {
	if s.In != "" && w.groups[s.In] == nil {
		return false
	}
	return !slices.ContainsFunc(s.On, func(name string) bool {
		_, watch := w.watches[name]
		_, call := w.calls[name]
		return w.things[name] == nil && w.tasks[name] == nil && !call && !watch
	})
}

// word is an error as the trace has it.
func word(err error) string {
	if list, ok := err.(interface{ Unwrap() []error }); ok && !errors.Is(err, aio.ErrCancelled) { // joined
		var words []string
		for _, e := range list.Unwrap() {
			words = append(words, word(e))
		}
		return strings.Join(words, " ")
	}
	if errors.Is(err, aio.ErrCancelled) { // whatever its cause
		return "cancelled"
	}
	if f, ok := errors.AsType[failure](err); ok {
		return string(f)
	}
	for _, known := range []struct {
		err  error
		word string
	}{
		{aio.ErrFull, "full"}, {aio.ErrEmpty, "empty"}, {errMisuse, "misuse"},
		{aio.ErrPending, "pending"}, {aio.ErrQueueClosed, "closed"}, {aio.ErrBroken, "broken"}, {context.DeadlineExceeded, "timeout"},
	} {
		if errors.Is(err, known.err) {
			return known.word
		}
	}
	return err.Error()
}

// outcome is a result as the trace has it.
func outcome(v int, err error) string {
	if err != nil {
		return word(err)
	}
	return fmt.Sprint(v)
}
