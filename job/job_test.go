package job_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
)

type args struct {
	A, B int
	List []string
}

var (
	errTooBig  = job.Sentinel("test: too big", errors.New("too big"))
	errTooLong = job.Sentinel("test: too long", errors.New("too long"))

	sum = job.Define("sum", func(_ context.Context, in args) (int, error) { return in.A + in.B, nil })

	// fail returns or panics with what its argument names.
	fail = job.Define("fail", func(ctx context.Context, how string) (int, error) {
		switch how {
		case "plain":
			return 1, errors.New("plain text")
		case "one":
			return 1, errTooBig
		case "two":
			return 1, fmt.Errorf("job: %w", errors.Join(errTooBig, fmt.Errorf("line 7: %w", errTooLong)))
		case "std":
			return 1, &fs.PathError{Op: "open", Path: "f", Err: fs.ErrNotExist}
		case "cancelled":
			return 1, context.Canceled
		case "deadline":
			return 1, fmt.Errorf("late: %w", context.DeadlineExceeded)
		case "full":
			return 1, aio.ErrFull
		case "panic":
			panic("boom")
		case "panic error":
			panic(fmt.Errorf("boom: %w", errTooBig))
		case "panic inside":
			return 1, fmt.Errorf("a part: %w", &aio.PanicError{Value: 7, Stack: []byte("its stack")})
		case "bad error":
			var err *badError
			return 1, err
		case "goexit":
			runtime.Goexit()
		}
		return 0, nil
	})

	// hang waits until its ctx ends, and tells why.
	hang = job.Define("hang", func(ctx context.Context, in int) (int, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})

	left = job.Define("left", func(ctx context.Context, in struct{}) (time.Duration, error) {
		deadline, ok := ctx.Deadline()
		if !ok {
			return -1, nil
		}
		return time.Until(deadline), nil
	})

	change = job.Define("change", func(_ context.Context, in []int) (*int, error) {
		in[0] = 7
		return &in[0], nil
	})

	takesFunc    = job.Define("takes a function", func(_ context.Context, in func() int) (int, error) { return in(), nil })
	returnsFunc  = job.Define("returns a function", func(_ context.Context, in int) (func() int, error) { return func() int { return in }, nil })
	returnsAny   = job.Define("returns anything", func(_ context.Context, in int) (any, error) { return struct{ F func() }{}, nil })
	echo         = job.Define("echo", func(_ context.Context, in []byte) ([]byte, error) { return in, nil })
	echoString   = job.Define("echo a string", func(_ context.Context, in string) (string, error) { return in, nil })
	returnsError = job.Define("returns an error as its result", func(_ context.Context, in int) (error, error) { return errTooBig, nil })
)

// badError's method panics on nil.
type badError struct{ text string }

func (e *badError) Error() string { return e.text }

func TestIn_everywhere(t *testing.T) {
	ex := new(far)
	want := func(ctx context.Context) {
		t.Helper()
		if got, err := sum.In(ctx, ex, args{A: 1, B: 2}).Await(ctx); got != 3 || err != nil {
			t.Errorf("got %v, %v", got, err)
		}
	}
	want(t.Context()) // a goroutine, no loop
	run(t, func(ctx context.Context) error {
		want(ctx)
		want(context.Background()) // a task, no loop in ctx
		done := aio.NewPromise[int]()
		loopOf(ctx).CallSoon(func() { // a callback
			sum.In(ctx, ex, args{A: 3}).OnDone(ctx, func(v int, err error) {
				if err != nil {
					done.Reject(err)
				}
				done.Resolve(v)
			})
		})
		if got, err := done.Await(ctx); got != 3 || err != nil {
			t.Errorf("from a callback: %v, %v", got, err)
		}
		return nil
	})
	seen := make(map[string]bool)
	for _, c := range ex.calls {
		if c.Name != "sum" || seen[c.ID] || c.ID == "" {
			t.Errorf("call %q of %q; seen before: %v", c.ID, c.Name, seen[c.ID])
		}
		seen[c.ID] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d calls, want 4", len(seen))
	}
}

// A payload can be served twice, and without those before it.
func TestServe_anyCallTwice(t *testing.T) {
	ex := new(far)
	for i := range 3 {
		if _, err := sum.In(t.Context(), ex, args{A: i, List: []string{"x"}}).Await(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for i := 2; i >= 0; i-- {
		for range 2 {
			got, err := sum.In(t.Context(), answers(job.Serve(t.Context(), ex.calls[i])), args{}).Await(t.Context())
			if got != i || err != nil {
				t.Errorf("call %d: got %v, %v", i, got, err)
			}
		}
	}
}

func TestIn_encodesAtOnce(t *testing.T) {
	run(t, func(ctx context.Context) error {
		list := []int{1, 2}
		f := change.In(ctx, new(far), list)
		list[1] = 100
		got, err := f.Await(ctx)
		if err != nil || *got != 7 || list[0] != 1 {
			t.Errorf("got %v, %v; the argument is %v now", got, err, list)
		}
		return nil
	})
}

func TestIn_bytes(t *testing.T) {
	for _, want := range [][]byte{nil, {}, []byte("some"), make([]byte, 1<<20)} {
		got, err := echo.In(t.Context(), new(far), want).Await(t.Context())
		if err != nil || string(got) != string(want) || (got == nil) != (want == nil) {
			t.Errorf("%d bytes became %d, %v", len(want), len(got), err)
		}
	}
	if got, err := echoString.In(t.Context(), new(far), "text").Await(t.Context()); got != "text" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestIn_errorsOfTheJob(t *testing.T) {
	all := []error{errTooBig, errTooLong, context.Canceled, context.DeadlineExceeded, fs.ErrNotExist, aio.ErrFull, io.EOF}
	for _, c := range []struct {
		how, text string
		is        []error
	}{
		{"plain", "plain text", nil},
		{"one", "too big", []error{errTooBig}},
		{"two", "job: too big\nline 7: too long", []error{errTooBig, errTooLong}},
		{"std", "open f: file does not exist", []error{fs.ErrNotExist}},
		{"cancelled", "context canceled", []error{context.Canceled}},
		{"deadline", "late: context deadline exceeded", []error{context.DeadlineExceeded}},
		{"full", "aio: full", []error{aio.ErrFull}},
	} {
		got, err := fail.In(t.Context(), new(far), c.how).Await(t.Context())
		remote := asType[*job.RemoteError](t, err)
		if got != 0 || remote.Text != c.text || err.Error() != c.text {
			t.Errorf("%s: got %v, %q, want %q", c.how, got, err, c.text)
		}
		for _, target := range all {
			want := false
			for _, is := range c.is {
				want = want || is == target
			}
			if errors.Is(err, target) != want {
				t.Errorf("%s: is %q: %v, want %v", c.how, target, !want, want)
			}
		}
	}
	if got, err := returnsError.In(t.Context(), new(far), 0).Await(t.Context()); err != nil || !errors.Is(got, errTooBig) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestIn_panics(t *testing.T) {
	_, err := fail.In(t.Context(), new(far), "panic").Await(t.Context())
	p := asType[*aio.PanicError](t, err)
	if p.Value != "boom" || !strings.Contains(string(p.Stack), "job_test.go:") {
		t.Errorf("got the value %v and the stack\n%s", p.Value, p.Stack)
	}
	_, err = fail.In(t.Context(), new(far), "panic error").Await(t.Context())
	p = asType[*aio.PanicError](t, err)
	if fmt.Sprint(p.Value) != "boom: too big" || !errors.Is(err, errTooBig) {
		t.Errorf("got %v", p.Value)
	}
	_, err = fail.In(t.Context(), new(far), "panic inside").Await(t.Context())
	p = asType[*aio.PanicError](t, err)
	if remote := asType[*job.RemoteError](t, err); p.Value != "7" || string(p.Stack) != "its stack" || !strings.HasPrefix(remote.Text, "a part: aio: panic: 7") {
		t.Errorf("got %v and %v", p.Value, remote)
	}
	// An error whose own method panics must not end the worker.
	_, err = fail.In(t.Context(), new(far), "bad error").Await(t.Context())
	if remote := asType[*job.RemoteError](t, err); remote.Text != "<nil>" {
		t.Errorf("got %q", remote.Text)
	}
}

func TestIn_cannotTravel(t *testing.T) {
	want := func(err error, name string, words ...string) {
		t.Helper()
		e := asType[*job.EncodeError](t, err)
		for _, word := range append(words, fmt.Sprintf("aio: job %q: ", name)) {
			if e.Name != name || !strings.Contains(err.Error(), word) {
				t.Errorf("got %v of %q, want %q in it", err, e.Name, word)
			}
		}
	}
	ex := new(far)
	_, err := takesFunc.In(t.Context(), ex, func() int { return 1 }).Await(t.Context())
	want(err, "takes a function", "its argument cannot travel: func() int: a function cannot travel")
	_, err = returnsFunc.In(t.Context(), ex, 1).Await(t.Context())
	want(err, "returns a function", "its result cannot travel: func() int: ")
	if len(ex.calls) > 0 {
		t.Error("a call was sent although its types cannot travel")
	}
	_, err = returnsAny.In(t.Context(), ex, 1).Await(t.Context())
	want(err, "returns anything", "its result cannot travel: ", "F is a func()")

	for _, outcome := range []string{"", "\x01", "\x02", "\x01\x01\x00", "\x01\x63\x00", "\x01\x05\x00", "\x01\x02\x00abc"} {
		_, err = sum.In(t.Context(), answers(outcome), args{}).Await(t.Context())
		want(err, "sum")
	}
	for _, payload := range []string{"", "\x02", "\x01\x02\x00abc"} {
		_, err = sum.In(t.Context(), answers(job.Serve(t.Context(), job.Call{Name: "sum", Payload: []byte(payload)})), args{}).Await(t.Context())
		want(err, "sum")
	}
}

func TestServe_unknown(t *testing.T) {
	ex := new(far)
	if _, err := sum.In(t.Context(), ex, args{}).Await(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := ex.calls[0]
	c.Name = "sun"
	_, err := sum.In(t.Context(), answers(job.Serve(t.Context(), c)), args{}).Await(t.Context())
	unknown := asType[*job.UnknownError](t, err)
	if unknown.Name != "sun" || !strings.Contains(err.Error(), `it has "sum"`) || !strings.Contains(err.Error(), "package-level variable") {
		t.Errorf("got %q: %v", unknown.Name, err)
	}
}

// Where the far side lets it through, a Goexit of the job is the call's outcome.
func TestServe_goexit(t *testing.T) {
	if _, err := fail.In(t.Context(), new(far), "goexit").Await(t.Context()); !errors.Is(err, aio.ErrGoexit) {
		t.Errorf("got %v", err)
	}
}

func TestIn_errorsOfTheExecutor(t *testing.T) {
	died := errors.New("the worker died")
	if _, err := sum.In(t.Context(), fails{died}, args{}).Await(t.Context()); err != died {
		t.Errorf("got %v, want the executor's own error", err)
	}
}

func TestIn_cancelReachesTheJob(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended int
		ex := onServed{func(outcome []byte) {
			if _, err := hang.In(context.Background(), answers(outcome), 0).Await(context.Background()); errors.Is(err, context.Canceled) {
				ended++
			}
		}}
		f := hang.In(t.Context(), ex, 0)
		synctest.Wait()
		why := errors.New("why")
		if !f.Cancel(why) || f.State() != aio.Cancelled {
			t.Errorf("the future is %v, want it cancelled at once", f.State())
		}
		if _, err := f.Await(t.Context()); !errors.Is(err, aio.ErrCancelled) || !errors.Is(err, why) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		f = hang.In(ctx, ex, 0)
		synctest.Wait()
		cancel()
		if _, err := f.Await(t.Context()); !errors.Is(err, context.Canceled) || f.State() != aio.Cancelled {
			t.Errorf("got %v, %v", f.State(), err)
		}
		synctest.Wait()
		if ended != 2 {
			t.Errorf("%d jobs saw the end of their ctx, want 2", ended)
		}
		if _, err := sum.In(ctx, fails{errors.New("called")}, args{}).Await(t.Context()); !errors.Is(err, context.Canceled) {
			t.Errorf("under a ctx that has ended: %v", err)
		}
	})
}

// onServed is an executor that tells of each outcome when the job has returned.
type onServed struct{ tell func(outcome []byte) }

func (o onServed) Execute(ctx context.Context, c job.Call) ([]byte, error) {
	outcome := job.Serve(ctx, c)
	o.tell(outcome)
	return outcome, nil
}
func (o onServed) Close() error { return nil }

// deaf is an executor whose far side knows nothing of the caller's ctx, but for what the call says.
type deaf struct{}

func (deaf) Execute(_ context.Context, c job.Call) ([]byte, error) {
	return job.Serve(context.Background(), c), nil
}
func (deaf) Close() error { return nil }

func TestIn_deadlineTravels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if got, err := left.In(t.Context(), deaf{}, struct{}{}).Await(t.Context()); got != -1 || err != nil {
			t.Errorf("without a deadline: %v, %v", got, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if got, err := left.In(ctx, deaf{}, struct{}{}).Await(ctx); got != time.Minute || err != nil {
			t.Errorf("a minute became %v, %v", got, err)
		}
		start := time.Now()
		_, err := hang.In(ctx, deaf{}, 0).Await(t.Context())
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		synctest.Wait()
	})
}

// A deadline of a virtual clock says nothing to a worker that has another one.
func TestIn_deadlineOfAnotherClock(t *testing.T) {
	ctx := pastDeadline{t.Context()}
	if got, err := left.In(ctx, deaf{}, struct{}{}).Await(t.Context()); got != -1 || err != nil {
		t.Errorf("got %v, %v, want no deadline", got, err)
	}
}

type pastDeadline struct{ context.Context }

func (pastDeadline) Deadline() (time.Time, bool) { return time.Unix(1, 0), true }

func TestIn_waitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := newNarrow()
		run(t, func(ctx context.Context) error {
			first := hang.In(ctx, ex, 0)
			waited := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				f := sum.In(ctx, ex, args{A: 1})
				if first.State() == aio.Pending {
					t.Error("In has returned while there was no room")
				}
				got, err := f.Await(ctx)
				if got != 1 || err != nil {
					t.Errorf("got %v, %v", got, err)
				}
				return nil
			}))
			stopped, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if _, err := sum.In(stopped, ex, args{}).Await(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("stopped waiting for room: %v", err)
			}
			refused := aio.NewPromise[error]()
			loopOf(ctx).CallSoon(func() {
				_, err := sum.In(ctx, ex, args{}).Result()
				refused.Resolve(err)
			})
			if err, _ := refused.Await(ctx); !errors.Is(err, aio.ErrWouldDeadlock) {
				t.Errorf("in a callback, without room: %v", err)
			}
			first.Cancel(nil)
			_, err := waited.Await(ctx)
			return err
		})
		if len(ex.room) != 1 {
			t.Error("room was lost")
		}
	})
}

// A call that was cancelled between being accepted and being run gives its room back.
func TestIn_cancelledOnceAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ex := newNarrow()
		for range 100 {
			hang.In(t.Context(), ex, 0).Cancel(nil)
			synctest.Wait()
		}
		if len(ex.room) != 1 {
			t.Error("room was lost")
		}
	})
}

// As with any call on an executor, the loop waits for it, and hears of a failure that nobody takes.
func TestIn_belongsToItsLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []error
		returned := false
		hooks := aio.Hooks{Unhandled: func(f aio.Failure) { told = append(told, f.Err) }}
		slow := onServed{func([]byte) {
			time.Sleep(time.Second)
			returned = true
		}}
		_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
			fail.In(ctx, new(far), "one")
			_, err := fail.In(ctx, new(far), "two").Await(ctx)
			sum.In(ctx, slow, args{})
			if !errors.Is(err, errTooLong) {
				t.Errorf("got %v", err)
			}
			return nil
		}), aio.WithHooks(hooks))
		if err != nil || !returned {
			t.Errorf("Run returned %v; the call had returned: %v", err, returned)
		}
		if len(told) != 1 || !errors.Is(told[0], errTooBig) {
			t.Errorf("reported: %v, want the one failure that nobody took", told)
		}
	})
}

func TestBind(t *testing.T) {
	plus := job.Bind(sum, func(b int) args { return args{A: 10, B: b} })
	if got, err := plus.In(t.Context(), new(far), 5).Await(t.Context()); got != 15 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := plus.Call(t.Context(), 6); got != 16 || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := sum.Call(t.Context(), args{A: 1}); got != 1 || err != nil || sum.Name() != "sum" {
		t.Errorf("%s: got %v, %v", sum.Name(), got, err)
	}
}

func TestDefine_mistakes(t *testing.T) {
	fn := func(context.Context, int) (int, error) { return 0, nil }
	for _, c := range []struct {
		f    func()
		want []string
	}{
		{func() { job.Define("sum", fn) }, []string{`aio: job "sum" is defined twice: at `, "/job_test.go:", " and at "}},
		{func() { job.Define("", fn) }, []string{"is empty"}},
		{func() { job.Define("a\nb", fn) }, []string{"U+000A"}},
		{func() { job.Define("a\xff", fn) }, []string{"UTF-8"}},
		{func() { job.Define(strings.Repeat("x", 256), fn) }, []string{"longer than 255 bytes"}},
		{func() { job.Define[int, int]("none", nil) }, []string{`"none" needs a function`}},
		{func() { _ = job.Sentinel("test: too big", io.EOF) }, []string{`sentinel "test: too big" is defined twice`}},
		{func() { _ = job.Sentinel("io.EOF", io.EOF) }, []string{`"io.EOF" is defined twice: at package job`}},
		{func() { _ = job.Sentinel("nil", nil) }, []string{"needs an error"}},
		{func() { job.Bind((*job.Job[int, int])(nil), func(int) int { return 0 }) }, []string{"got nil"}},
		{func() { job.Bind[int](sum, nil) }, []string{"got nil"}},
		{func() { job.Local(nil) }, []string{"needs an executor"}},
		{func() { sum.In(t.Context(), nil, args{}) }, []string{`"sum".In needs an executor`}},
	} {
		got := fmt.Sprint(panicOf(c.f))
		for _, want := range c.want {
			if !strings.HasPrefix(got, "aio: ") || !strings.Contains(got, want) {
				t.Errorf("panicked with %q, want %q in it", got, want)
			}
		}
	}
}

// What users compare stays comparable.
var _ = map[job.RemoteError]bool{}
