// Package doors tries everything that can wait from everywhere it can be called: in a task, which it
// must suspend and nothing else; in a goroutine, which it must block; and on a loop's own goroutine
// outside a task, where asyncio's run_coroutine_threadsafe(...).result() deadlocks, and where it must
// refuse at once and have started nothing. Each package has a table of its own doors; [Unlisted] sees
// to it that none is forgotten. For tests.
package doors

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Door is an exported function, or a way to call it, that may have to wait.
type Door struct {
	Name  string // from the API's listing, "Queue.Get"; what follows a blank or a comma tells rows apart
	Make  func(t testing.TB) Trial
	Loop  bool // its ctx must carry a loop
	Short bool // nobody has to let it go, and a goroutine may pass at once
	Alone bool // it is refused in tasks, too
}

// Trial is one door to go through, made for it.
type Trial struct {
	Call  func(ctx context.Context) error // has to wait until Let is called
	Let   func()                          // from any goroutine, once; nil: time does it
	Ran   func() int                      // how often what Call starts has begun; nil: it starts nothing
	Close func()                          // after the trial; may be nil
}

// AreAll fails t for what is exported by package pkg, looks as if it could wait, and has neither a row in list nor a reason in
// others; see [Unlisted]. root is the module's folder, seen from the package's.
func AreAll(t testing.TB, root, pkg string, list []Door, others map[string]string) {
	t.Helper()
	api, err := os.ReadFile(filepath.Join(root, "internal", "policy", "testdata", "api.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, d := range list {
		rows = append(rows, d.Name)
	}
	for _, complaint := range Unlisted(string(api), pkg, rows, others) {
		t.Error(complaint)
	}
}

// Try tries the door. It calls t's subtests' bodies by in, which may put each into a bubble; settle waits
// until nothing moves any more, as well as that can be.
func Try(t *testing.T, d Door, in func(t *testing.T, body func(t *testing.T)), settle func()) {
	t.Helper()
	for name, try := range map[string]func(r *room){
		"in a callback":                   (*room).callbacks,
		"in a task":                       func(r *room) { r.task(r.loop, "its own") },
		"in a task, under another's ctx":  func(r *room) { r.task(r.loop, "another loop's") },
		"in a task, under no loop's ctx":  func(r *room) { r.task(r.loop, "no loop's") },
		"in a task of another loop":       func(r *room) { r.task(r.other, "another loop's") },
		"in a goroutine":                  func(r *room) { r.goroutine(r.loop.Context()) },
		"in a goroutine, under no loop's": func(r *room) { r.goroutine(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			in(t, func(t *testing.T) {
				r := &room{T: t, door: d, settle: settle}
				r.loop, r.other = r.start(), r.start()
				try(r)
				if err := errors.Join(r.loop.Close(), r.other.Close()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// room is where a door is tried.
type room struct {
	*testing.T
	door        Door
	settle      func()
	loop, other *aio.Loop
	hook        atomic.Pointer[func()] // called by the loops' TaskFinished, once
}

func (r *room) start() *aio.Loop {
	l := aio.Start(aio.WithHooks(aio.Hooks{
		TaskFinished: func(aio.TaskInfo, error) {
			if fn := r.hook.Swap(nil); fn != nil {
				(*fn)()
			}
		},
		Unhandled: func(f aio.Failure) { r.Errorf("a failure that nobody took: %v", f.Err) },
	}))
	r.Cleanup(func() { _ = l.Close() })
	return l
}

// trial makes one; end must be called after it.
func (r *room) trial() (tr Trial, end func()) {
	tr = r.door.Make(r.T)
	let := tr.Let
	if let == nil {
		let = func() {}
	}
	tr.Let = sync.OnceFunc(let)
	return tr, func() {
		tr.Let()
		if tr.Close != nil {
			tr.Close()
		}
	}
}

// callbacks has the door refuse wherever the loop calls a function that is no task.
func (r *room) callbacks() {
	for where, call := range map[string]func(fn func()){
		"CallSoon":  func(fn func()) { r.loop.CallSoon(fn) },
		"CallLater": func(fn func()) { r.loop.CallLater(time.Nanosecond, fn) },
		"OnDone": func(fn func()) {
			p := aio.NewPromise[int]()
			p.OnDone(r.loop.Context(), func(int, error) { fn() })
			p.Resolve(1)
		},
		"TaskFinished": func(fn func()) {
			r.hook.Store(&fn)
			aio.Submit(context.Background(), r.loop, aio.Do(func(context.Context) error { return nil }))
		},
	} {
		contexts := []context.Context{r.loop.Context(), r.other.Context(), context.Background()}
		if r.door.Loop {
			contexts = contexts[:2]
		}
		for i, ctx := range contexts {
			tr, end := r.trial()
			told := make(chan error, 1)
			call(func() { told <- tr.Call(ctx) })
			if err := <-told; !errors.Is(err, aio.ErrWouldDeadlock) { // a loop that waits hangs here
				r.Errorf("in %s, context %d: %v, want ErrWouldDeadlock", where, i, err)
			}
			r.goesOn(r.loop)
			end()
			r.settle()
			r.started(tr, 0)
		}
	}
}

func (r *room) started(tr Trial, want int) {
	r.Helper()
	if tr.Ran == nil {
		return
	}
	if n := tr.Ran(); n != want {
		r.Errorf("what it starts has begun %d times, want %d", n, want)
	}
}

// goesOn fails if the loop does not: in a bubble that is a deadlock.
func (r *room) goesOn(l *aio.Loop) {
	r.Helper()
	called := make(chan struct{})
	l.CallSoon(func() { close(called) })
	<-called
	_, err := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
		return errors.Join(aio.Yield(ctx), aio.Yield(ctx))
	})).Await(context.Background())
	if err != nil {
		r.Errorf("another task: %v", err)
	}
}

// task goes through the door in a task of l, under one of the contexts there are.
func (r *room) task(l *aio.Loop, under string) {
	if r.door.Loop && under == "no loop's" {
		r.Skip("it needs a loop in its ctx")
	}
	tr, end := r.trial()
	defer end()
	begun := make(chan struct{})
	task := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
		close(begun)
		switch {
		case under == "no loop's":
			ctx = context.Background()
		case under != "its own" && l == r.loop:
			ctx = r.other.Context()
		case under != "its own":
			ctx = r.loop.Context()
		}
		return tr.Call(ctx)
	}))
	<-begun
	r.goesOn(l)
	r.goesOn(r.other)
	r.settle()
	if r.door.Alone {
		if _, err := task.Await(context.Background()); !errors.Is(err, aio.ErrWouldDeadlock) {
			r.Errorf("%v, want ErrWouldDeadlock", err)
		}
		r.started(tr, 0)
		return
	}
	if !r.door.Short && task.State() != aio.Pending {
		_, err := task.Result()
		r.Errorf("it did not wait: %v", err)
	}
	tr.Let()
	if _, err := task.Await(context.Background()); err != nil {
		r.Error(err)
	}
	r.started(tr, 1)
}

func (r *room) goroutine(ctx context.Context) {
	if _, ok := aio.LoopOf(ctx); r.door.Loop && !ok {
		r.Skip("it needs a loop in its ctx")
	}
	tr, end := r.trial()
	defer end()
	done := make(chan error, 1)
	go func() { done <- tr.Call(ctx) }()
	r.settle()
	r.goesOn(r.loop)
	if !r.door.Short && len(done) > 0 {
		r.Errorf("it did not wait: %v", <-done)
		return
	}
	tr.Let()
	if err := <-done; err != nil {
		r.Error(err)
	}
	r.started(tr, 1)
}
