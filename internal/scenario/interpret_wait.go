package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio"
)

// wait does a step that may wait.
func (w *world) wait(ctx context.Context, who string, s *Step) (string, error) {
	switch s.Op {
	case "yield":
		return "", aio.Yield(ctx)
	case "sleep":
		return "", aio.Sleep(ctx, time.Duration(s.N)*time.Second)
	case "await":
		return value(w.future(s.On[0]).Await(ctx))
	case "gather":
		values, err := aio.Gather(ctx, w.futures(s)...)
		return strings.Trim(fmt.Sprint(values), "[]"), err
	case "gatherall":
		outcomes, err := aio.GatherAll(ctx, w.futures(s)...)
		var words []string
		for _, o := range outcomes {
			words = append(words, outcome(o.Value, o.Err))
		}
		return strings.Join(words, " "), err
	case "shield":
		return value(aio.Shield(ctx, func(ctx context.Context) (int, error) { return w.task(ctx, s.Name, s.Body) }))
	case "completed":
		return w.completed(ctx, who, s)
	case "waitall":
		return w.waitFor(ctx, s, aio.AllDone)
	case "waitfirst":
		return w.waitFor(ctx, s, aio.FirstDone)
	case "waiterror":
		return w.waitFor(ctx, s, aio.FirstError)
	case "group":
		return "", w.inGroup(ctx, who, s)
	case "timeout", "waitfor":
		return "", w.inTime(ctx, who, s)
	case "put":
		return "", w.things[s.On[0]].(*aio.Queue[int]).Put(ctx, s.N)
	case "get":
		return value(w.things[s.On[0]].(*aio.Queue[int]).Get(ctx))
	case "lock":
		return "", w.things[s.On[0]].(*aio.Mutex).Lock(ctx)
	case "acquire":
		return "", w.things[s.On[0]].(*aio.Semaphore).Acquire(ctx)
	case "join":
		return "", w.things[s.On[0]].(*aio.Queue[int]).Join(ctx)
	case "wait", "until":
		return w.waitAt(ctx, s)
	}
	panic("scenario: there is no step " + s.Op)
}

// waitAt waits at an event, a barrier or a condition.
func (w *world) waitAt(ctx context.Context, s *Step) (_ string, err error) {
	switch thing := w.things[s.On[0]].(type) {
	case *aio.Event:
		return "", thing.Wait(ctx)
	case *aio.Barrier:
		return value(thing.Wait(ctx))
	case *aio.Cond:
		misused := refused(func() {
			if s.Op == "wait" {
				err = thing.Wait(ctx)
			} else {
				err = thing.WaitFor(ctx, w.things[s.On[1]].(*aio.Event).IsSet)
			}
		})
		return misused, err
	}
	panic("scenario: nothing to wait at: " + s.Text)
}

func value(v int, err error) (string, error) { return fmt.Sprint(v), err }

// limited is ctx with the deadline of a step's "within".
func limited(ctx context.Context, s *Step) (context.Context, context.CancelFunc) {
	if s.N == 0 {
		return ctx, func() {}
	}
	return aio.WithTimeout(ctx, time.Duration(s.N)*time.Second)
}

func (w *world) waitFor(ctx context.Context, s *Step, when aio.When) (string, error) {
	inner, cancel := limited(ctx, s)
	defer cancel()
	done, _, err := aio.Wait(inner, when, w.futures(s)...)
	if err != nil && (ctx.Err() != nil || inner.Err() == nil) {
		return "", err
	}
	if len(done) == 0 {
		return "none done", nil
	}
	var names []string
	for _, f := range done {
		names = append(names, w.nameOf(s, f))
	}
	return "done " + strings.Join(names, " "), nil
}

// nameOf is the name of one of those that s acts on.
func (w *world) nameOf(s *Step, f *aio.Future[int]) string {
	return s.On[slices.Index(w.futures(s), f)]
}

func (w *world) completed(ctx context.Context, who string, s *Step) (string, error) {
	inner, cancel := limited(ctx, s)
	defer cancel()
	for f := range aio.AsCompleted(inner, w.futures(s)...) {
		w.log(who, s.Text, w.nameOf(s, f))
		if err := w.steps(ctx, who, s.Body); err != nil {
			return "", err
		}
	}
	if err := inner.Err(); err != nil {
		return "", err
	}
	return "all", nil
}

func (w *world) inGroup(ctx context.Context, who string, s *Step) error {
	defer delete(w.groups, s.Name)
	err := aio.WithGroup(ctx, func(ctx context.Context) error {
		w.groups[s.Name] = ctx
		return w.steps(ctx, who, s.Body)
	})
	return err
}

func (w *world) inTime(ctx context.Context, who string, s *Step) error {
	inner, cancel := aio.WithTimeout(ctx, time.Duration(s.N)*time.Second)
	defer cancel()
	err := w.steps(inner, who, s.Body)
	if i, ok := errors.AsType[interrupted](err); ok {
		return i.err
	}
	return err
}
