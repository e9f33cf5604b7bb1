//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package aio_test

import (
	"context"
	"errors"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Readable works from a task of the loop, of another loop, and from a goroutine; all who wait for one
// descriptor are woken.
func TestReadable_oneColor(t *testing.T) {
	l, other := start(t), start(t)
	r, w := pipe(t)
	ctx := l.Context()
	wait := func(context.Context) (string, error) { return "woken", aio.Readable(ctx, r) }
	waits := []*aio.Task[string]{
		aio.Submit(ctx, l, wait),
		aio.Submit(ctx, other, wait),
		aio.Submit(ctx, l, wait),
	}
	turn(t, l)
	turn(t, other)
	turn(t, l)
	for _, task := range waits {
		if task.State() != aio.Pending {
			t.Errorf("a task does not wait: it is %v", task.State())
		}
	}
	put(t, w, "x")
	if err := aio.Readable(ctx, r); err != nil { // also of who comes when it is ready
		t.Errorf("in a goroutine: %v", err)
	}
	for _, task := range waits {
		if _, err := task.Await(t.Context()); err != nil {
			t.Errorf("in a task: %v", err)
		}
	}
	get(t, r, 1)
	woken := make(chan error)
	go func() { woken <- aio.Readable(ctx, r) }()
	waiting(1)
	put(t, w, "y")
	if err := <-woken; err != nil {
		t.Errorf("in a goroutine that waits: %v", err)
	}
}

func TestReadable_readyAtOnce(t *testing.T) {
	run(t, func(ctx context.Context) error {
		r, w := pipe(t)
		put(t, w, "x")
		var tr trace
		other := aio.Go(ctx, aio.Do(func(context.Context) error { tr.add("other"); return nil }))
		for range 3 {
			if err := errors.Join(aio.Readable(ctx, r), aio.Writable(ctx, w)); err != nil {
				return err
			}
		}
		tr.add("waited")
		_, err := other.Await(ctx)
		tr.check(t, "waited other")
		return err
	})
}

func TestReadable_inCallback(t *testing.T) {
	l := start(t)
	r, w := pipe(t)
	var empty, ready error
	l.CallSoon(func() {
		empty = aio.Readable(l.Context(), r)
		put(t, w, "x")
		ready = aio.Readable(l.Context(), r)
	})
	turn(t, l)
	if !errors.Is(empty, aio.ErrWouldDeadlock) || ready != nil {
		t.Errorf("with nothing to read %v, want ErrWouldDeadlock; with something %v, want nil", empty, ready)
	}
}

func TestWritable(t *testing.T) {
	run(t, func(ctx context.Context) error {
		r, w := pipe(t)
		size := fill(t, w)
		var tr trace
		writer := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
			tr.add("full")
			err := aio.Writable(ctx, w)
			tr.add("room")
			return err
		}))
		for range 3 {
			if err := aio.Yield(ctx); err != nil {
				return err
			}
		}
		tr.add("reads")
		get(t, r, size)
		_, err := writer.Await(ctx)
		tr.check(t, "full reads room")
		return err
	})
}

// The reader of a descriptor comes before those who wait to read, those in the order in which they came,
// and all of them before who writes.
func TestReadable_besideCallbacks(t *testing.T) {
	run(t, func(ctx context.Context) error {
		l, _ := aio.LoopOf(ctx)
		a, b := pair(t)
		var tr trace
		var tasks []*aio.Task[struct{}]
		for _, name := range []string{"first", "second"} {
			tasks = append(tasks, aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				err := aio.Readable(ctx, a)
				tr.add("%s", name)
				return err
			})))
		}
		if err := aio.Yield(ctx); err != nil {
			return err
		}
		put(t, b, "x")
		adds(t, l, a, func() {
			tr.add("reader '%s'", get(t, a, 9))
			l.RemoveReader(a)
		})
		if err := l.AddWriter(a, func() { tr.add("writer"); l.RemoveWriter(a) }); err != nil {
			return err
		}
		for _, task := range tasks {
			if _, err := task.Await(ctx); err != nil {
				return err
			}
		}
		err := aio.Yield(ctx)
		tr.check(t, "reader 'x' first second writer")
		return err
	})
}

func TestReadable_errors(t *testing.T) {
	l := start(t)
	closed := start(t)
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	r, _ := pipe(t)
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	over, cancel := context.WithCancel(l.Context())
	cancel()
	live := context.WithoutCancel(closed.Context())
	const none = 1 << 20
	wide := 32 // by which the system's numbers are narrower than int, where that has 64 bits
	if strconv.IntSize == 32 {
		wide = 31
	}
	for name, c := range map[string]struct {
		ctx  context.Context
		fd   int
		want error
	}{
		"no loop":                {context.Background(), r, aio.ErrNoLoop},
		"ctx has ended":          {over, r, context.Canceled},
		"ctx ended, not open":    {over, none, context.Canceled},
		"negative":               {l.Context(), -1, os.ErrClosed},
		"not open":               {l.Context(), none, os.ErrClosed},
		"too large a number":     {l.Context(), r + 1<<wide, os.ErrClosed},
		"regular file":           {l.Context(), int(file.Fd()), errors.ErrUnsupported},
		"directory":              {l.Context(), int(dir.Fd()), errors.ErrUnsupported},
		"closed loop":            {live, r, aio.ErrClosed},
		"closed loop, its ctx":   {closed.Context(), r, aio.ErrClosed},
		"closed loop, no number": {live, none, aio.ErrClosed},
	} {
		for what, wait := range map[string]func(context.Context, int) error{"Readable": aio.Readable, "Writable": aio.Writable} {
			if err := wait(c.ctx, c.fd); !errors.Is(err, c.want) {
				t.Errorf("%s, %s: %v, want %v", what, name, err, c.want)
			}
		}
		loop, ok := aio.LoopOf(c.ctx)
		if !ok || c.ctx == over {
			continue
		}
		for what, add := range map[string]func(int, func()) error{"AddReader": loop.AddReader, "AddWriter": loop.AddWriter} {
			if err := add(c.fd, func() { t.Errorf("%s, %s: called", what, name) }); !errors.Is(err, c.want) {
				t.Errorf("%s, %s: %v, want %v", what, name, err, c.want)
			}
		}
		if loop.RemoveReader(c.fd) || loop.RemoveWriter(c.fd) {
			t.Errorf("%s: there was a callback to remove", name)
		}
	}
	turn(t, l)
}

// The end of ctx ends a wait and takes nothing; nor does it leave the loop with something to poll
// for.
func TestReadable_cancelled(t *testing.T) {
	l := start(t)
	r, w := pipe(t)
	on(t, l, func(ctx context.Context) error {
		cause := errors.New("enough")
		soon, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		task := aio.Go(soon, aio.Do(func(ctx context.Context) error { return aio.Readable(ctx, r) }))
		if err := aio.Yield(ctx); err != nil {
			return err
		}
		cancel(cause)
		if _, err := task.Await(ctx); !errors.Is(err, aio.ErrCancelled) || !errors.Is(err, cause) {
			t.Errorf("a task that was cancelled: %v", err)
		}
		put(t, w, "x")
		return nil
	})
	blocked, cancel := context.WithCancel(l.Context())
	s, _ := pipe(t)
	ended := make(chan error)
	go func() { ended <- aio.Readable(blocked, s) }()
	waiting(1)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("a goroutine whose ctx ended: %v", err)
	}
	before := l.Stats().Iterations
	turn(t, l)
	if n := l.Stats().Iterations - before; n > 10 {
		t.Errorf("%d iterations with nobody who waits", n)
	}
	if err := aio.Readable(l.Context(), r); err != nil || get(t, r, 9) != "x" {
		t.Errorf("the next wait: %v", err)
	}
}

// From another goroutine, on a loop that sleeps and has not watched anything before.
func TestAddReader_fromOutside(t *testing.T) {
	r, w := pipe(t)
	l := start(t)
	turn(t, l)
	got := make(chan string, 9)
	adds(t, l, r, func() { got <- get(t, r, 9) })
	put(t, w, "one")
	if text := <-got; text != "one" {
		t.Errorf("read %q", text)
	}
	adds(t, l, r, func() { got <- "another " + get(t, r, 9) })
	put(t, w, "two")
	if text := <-got; text != "another two" {
		t.Errorf("read %q", text)
	}
	if !l.RemoveReader(r) || l.RemoveReader(r) || l.RemoveWriter(r) {
		t.Error("there was one reader to remove")
	}
	put(t, w, "three")
	turn(t, l)
	turn(t, l)
	if len(got) > 0 {
		t.Errorf("a reader that was removed was called: %q", <-got)
	}
}

// A reader whose turn has come is not called when another goroutine removes it.
func TestRemoveReader_queued(t *testing.T) {
	a, wa := pipe(t) // before the loop, which so is closed first
	b, wb := pipe(t)
	l := start(t)
	held, on := make(chan struct{}), make(chan struct{})
	l.CallSoon(func() {
		adds(t, l, a, func() {
			get(t, a, 9)
			close(held)
			<-on
		})
		adds(t, l, b, func() { t.Error("called"); get(t, b, 9) })
		put(t, wa, "a")
		put(t, wb, "b")
	})
	<-held
	if !l.RemoveReader(b) {
		t.Error("there was no reader")
	}
	close(on)
	turn(t, l)
	turn(t, l)
}

// A panic in a callback is told of; the callback is called again as long as it is ready.
func TestAddReader_panics(t *testing.T) {
	told := newReports()
	r, w := pipe(t)
	l := start(t, told.option())
	adds(t, l, r, func() { panic("read " + get(t, r, 1)) })
	put(t, w, "12")
	for _, want := range []string{"read 1", "read 2"} {
		<-told.told
		var p *aio.PanicError
		if all := told.all(); !errors.As(all[len(all)-1].Err, &p) {
			t.Errorf("told of %v, want a panic", all)
		} else if want == "read 2" && p.Value != want {
			t.Errorf("told of %v, want %q", p.Value, want)
		}
	}
	on(t, l, func(context.Context) error { return nil })
}

// A loop that is never idle watches too, and timers and posts are not held up by descriptors that
// are always ready.
func TestAddReader_busy(t *testing.T) {
	r, w := pipe(t)
	l := start(t)
	on(t, l, func(ctx context.Context) error {
		read := aio.NewPromise[string]()
		adds(t, l, r, func() { read.Resolve(get(t, r, 9)) })
		if err := l.AddWriter(w, func() {}); err != nil {
			return err
		}
		spins := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
			for aio.Yield(ctx) == nil {
			}
			return nil
		}))
		go func() { put(t, w, "x") }()
		text, err := read.Await(ctx)
		if text != "x" {
			t.Errorf("read %q", text)
		}
		if err := aio.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
		if _, err := aio.Blocking(ctx, func(context.Context) (int, error) { return 0, nil }); err != nil {
			return err
		}
		spins.Cancel(nil)
		_, _ = spins.Await(ctx)
		l.RemoveWriter(w)
		return err
	})
}

// A sleeping loop that watches is woken by posts and by timers, early ones that come late included.
func TestAddReader_parked(t *testing.T) {
	for name, opts := range map[string][]aio.Option{"": nil, "on a thread": {aio.OnThread()}} {
		t.Run(name, func(t *testing.T) {
			r, _ := pipe(t)
			l := start(t, opts...)
			adds(t, l, r, func() { t.Error("called") })
			for range 100 {
				turn(t, l)
			}
			due := make(chan time.Time, 2)
			l.CallLater(time.Hour, func() { t.Error("an hour has passed") })
			turn(t, l)
			began := time.Now()
			l.CallLater(2*time.Millisecond, func() { due <- time.Now() })
			l.CallLater(time.Millisecond, func() { due <- time.Now() })
			for i, want := range []time.Duration{time.Millisecond, 2 * time.Millisecond} {
				if d := (<-due).Sub(began); d < want {
					t.Errorf("timer %d came after %v, want %v", i, d, want)
				}
			}
		})
	}
}
