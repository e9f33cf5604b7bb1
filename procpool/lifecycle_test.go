//go:build unix

package procpool_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
	"github.com/seed8b1f0744/aio/procpool"
)

// ids runs pid n times, one after the other, and returns how often each worker had its turn.
func ids(t testing.TB, ctx context.Context, p *procpool.Pool, n int) (turns []int) {
	t.Helper()
	last := 0
	for range n {
		got, err := pid.In(ctx, p, 0).Await(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got != last {
			turns = append(turns, 0)
		}
		turns[len(turns)-1]++
		last = got
	}
	return turns
}

func TestMaxCalls(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 1, MaxCalls: 3})
	if got := ids(t, soon(t), p, 8); !slices.Equal(got, []int{3, 3, 2}) {
		t.Errorf("workers had %v calls", got)
	}
	if s := p.Stats(); s.Died != 0 || s.Killed != 0 {
		t.Errorf("replacing a worker is no death; stats are %+v", s)
	}
}

func TestMaxAge(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 1, MaxAge: time.Millisecond})
	ctx := soon(t)
	first, err := pid.In(ctx, p, 0).Await(ctx)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "an idle worker ends when it is old", func() bool { return p.Stats().Workers == 0 })
	if second, err := pid.In(ctx, p, 0).Await(ctx); err != nil || second == first {
		t.Errorf("worker %d, then %d, %v", first, second, err)
	}
	// With a call it is not touched before that is over.
	if _, err := naps.In(ctx, p, 50*time.Millisecond).Await(ctx); err != nil {
		t.Error(err)
	}
	eventually(t, "it ends after its call", func() bool { return p.Stats().Workers == 0 })
	if s := p.Stats(); s.Died != 0 || s.Killed != 0 {
		t.Errorf("stats are %+v", s)
	}
}

// naps waits on a timer that no goroutine of the worker could miss.
var naps = job.Define("naps", func(ctx context.Context, d time.Duration) (int, error) {
	<-time.After(d)
	return 0, nil
})

var hoard [][]byte

// hold takes so many MiB, and keeps them.
var hold = job.Define("hold", func(_ context.Context, n int) (int, error) {
	piece := make([]byte, n<<20)
	for i := range piece {
		piece[i] = 1
	}
	hoard = append(hoard, piece)
	return len(hoard), nil
})

func TestMaxMemoryBytes(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 1, MaxMemoryBytes: 128 << 20})
	ctx := soon(t)
	var held []int
	for _, size := range []int{1, 1, 200, 1, 1} {
		n, err := hold.In(ctx, p, size).Await(ctx)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, n)
	}
	if want := []int{1, 2, 3, 1, 2}; !slices.Equal(held, want) {
		t.Errorf("workers held %v pieces, want %v: another worker after the large one", held, want)
	}
}

func TestClose(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 2})
	ctx := soon(t)
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			if _, err := p.Execute(ctx, echoCall(10)); err != nil {
				t.Errorf("a call that was accepted before Close: %v", err)
			}
		})
	}
	eventually(t, "all calls are in", func() bool { s := p.Stats(); return s.Busy+s.Waiting+int(s.Done) == 20 })
	var closers sync.WaitGroup
	for range 3 {
		closers.Go(func() {
			if err := p.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
			if s := p.Stats(); s.Workers != 0 || s.Done != 20 || s.Died != 0 || s.Killed != 0 {
				t.Errorf("after Close, stats are %+v", s)
			}
		})
	}
	closers.Wait()
	calls.Wait()
	if _, err := p.Execute(ctx, echoCall(1)); err != aio.ErrClosed {
		t.Errorf("Execute after Close: %v", err)
	}
	if _, err := p.Accept(ctx, echoCall(1)); err != aio.ErrClosed {
		t.Errorf("Accept after Close: %v", err)
	}
}

func TestClose_neverUsed(t *testing.T) {
	for _, c := range []procpool.Config{{}, {Workers: 2, MinWorkers: 2}} {
		p := pool(t, c)
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if s := p.Stats(); s != (procpool.Stats{}) {
			t.Errorf("stats are %+v", s)
		}
	}
}

func TestClose_onALoop(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 1})
	_, err := aio.Run(soon(t), aio.Do(func(ctx context.Context) error {
		if _, err := p.Execute(ctx, echoCall(1)); err != nil {
			return err
		}
		told := aio.NewPromise[error]()
		l, _ := aio.LoopOf(ctx)
		l.CallSoon(func() { told.Resolve(p.Close()) })
		if err, _ := told.Await(ctx); !errors.Is(err, aio.ErrWouldDeadlock) {
			return fmt.Errorf("Close in a callback: %w", err)
		}
		if _, err := p.Execute(ctx, echoCall(1)); !errors.Is(err, aio.ErrClosed) {
			return fmt.Errorf("Execute after that: %w", err)
		}
		return p.Close()
	}))
	if err != nil {
		t.Error(err)
	}
}

// In waits until a worker has the call, and leaves it to others if its caller goes.
func TestAccept(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 1})
	ctx := soon(t)
	name := t.TempDir() + "/n"
	busy, release := context.WithCancel(ctx)
	first := hang.In(busy, p, name)
	running(t, name)

	waiting, leave := context.WithCancel(ctx)
	refused := make(chan error)
	go func() {
		_, err := p.Accept(waiting, echoCall(1))
		refused <- err
	}()
	eventually(t, "the call waits", func() bool { return p.Stats().Waiting == 1 })
	leave()
	if err := <-refused; !errors.Is(err, context.Canceled) {
		t.Errorf("its caller left: %v", err)
	}

	accepted := make(chan *aio.Future[int])
	go func() { accepted <- pid.In(ctx, p, 0) }()
	eventually(t, "the call waits", func() bool { return p.Stats().Waiting == 1 })
	select {
	case <-accepted:
		t.Error("In returned before there was a worker")
	default:
	}
	release()
	if _, err := (<-accepted).Await(ctx); err != nil {
		t.Error(err)
	}
	if _, err := first.Await(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}

	// Accepted, and cancelled before it is sent: the worker is free for others.
	before := p.Stats()
	outcome, err := p.Accept(ctx, echoCall(1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := outcome(waiting); !errors.Is(err, context.Canceled) {
		t.Errorf("outcome under an ended ctx: %v", err)
	}
	if s := p.Stats(); s != before {
		t.Errorf("stats were %+v, and are %+v", before, s)
	}
}
