package aio_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
)

// The corners of ForEach.

func TestForEach_oneAtATime(t *testing.T) {
	both(t, func(ctx context.Context) error {
		var tr trace
		items := func(yield func(int) bool) {
			for i := range 3 {
				tr.add("take%d", i)
				if !yield(i) {
					return
				}
			}
		}
		err := aio.ForEach(ctx, 1, items, func(ctx context.Context, i int) error {
			tr.add("begin%d", i)
			err := aio.Sleep(ctx, time.Second)
			tr.add("end%d", i)
			return err
		})
		tr.check(t, "take0 begin0 end0 take1 begin1 end1 take2 begin2 end2")
		return errors.Join(err, aio.ForEach(ctx, 1, slices.Values([]int(nil)), func(context.Context, int) error { return io.EOF }))
	})
}

// However fn ends, that is ForEach's error, no more items are taken, and what runs is cancelled and waited for.
func TestForEach_waysToFail(t *testing.T) {
	ways := map[string]struct {
		fail func() error
		want error
	}{
		"error":  {func() error { return io.EOF }, io.EOF},
		"panic":  {func() error { explode(io.EOF); return nil }, io.EOF},
		"Goexit": {func() error { runtime.Goexit(); return nil }, aio.ErrGoexit},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			both(t, func(ctx context.Context) error {
				taken, cancelled := 0, 0
				items := func(yield func(int) bool) {
					for taken < 100 && yield(taken) {
						taken++
					}
				}
				err := aio.ForEach(ctx, 3, items, func(ctx context.Context, i int) error {
					if i == 1 {
						_ = aio.Sleep(ctx, time.Second)
						return way.fail()
					}
					err := aio.Sleep(ctx, time.Hour)
					cancelled++
					return err
				})
				if !errors.Is(err, way.want) || taken > 3 || cancelled != 2 {
					t.Errorf("in a task %v: got %v; %d items taken, %d cancelled", aio.InTask(), err, taken+1, cancelled)
				}
				return nil
			})
		})
	}
}

// The end of ctx ends the wait for room and what runs; under a context that has ended no item is taken.
func TestForEach_contextEnds(t *testing.T) {
	both(t, func(ctx context.Context) error {
		outer, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		l, _ := aio.LoopOf(ctx)
		l.CallLater(time.Second, func() { cancel(errCause) })
		taken := 0
		items := iter.Seq[int](func(yield func(int) bool) {
			for taken++; yield(taken); taken++ {
			}
		})
		sleep := func(ctx context.Context, _ int) error { return aio.Sleep(ctx, time.Hour) }
		checkErr(t, "ForEach", aio.ForEach(outer, 2, items, sleep), context.Canceled, errCause)
		if taken != 2 {
			t.Errorf("in a task %v: %d items were taken, want as many as there was room for", aio.InTask(), taken)
		}
		checkErr(t, "under a context that has ended", aio.ForEach(outer, 2, items, sleep), context.Canceled, errCause)
		if taken != 2 {
			t.Errorf("in a task %v: under a context that has ended an item was taken", aio.InTask())
		}
		return nil
	})
}

// items is pulled by the caller: it may wait, and its panic is the caller's, when what runs has ended.
func TestForEach_itemsWaitAndPanic(t *testing.T) {
	both(t, func(ctx context.Context) error {
		var tr trace
		items := func(yield func(int) bool) {
			for i := range 2 {
				_ = aio.Sleep(ctx, time.Second)
				if !yield(i) {
					return
				}
			}
			explode("items")
		}
		defer func() {
			tr.add("%v", recover())
			tr.check(t, "begin0 begin1 end0 end1 items")
		}()
		return aio.ForEach(ctx, 2, items, func(ctx context.Context, i int) error {
			tr.add("begin%d", i)
			_ = aio.Sleep(context.WithoutCancel(ctx), time.Minute)
			tr.add("end%d", i)
			return nil
		})
	})
}
