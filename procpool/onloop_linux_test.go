package procpool_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/procpool"
)

// A task that finds an idle worker has no goroutine wait for its answer. Where a loop can watch
// descriptors, which is known to be so on Linux.
func TestExecute_onLoop(t *testing.T) {
	defer procpool.LoopsTurn(time.Hour)()
	p := pool(t, procpool.Config{Workers: 1})
	ctx := soon(t)
	for name, size := range map[string]int{"nothing": 0, "short": 64, "all that fits": 3900} {
		name = t.TempDir() + "/" + name
		_, err := aio.Run(ctx, aio.Do(func(ctx context.Context) error {
			if _, err := p.Execute(ctx, echoCall(size)); err != nil { // now there is a worker
				return err
			}
			task := aio.Go(ctx, func(ctx context.Context) ([]byte, error) { return p.Execute(ctx, callOf(waits, name)) })
			look := func(context.Context) (int, error) { return running(t, name), nil }
			if _, err := aio.Blocking(ctx, look); err != nil {
				return err
			}
			for _, in := range []string{"(*worker).exchange(", "(*worker).takeOver(", "(*frameReader).next("} {
				if stack := stackWith(in); stack != "" {
					t.Errorf("a goroutine waits for the answer:\n%s", stack)
				}
			}
			if err := os.WriteFile(name+".go", nil, 0o666); err != nil {
				return err
			}
			if _, err := task.Await(ctx); err != nil {
				return err
			}
			out, err := p.Execute(ctx, echoCall(size))
			if len(out) < size {
				t.Errorf("%d bytes came back of %d", len(out), size)
			}
			return err
		}))
		if err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// stackWith is the stack of a goroutine that is in the function; "" if none is.
func stackWith(function string) string {
	buf := make([]byte, 1<<20)
	for stack := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(stack, "procpool."+function) {
			return stack
		}
	}
	return ""
}

// A loop that has something else to do keeps its own answer waiting, and nobody else: not those who
// want its worker, and not Close.
func TestExecute_onLoopThatStandsStill(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 1, MinWorkers: 1})
	ctx := soon(t)
	if _, err := pid.In(ctx, p, 0).Await(ctx); err != nil {
		t.Fatal(err)
	}
	call := echoCall(100)
	sent, letGo := make(chan struct{}), make(chan struct{})
	l := aio.Start()
	defer l.Close()
	mine := aio.Submit(ctx, l, func(ctx context.Context) ([]byte, error) {
		aio.Go(ctx, aio.Do(func(context.Context) error { // runs when the call has been sent
			close(sent)
			<-letGo
			return nil
		}))
		return p.Execute(ctx, call)
	})
	<-sent
	if _, err := pid.In(ctx, p, 0).Await(ctx); err != nil {
		t.Errorf("another's call: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if state := mine.State(); state != aio.Pending {
		t.Errorf("the loop did not stand still: its task is %v", state)
	}
	close(letGo)
	if out, err := mine.Await(ctx); err != nil || len(out) < 100 {
		t.Errorf("its own call: %d bytes, %v", len(out), err)
	}
}

// However the worker ends, the call that was left to a loop tells of it, also if the loop sees nothing.
func TestWorkerDied_onLoop(t *testing.T) {
	for _, blind := range []bool{false, true} {
		t.Run(fmt.Sprintf("the loop stands still: %t", blind), func(t *testing.T) {
			defer procpool.LoopsTurn(time.Hour)()
			var out output
			p := pool(t, procpool.Config{Workers: 1, Stderr: &out})
			_, err := aio.Run(soon(t), aio.Do(func(ctx context.Context) error {
				for _, how := range []string{"exit", "panic", "kill"} {
					if _, err := p.Execute(ctx, echoCall(1)); err != nil {
						return err
					}
					call, died := callOf(end, how), p.Stats().Died
					task := aio.Go(ctx, func(ctx context.Context) ([]byte, error) { return p.Execute(ctx, call) })
					if blind {
						if err := aio.Yield(ctx); err != nil { // it has been sent then
							return err
						}
						eventually(t, "the worker is gone", func() bool { return p.Stats().Died == died+1 }) // here, on the loop
					}
					_, err := task.Await(ctx)
					got := diedOf(t, err)
					if !strings.HasPrefix(got.Stderr, "last words of "+how) || got.State == nil || p.Stats().Died != died+1 {
						t.Errorf("%s: state %v, stderr %q, stats are %+v", how, got.State, got.Stderr, p.Stats())
					}
				}
				return nil
			}))
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// Answers that are no short frames, or none at all, or come from workers that many loops use in turns.
func TestExecute_onLoopsInTurns(t *testing.T) {
	p := pool(t, procpool.Config{Workers: 2})
	ctx := soon(t)
	loops := []*aio.Loop{aio.Start(), aio.Start(), aio.Start()}
	for i, size := range []int{0, 1, 64, 3900, 3990, 4000, 4050, 4100, 9000, 16 << 10, 16<<10 + 1, 70 << 10, 1 << 20, 64, 1} {
		l := loops[i%3]
		if i == 6 { // a loop may be gone, and another one have its place
			if err := l.Close(); err != nil {
				t.Error(err)
			}
			l = aio.Start()
			loops[0] = l
		}
		in := bytes.Repeat([]byte{byte(i)}, size)
		for _, call := range []func(context.Context) ([]byte, error){
			func(ctx context.Context) ([]byte, error) { return echo.In(ctx, p, in).Await(ctx) },
			func(ctx context.Context) ([]byte, error) { return p.Execute(ctx, callOf(echo, in)) },
			func(ctx context.Context) ([]byte, error) { return p.Execute(ctx, callOf(blank, size)) }, // short there, maybe long back
		} {
			out, err := aio.Submit(ctx, l, call).Await(ctx)
			if err != nil || len(out) < size || len(out) > size+100 {
				t.Errorf("%d bytes: %d came back, %v", size, len(out), err)
			}
		}
	}
	for _, l := range loops {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if s := p.Stats(); s.Busy != 0 || s.Died != 0 || s.Killed != 0 {
		t.Errorf("stats are %+v", s)
	}
}

// A loop that closes ends its calls, and their workers, and no others.
func TestExecute_onLoopThatCloses(t *testing.T) {
	defer procpool.LoopsTurn(time.Hour)()
	p := pool(t, procpool.Config{Workers: 1})
	ctx := soon(t)
	if _, err := pid.In(ctx, p, 0).Await(ctx); err != nil {
		t.Fatal(err)
	}
	l, name := aio.Start(), t.TempDir()+"/hangs"
	call := callOf(hang, name)
	task := aio.Submit(ctx, l, func(ctx context.Context) ([]byte, error) { return p.Execute(ctx, call) })
	running(t, name)
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := task.Result(); !errors.Is(err, context.Canceled) {
		t.Errorf("the call: %v", err)
	}
	if got, err := pid.In(ctx, p, 0).Await(ctx); err != nil || got == 0 {
		t.Errorf("the next call: %v", err)
	}
	if s := p.Stats(); s.Killed != 1 || s.Died != 0 {
		t.Errorf("stats are %+v", s)
	}
}
