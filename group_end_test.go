package aio_test

import (
	"context"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// Under context.WithoutCancel a task is still a member, whatever the cancellation; submitted under it, it is none, and has the values.
func TestGroup_outlived(t *testing.T) {
	type key struct{}
	synctest.Test(t, func(t *testing.T) {
		run(t, func(ctx context.Context) error {
			loop, _ := aio.LoopOf(ctx)
			ctx = context.WithValue(ctx, key{}, 7)
			began := time.Now()
			var outlives *aio.Task[int]
			err := aio.WithGroup(ctx, func(ctx context.Context) error {
				kept := context.WithoutCancel(ctx)
				aio.Go(kept, aio.Do(func(ctx context.Context) error { return aio.Sleep(ctx, time.Second) }))
				outlives = aio.Submit(kept, loop, func(ctx context.Context) (int, error) {
					return ctx.Value(key{}).(int), aio.Sleep(ctx, time.Hour)
				})
				return errCause
			})
			if took := time.Since(began); err != errCause || took != time.Second {
				t.Errorf("the group ended after %v with %v", took, err)
			}
			v, err := outlives.Await(ctx)
			if took := time.Since(began); v != 7 || took != time.Hour {
				t.Errorf("what was submitted ended after %v with %v", took, v)
			}
			return err
		})
	})
}

// A group that Close gave up on returns nothing to anybody: what its members failed with, before and after, is reported.
func TestGroup_givenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := newReports()
		l := start(t, seen.option(), aio.WithGrace(time.Second))
		aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error {
			return aio.WithGroup(ctx, func(ctx context.Context) error {
				aio.Go(ctx, failsAfter(time.Second, io.EOF))
				aio.Go(ctx, failsAfter(time.Hour, io.ErrShortWrite))
				return nil
			})
		}))
		time.Sleep(time.Minute)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if got := seen.all(); len(got) != 2 || got[0].Err != io.EOF || got[1].Err != io.ErrShortWrite {
			t.Errorf("Unhandled was told %v, want EOF, and what the member failed with that was ended by force", got)
		}
	})
}

// When WithGroup returns body's context has ended, and so has what comes from it and was not waited for.
func TestGroup_contextEndsWithIt(t *testing.T) {
	both(t, func(ctx context.Context) error {
		var inside, derived context.Context
		var grandchild *aio.Task[int]
		err := aio.WithGroup(ctx, func(ctx context.Context) error {
			inside, derived = ctx, context.WithValue(ctx, key{}, 1)
			aio.Go(ctx, func(ctx context.Context) (int, error) {
				grandchild = aio.Go(ctx, sleeper(time.Hour, nil)) // no member
				return 0, aio.Sleep(ctx, time.Second)
			})
			return nil
		})
		if inside.Err() != context.Canceled || derived.Err() != context.Canceled {
			t.Errorf("in a task %v: body's context: %v, one from it: %v", aio.InTask(), inside.Err(), derived.Err())
		}
		began := aio.Now(ctx)
		_, ended := grandchild.Await(ctx)
		checkErr(t, "what a member started", ended, aio.ErrCancelled)
		if took := aio.Now(ctx).Sub(began); took != 0 {
			t.Errorf("in a task %v: it went on for %v", aio.InTask(), took)
		}
		return err
	})
}
