package aio_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// panics calls fn, which must panic with a text that says so.
func panics(t *testing.T, want string, fn func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if v, _ := recover().(string); !strings.HasPrefix(v, "aio: ") || !strings.Contains(v, want) {
			t.Errorf("panicked with %q, want one that says %q", v, want)
		}
	}()
	fn()
}

func TestQueue_misuse(t *testing.T) {
	panics(t, "NewQueue with a negative limit", func() { aio.NewQueue[int](-1) })
	panics(t, "NewLIFOQueue with a negative limit", func() { aio.NewLIFOQueue[int](-1) })
	panics(t, "NewPriorityQueue with a negative limit", func() { aio.NewPriorityQueue(-1, lower) })
	panics(t, "compares", func() { aio.NewPriorityQueue[int](0, nil) })
	var q aio.Queue[int]
	panics(t, "TaskDone", q.TaskDone)
	_ = q.TryPut(1)
	q.TaskDone()
	panics(t, "TaskDone", q.TaskDone)
	panics(t, "NewSemaphore", func() { aio.NewSemaphore(-1) })
	panics(t, "NewBoundedSemaphore", func() { aio.NewBoundedSemaphore(-1) })
	s := aio.NewBoundedSemaphore(2)
	panics(t, "all of its 2 permits", s.Release)
	free := 0
	for s.TryAcquire() {
		free++
	}
	if free != 2 {
		t.Errorf("after a Release that panicked %d permits are free, want 2", free)
	}
	s.Release()
	s.Release()
	panics(t, "all of its 2 permits", s.Release)
}

// Each kind of queue against what is plainly right: a list, in which the next one is searched for.
func TestQueue_orders(t *testing.T) {
	type item struct{ rank, came int }
	first := func(list []item, better func(a, b item) bool) int {
		at := 0
		for i, it := range list {
			if better(it, list[at]) {
				at = i
			}
		}
		return at
	}
	for name, kind := range map[string]struct {
		q      *aio.Queue[item]
		better func(a, b item) bool
	}{
		"fifo":     {aio.NewQueue[item](0), func(a, b item) bool { return a.came < b.came }},
		"lifo":     {aio.NewLIFOQueue[item](0), func(a, b item) bool { return a.came > b.came }},
		"priority": {aio.NewPriorityQueue(0, func(a, b item) bool { return a.rank < b.rank }), func(a, b item) bool { return a.rank < b.rank || a.rank == b.rank && a.came < b.came }},
	} {
		t.Run(name, func(t *testing.T) {
			const seed = 7
			r := rand.New(rand.NewPCG(seed, 0))
			var list []item
			for i := range 20000 {
				growing := i/5000%2 == 0 // up to some thousands, so that memory is given back, too
				if r.IntN(10) < 4 != growing || len(list) == 0 {
					it := item{r.IntN(50), i}
					_ = kind.q.TryPut(it)
					list = append(list, it)
					continue
				}
				at := first(list, kind.better)
				if got, err := kind.q.TryGet(); got != list[at] || err != nil {
					t.Fatalf("step %d of seed %d, with %d items: got %+v (%v), want %+v", i, seed, len(list), got, err, list[at])
				}
				list = slices.Delete(list, at, at+1)
			}
			if kind.q.Len() != len(list) {
				t.Errorf("%d are left, want %d", kind.q.Len(), len(list))
			}
		})
	}
}

// A less that panics, or goes, leaves the queue as it was, usable, and nobody waiting for what is there.
func TestQueue_panickingLess(t *testing.T) {
	for name, fail := range map[string]func(){"panic": func() { panic("less") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fails := false
				q := aio.NewPriorityQueue(4, func(a, b int) bool {
					if fails {
						fail()
					}
					return a < b
				})
				failing := func(fn func()) {
					fails = true
					over := make(chan struct{})
					go func() {
						defer close(over)
						defer func() { _ = recover() }()
						fn()
						t.Error("did not fail")
					}()
					<-over
					fails = false
				}
				for _, v := range []int{5, 3, 4} {
					_ = q.TryPut(v)
				}
				failing(func() { _ = q.TryPut(1) })
				failing(func() { _, _ = q.TryGet() })
				failing(func() { _ = q.Put(t.Context(), 1) })
				failing(func() { _, _ = q.Get(t.Context()) })
				var got []int
				for q.Len() > 0 {
					v, _ := q.TryGet()
					got = append(got, v)
				}
				if !slices.Equal(got, []int{3, 4, 5}) {
					t.Errorf("the queue holds %v, want 3, 4, 5", got)
				}
			})
		})
	}
}

// Who was woken for an item or for room, and then fails by less, leaves it to the next one.
func TestQueue_panickingLessPassesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := start(t)
		fails := false
		q := aio.NewPriorityQueue(3, func(a, b int) bool {
			if fails {
				fails = false
				panic("less")
			}
			return a < b
		})
		// step does something in one step of the loop; the first who then asks less fails.
		step := func(fn func()) {
			l.CallSoon(func() { fn(); fails = true })
			synctest.Wait()
			if fails {
				t.Error("nobody asked less")
			}
		}
		failed := func(err error) {
			t.Helper()
			var p *aio.PanicError
			if !errors.As(err, &p) {
				t.Errorf("the first: %v, want its panic", err)
			}
		}
		var gets []*aio.Task[int]
		for range 4 {
			gets = append(gets, aio.Submit(context.Background(), l, q.Get))
		}
		synctest.Wait()
		step(func() { // wakes three, of which the first leaves its item to the fourth
			for v := range 3 {
				_ = q.TryPut(v)
			}
		})
		_, err := gets[0].Result()
		failed(err)
		for i, want := range []int{0, 1, 2} {
			if v, err := gets[i+1].Result(); v != want || err != nil {
				t.Errorf("of the others number %d: %v, %v, want %d", i, v, err, want)
			}
		}

		for v := range 3 {
			_ = q.TryPut(v)
		}
		var puts []*aio.Task[struct{}]
		for v := range 2 {
			puts = append(puts, aio.Submit(context.Background(), l, aio.Do(func(ctx context.Context) error { return q.Put(ctx, 3+v) })))
		}
		synctest.Wait()
		step(func() { _, _ = q.TryGet() })
		_, err = puts[0].Result()
		failed(err)
		if _, err := puts[1].Result(); err != nil || q.Len() != 3 {
			t.Errorf("the second: %v, %d items, want 3", err, q.Len())
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestQueue_close(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		q := aio.NewQueue[int](1)
		get := func(want error) func(context.Context) error {
			return func(ctx context.Context) error {
				if _, err := q.Get(ctx); err != want {
					t.Errorf("Get: %v, want %v", err, want)
				}
				return nil
			}
		}
		put := func(want error) func(context.Context) error {
			return func(ctx context.Context) error {
				if err := q.Put(ctx, 1); err != want {
					t.Errorf("Put: %v, want %v", err, want)
				}
				return nil
			}
		}
		finish(t, a(put(nil)))
		waiting := []func() error{a(put(aio.ErrQueueClosed)), b(put(aio.ErrQueueClosed))}
		synctest.Wait()
		q.Close()
		q.Close()
		finish(t, waiting...)
		finish(t, b(put(aio.ErrQueueClosed)), a(get(nil)))
		finish(t, a(get(aio.ErrQueueClosed)), b(put(aio.ErrQueueClosed)))
		if _, err := q.TryGet(); err != aio.ErrQueueClosed {
			t.Errorf("TryGet: %v", err)
		}
		if err := q.TryPut(1); err != aio.ErrQueueClosed {
			t.Errorf("TryPut: %v", err)
		}

		q = aio.NewQueue[int](1)
		waiting = []func() error{a(get(aio.ErrQueueClosed)), b(get(aio.ErrQueueClosed))}
		synctest.Wait()
		q.Close()
		finish(t, waiting...)
	})
}

// Each item goes to one of those who range, what is left at the end too, and Join waits for all of them.
func TestQueue_allAndJoin(t *testing.T) {
	each(t, func(t *testing.T, a, b caller) {
		q := aio.NewQueue[int](2)
		var m aio.Mutex
		var got []int // guarded by m
		consume := func(ctx context.Context) error {
			for v := range q.All(ctx) {
				if err := m.Lock(ctx); err != nil {
					return err
				}
				got = append(got, v)
				m.Unlock()
				if err := aio.Sleep(ctx, time.Millisecond); err != nil {
					return err
				}
				q.TaskDone()
			}
			return ctx.Err()
		}
		consumers := []func() error{a(consume), b(consume), a(consume)}
		finish(t, b(func(ctx context.Context) error {
			for i := range 100 {
				if err := q.Put(ctx, i); err != nil {
					return err
				}
			}
			q.Close()
			err := q.Join(ctx)
			if len(got) != 100 {
				t.Errorf("Join returned when %d of 100 were done", len(got))
			}
			return err
		}))
		finish(t, consumers...)
		slices.Sort(got)
		if len(slices.Compact(got)) != 100 {
			t.Errorf("%d different items came, want 100", len(slices.Compact(got)))
		}
	})
}

// A body that breaks off has its item, and leaves the others.
func TestQueue_allBreak(t *testing.T) {
	var q aio.Queue[int]
	for i := range 3 {
		_ = q.TryPut(i)
	}
	for v := range q.All(t.Context()) {
		if v == 1 {
			break
		}
	}
	if v, err := q.TryGet(); v != 2 || err != nil {
		t.Errorf("left: %v, %v, want 2", v, err)
	}
}

// Who leaves hands on only what it was woken for, and only while that is there. Somebody who is woken for nothing would queue anew, and so
// lose its place.
func TestQueue_leavingCostsNobodyItsPlace(t *testing.T) {
	for name, barges := range map[string]bool{"what it was woken for is gone": true, "it was not woken": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				run(t, func(ctx context.Context) error {
					q := aio.NewQueue[int](0)
					var tr trace
					get := func(name string) *aio.Task[int] {
						return aio.Go(ctx, func(ctx context.Context) (int, error) {
							v, err := q.Get(ctx)
							if err == nil {
								tr.add("%s%d", name, v)
							}
							return v, err
						})
					}
					a, b := get("a"), get("b")
					get("c")
					get("d")
					_ = aio.Yield(ctx)
					if barges {
						_ = q.TryPut(1)
						_, _ = q.TryGet()
						a.Cancel(nil)
					} else {
						b.Cancel(nil) // so it runs before a, for which the item is
						_ = q.TryPut(1)
					}
					_ = aio.Sleep(ctx, time.Second)
					for v := 2; v < 5; v++ {
						_ = q.TryPut(v)
						_ = aio.Sleep(ctx, time.Second)
					}
					if barges {
						tr.check(t, "b2 c3 d4")
					} else {
						tr.check(t, "a1 c2 d3")
					}
					return nil
				})
			})
		})
	}
}
