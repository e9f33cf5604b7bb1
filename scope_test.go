package aio_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/seed8b1f0744/aio"
)

// A task's Done channel, kept alone, is closed by the parent's end long after the task and its context are gone.
func TestTaskContext_DoneOutlivesTask(t *testing.T) {
	run(t, func(ctx context.Context) error {
		parent, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		done := make(map[string]<-chan struct{})
		task := aio.Go(parent, aio.Do(func(ctx context.Context) error {
			done["of the task"] = ctx.Done()
			done["of a value context"] = context.WithValue(ctx, key{}, 1).Done()
			derived, cancel := context.WithCancel(ctx)
			_ = cancel
			done["of a derived context"] = derived.Done()
			after := make(chan struct{})
			context.AfterFunc(ctx, func() { close(after) })
			done["AfterFunc"] = after
			inner := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
				done["of an inner task"] = ctx.Done()
				return nil
			}))
			_, err := inner.Await(ctx)
			return err
		}))
		if _, err := task.Await(ctx); err != nil {
			return err
		}
		task = nil
		for range 3 {
			runtime.GC()
		}
		cancel(errors.New("enough"))
		for name, c := range done {
			aio.Blocking(ctx, aio.Do(func(context.Context) error {
				<-c // a hang here is the failure: the channel was lost
				return nil
			}))
			t.Log(name, "closed")
		}
		return nil
	})
}

// What package context derives from a task's context costs no goroutine, carries the cause, and ends at once.
func TestTaskContext_Derived(t *testing.T) {
	why := errors.New("why")
	run(t, func(ctx context.Context) error {
		var derived []context.Context
		task := aio.Go(ctx, aio.Do(func(ctx context.Context) error {
			before := runtime.NumGoroutine()
			for range 100 {
				d, cancel := context.WithCancel(ctx)
				_ = cancel
				derived = append(derived, d)
			}
			if now := runtime.NumGoroutine(); now > before {
				t.Errorf("100 derived contexts cost %d goroutines", now-before)
			}
			return aio.Sleep(ctx, 1<<40)
		}))
		if err := aio.Yield(ctx); err != nil {
			return err
		}
		task.Cancel(why)
		for _, d := range derived {
			if d.Err() != context.Canceled || context.Cause(d) != why {
				t.Fatalf("derived context: Err %v, Cause %v right after Cancel", d.Err(), context.Cause(d))
			}
		}
		if _, err := task.Await(ctx); !errors.Is(err, aio.ErrCancelled) || !errors.Is(err, why) {
			t.Errorf("awaiting the cancelled task: %v", err)
		}
		return nil
	})
}

// A task that starts its successor under its own context and returns, again and again, leaves nothing behind; and the last of the line hears of the first one's parent.
func TestTaskContext_chain(t *testing.T) {
	run(t, func(ctx context.Context) error {
		parent, cancel := aio.WithTimeout(ctx, 1<<40)
		defer cancel()
		const n = 40_000
		var before int64
		ended := aio.NewPromise[error]()
		var next func(left int) func(context.Context) error
		next = func(left int) func(context.Context) error {
			return func(ctx context.Context) error {
				if left == n-100 {
					before = heapBytes()
				}
				if left > 0 {
					aio.Go(ctx, aio.Do(next(left-1)))
					return nil
				}
				if grown := heapBytes() - before; grown > n {
					t.Errorf("%d generations left %d bytes", n, grown)
				}
				cancel()
				ended.Resolve(ctx.Err())
				return nil
			}
		}
		aio.Go(parent, aio.Do(next(n)))
		err, _ := ended.Await(ctx)
		if err != context.Canceled {
			t.Errorf("after the end of the first one's parent the last one's Err is %v", err)
		}
		return nil
	})
}
