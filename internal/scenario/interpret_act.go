package scenario

import (
	"context"
	"time"

	"github.com/seed8b1f0744/aio"
)

// act does a step that does not wait.
func (w *world) act(ctx context.Context, s *Step) string {
	switch s.Op {
	case "go":
		w.goTask(ctx, s)
	case "say":
	case "soon", "later", "at", "drop":
		return w.actCall(s)
	case "resolve", "reject", "cancel", "state", "result", "ondone", "undone":
		return w.actFuture(s)
	case "tryput", "tryget", "len", "taskdone", "close":
		return w.actQueue(s)
	case "unlock":
		return refused(w.things[s.On[0]].(*aio.Mutex).Unlock)
	case "release":
		return refused(w.things[s.On[0]].(*aio.Semaphore).Release)
	case "set":
		w.things[s.On[0]].(*aio.Event).Set()
	case "clear":
		w.things[s.On[0]].(*aio.Event).Clear()
	case "isset":
		return number(w.things[s.On[0]].(*aio.Event).IsSet())
	case "notify":
		w.things[s.On[0]].(*aio.Cond).Signal()
	case "notifyall":
		w.things[s.On[0]].(*aio.Cond).Broadcast()
	case "abort":
		w.things[s.On[0]].(*aio.Barrier).Abort()
	case "reset":
		w.things[s.On[0]].(*aio.Barrier).Reset()
	default:
		panic("scenario: there is no step " + s.Op)
	}
	return ""
}

func (w *world) goTask(ctx context.Context, s *Step) {
	switch {
	case s.In != "":
		ctx = w.groups[s.In]
	case !s.Child: // only Cancel ends it, as in asyncio
		ctx = w.loop.Context()
	}
	var opts []aio.TaskOption
	if s.Eager {
		opts = append(opts, aio.Eager())
	}
	w.spawn(ctx, s.Name, s.Body, opts...)
}

func (w *world) actCall(s *Step) string {
	run := w.callback(s.Name, s.Body)
	switch s.Op {
	case "soon":
		w.calls[s.Name] = w.loop.CallSoon(func() { run() })
	case "later":
		w.calls[s.Name] = w.loop.CallLater(time.Duration(s.N)*time.Second, func() { run() })
	case "at":
		w.calls[s.Name] = w.loop.CallAt(w.start.Add(time.Duration(s.N)*time.Second), func() { run() })
	case "drop":
		return number(w.calls[s.On[0]].Cancel())
	}
	return ""
}

// future is the task or promise of that name.
func (w *world) future(name string) *aio.Future[int] {
	if t := w.tasks[name]; t != nil {
		return &t.Future
	}
	return &w.things[name].(*aio.Promise[int]).Future
}

func (w *world) futures(s *Step) []*aio.Future[int] {
	var list []*aio.Future[int]
	for _, name := range s.On {
		list = append(list, w.future(name))
	}
	return list
}

func (w *world) actFuture(s *Step) string {
	switch s.Op {
	case "resolve":
		return orDone(w.things[s.On[0]].(*aio.Promise[int]).Resolve(s.N))
	case "reject":
		return orDone(w.things[s.On[0]].(*aio.Promise[int]).Reject(failure(s.Word)))
	case "cancel":
		w.future(s.On[0]).Cancel(nil)
	case "state":
		return w.future(s.On[0]).State().String()
	case "result":
		return outcome(w.future(s.On[0]).Result())
	case "ondone":
		run := w.callback(s.Name, s.Body)
		w.watches[s.Name] = w.future(s.On[0]).OnDone(w.loop.Context(), func(v int, err error) { run(outcome(v, err)) })
	case "undone":
		return number(w.watches[s.On[0]]())
	}
	return ""
}

func (w *world) actQueue(s *Step) string {
	q := w.things[s.On[0]].(*aio.Queue[int])
	switch s.Op {
	case "tryput":
		if err := q.TryPut(s.N); err != nil {
			return word(err)
		}
	case "tryget":
		return outcome(q.TryGet())
	case "len":
		return outcome(q.Len(), nil)
	case "taskdone":
		return refused(q.TaskDone)
	case "close":
		q.Close()
	}
	return ""
}

// refused does what may panic because it is not allowed.
func refused(fn func()) (result string) {
	defer func() {
		if recover() != nil {
			result = "misuse"
		}
	}()
	fn()
	return ""
}

func orDone(ok bool) string {
	if ok {
		return ""
	}
	return "done"
}

func number(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
