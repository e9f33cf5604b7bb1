package aio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// others is what the waits of TestTasks_on wait for.
type others struct {
	tasks   []*aio.Task[int] // task-1, task "reader", task-3, task-4, task-5; they never end
	promise *aio.Promise[int]
	foreign *aio.Task[int] // of another loop
	loop    *aio.Loop      // the other one
	pool    *aio.Pool      // of one worker
}

func stuckCall(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// fills gives the pool's worker a call that ends when ctx does.
func (o others) fills(ctx context.Context) error {
	return o.pool.Submit(ctx, func() { _ = stuckCall(ctx) })
}

// Every wait says what it is for, whoever asks: the loop itself, a goroutine while the loop sleeps, or while a step holds it.
func TestTasks_on(t *testing.T) {
	type wait = func(ctx context.Context, o others) error
	tests := map[string]struct {
		wait wait
		want string // {1h} is the time in an hour
	}{
		"sleep":      {func(ctx context.Context, _ others) error { return aio.Sleep(ctx, time.Hour) }, "sleep until {1h}"},
		"long sleep": {func(ctx context.Context, _ others) error { return aio.Sleep(ctx, 24*time.Hour) }, "sleep until {24h}"},
		"event": {func(ctx context.Context, _ others) error {
			ctx, stop := aio.WithTimeout(ctx, time.Hour)
			defer stop()
			return new(aio.Event).Wait(ctx)
		}, "event"},
		"queue get": {func(ctx context.Context, _ others) error { _, err := aio.NewQueue[int](0).Get(ctx); return err }, "queue get"},
		"queue get under a derived context": {func(ctx context.Context, _ others) error {
			ctx, stop := context.WithCancel(ctx)
			defer stop()
			_, err := aio.NewQueue[int](0).Get(ctx)
			return err
		}, "queue get"},
		"queue put": {func(ctx context.Context, _ others) error {
			q := aio.NewQueue[int](1)
			return errors.Join(q.Put(ctx, 1), q.Put(ctx, 2))
		}, "queue put"},
		"mutex": {func(ctx context.Context, _ others) error {
			var m aio.Mutex
			return errors.Join(m.Lock(ctx), m.Lock(ctx))
		}, "mutex"},
		"condition": {func(ctx context.Context, _ others) error {
			var m aio.Mutex
			defer m.Unlock()
			return errors.Join(m.Lock(ctx), aio.NewCond(&m).Wait(ctx))
		}, "condition"},
		"barrier": {func(ctx context.Context, _ others) error { _, err := aio.NewBarrier(2).Wait(ctx); return err }, "barrier"},
		"join": {func(ctx context.Context, _ others) error {
			var q aio.Queue[int]
			return errors.Join(q.Put(ctx, 1), q.Join(ctx))
		}, "queue join"},
		"semaphore":    {func(ctx context.Context, _ others) error { return aio.NewSemaphore(0).Acquire(ctx) }, "semaphore"},
		"promise":      {func(ctx context.Context, o others) error { _, err := o.promise.Await(ctx); return err }, "promise"},
		"task":         {func(ctx context.Context, o others) error { _, err := o.tasks[0].Await(ctx); return err }, "task-1"},
		"named task":   {func(ctx context.Context, o others) error { _, err := o.tasks[1].Await(ctx); return err }, `task "reader"`},
		"foreign task": {func(ctx context.Context, o others) error { _, err := o.foreign.Await(ctx); return err }, "a task of another loop"},
		"gather": {func(ctx context.Context, o others) error {
			_, err := aio.Gather(ctx, o.tasks[0], o.tasks[2], o.tasks[0])
			return err
		}, "gather: task-1, task-3"},
		"large gather": {func(ctx context.Context, o others) error { _, err := aio.GatherAll(ctx, o.tasks...); return err },
			`gather: task-1, task "reader", task-3 and 2 more`},
		"gather of promises": {func(ctx context.Context, o others) error { _, err := aio.Gather(ctx, o.promise); return err }, "gather"},
		"wait": {func(ctx context.Context, o others) error {
			_, _, err := aio.Wait[aio.Waiter](ctx, aio.AllDone, o.tasks[2], o.promise)
			return err
		}, "wait: task-3"},
		"as completed": {func(ctx context.Context, o others) error {
			for range aio.AsCompleted(ctx, o.tasks[0], o.tasks[2]) {
				return errors.New("what never ends came")
			}
			return ctx.Err()
		}, "as completed: task-1, task-3"},
		"as completed, within another": {func(ctx context.Context, o others) error {
			done := aio.NewPromise[int]()
			done.Resolve(1)
			for range aio.AsCompleted[aio.Waiter](ctx, done, o.tasks[0]) {
				for range aio.AsCompleted(ctx, o.tasks[2]) {
					return errors.New("what never ends came")
				}
			}
			return ctx.Err()
		}, "as completed: task-3"},
		"shield": {func(ctx context.Context, _ others) error {
			_, err := aio.Shield(ctx, aio.Do(new(aio.Event).Wait))
			return err
		}, "shield: task-7"},
		"group": {func(ctx context.Context, _ others) error {
			return aio.WithGroup(ctx, func(ctx context.Context) error {
				for range 2 {
					aio.Go(ctx, aio.Do(new(aio.Event).Wait))
				}
				return nil
			})
		}, "group: task-7, task-8"},
		"blocking": {func(ctx context.Context, _ others) error { _, err := aio.Blocking(ctx, aio.Do(stuckCall)); return err }, "blocking call"},
		"executor": {func(ctx context.Context, o others) error {
			_, err := aio.InExecutor(ctx, o.pool, aio.Do(stuckCall)).Await(ctx)
			return err
		}, "call on an executor"},
		"pool": {func(ctx context.Context, o others) error { return errors.Join(o.fills(ctx), o.fills(ctx)) }, "room in a pool"},
		"close of a pool": {func(ctx context.Context, o others) error {
			return errors.Join(o.fills(o.loop.Context()), o.pool.Close())
		}, "close of an executor"},
		"shutdown": {func(ctx context.Context, o others) error { return o.loop.Shutdown(ctx) }, "end of another loop's tasks"},
		"close": {func(ctx context.Context, o others) error {
			aio.Submit(context.Background(), o.loop, aio.Do(func(ctx context.Context) error { return aio.Sleep(context.WithoutCancel(ctx), time.Second) }))
			return errors.Join(aio.Yield(ctx), o.loop.Close())
		}, "close of another loop"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				now := time.Now()
				want := strings.NewReplacer("{1h}", now.Add(time.Hour).Format("15:04:05.000"), "{24h}", now.Add(24*time.Hour).Format("2006-01-02 15:04:05")).Replace(tt.want)
				checkOn(t, tt.wait, want)
			})
		})
	}
}

func checkOn(t *testing.T, wait func(context.Context, others) error, want string) {
	l, other := start(t, quiet()), start(t)
	o := others{loop: other, promise: aio.NewPromise[int](), pool: aio.NewPool(aio.PoolConfig{Workers: 1})}
	o.foreign = aio.Submit(context.Background(), other, sleeper(time.Hour, nil))
	for i := range 5 {
		var opts []aio.TaskOption
		if i == 1 {
			opts = append(opts, aio.Named("reader"))
		}
		o.tasks = append(o.tasks, aio.Submit(context.Background(), l, func(ctx context.Context) (int, error) { return 0, new(aio.Event).Wait(ctx) }, opts...))
	}
	task := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error { return wait(ctx, o) }))
	synctest.Wait()
	check := func(where string, infos []aio.TaskInfo, want string) {
		if len(infos) < 6 || infos[5].State != "waiting" || infos[5].On != want {
			t.Errorf("%s: %+v\nwant it to wait for %q", where, infos, want)
		}
	}
	check("while the loop sleeps", l.Tasks(), want)
	on(t, l, func(context.Context) error { check("on the loop", l.Tasks(), want); return nil })
	held := make(chan struct{})
	l.CallSoon(func() { <-held })
	want, _, _ = strings.Cut(want, " until")
	check("while a step holds the loop", l.Tasks(), want)
	close(held)
	task.Cancel(nil)
	_ = l.Close()
	_ = other.Close()
	_ = o.pool.Close()
}

// What is told of a sleep is its own deadline, not that of one before it that was ended.
func TestTasks_sleepsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		var until time.Time
		task := aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			for range 5 {
				short, cancel := aio.WithTimeout(ctx, time.Second)
				_ = aio.Sleep(short, 2*time.Hour)
				cancel()
			}
			until = aio.Now(ctx).Add(time.Hour)
			return aio.Sleep(ctx, time.Hour)
		}))
		time.Sleep(time.Minute)
		checkTasks(t, l.Tasks(), "task-1 waiting sleep until "+until.Format("15:04:05.000"))
		if _, err := task.Await(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
