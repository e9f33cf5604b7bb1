package aio

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A handle is good for one callback, also after its slot has another.
func TestHandle_generations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Start()
		defer l.Close()
		inLoop := func(fn func()) {
			done := make(chan struct{})
			l.CallSoon(func() { defer close(done); fn() })
			<-done
		}
		ran := 0
		var old Handle
		inLoop(func() { old = l.CallSoon(func() { ran++ }) })
		inLoop(func() {
			if old.Cancel() {
				t.Error("Cancel of a callback that was called reported true")
			}
			// The pool is a stack: the next few get the slot again.
			var hs []Handle
			for range 3 * slotChunk {
				hs = append(hs, l.CallSoon(func() { ran++ }))
			}
			if !slices.ContainsFunc(hs, func(h Handle) bool { return h.slot == old.slot && h.word != old.word }) {
				t.Error("the slot was not used again, so this test shows nothing")
			}
			if old.Cancel() {
				t.Error("an old handle cancelled another's callback")
			}
			if !hs[5].Cancel() || hs[5].Cancel() {
				t.Error("Cancel reports true once")
			}
		})
		inLoop(func() {})
		if want := 1 + 3*slotChunk - 1; ran != want {
			t.Errorf("%d callbacks ran, want %d", ran, want)
		}
		if (Handle{}).Cancel() || (Handle{}).Err() != nil {
			t.Error("the zero handle is of no callback")
		}
		var self Handle
		inLoop(func() {
			self = l.CallSoon(func() {
				if self.Cancel() {
					t.Error("Cancel of a callback that is being called reported true")
				}
			})
		})
	})
}

// Timers, armed and cancelled on the loop and elsewhere, against a model.
func TestHandle_timersAgainstAModel(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			l := Start()
			defer l.Close()
			type timer struct {
				h    Handle
				when time.Duration
				id   int
			}
			var got, want []int
			var armed []timer
			arm := func(id int, d time.Duration) {
				armed = append(armed, timer{l.CallLater(d, func() { got = append(got, id) }), d, id})
			}
			cancel := func(i int) {
				if !armed[i].h.Cancel() {
					t.Errorf("seed %d: a timer that is not due could not be cancelled", seed)
				}
				armed = slices.Delete(armed, i, i+1)
			}
			for id := range 600 {
				d := time.Duration(1+random.IntN(40)) * time.Second
				i := random.IntN(len(armed) + 1)
				act := func() {
					if arm(id, d); id%3 > 0 && i < len(armed) {
						cancel(i)
					}
				}
				if random.IntN(2) == 0 {
					act()
				} else {
					done := make(chan struct{})
					l.CallSoon(func() { act(); close(done) })
					<-done
				}
			}
			slices.SortStableFunc(armed, func(a, b timer) int { return int(a.when - b.when) })
			for _, a := range armed {
				want = append(want, a.id)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
			if !slices.Equal(got, want) {
				t.Errorf("seed %d: ran %v, want %v", seed, got, want)
			}
			l.CallSoon(func() {
				if n := l.timers.Len(); n > 64 {
					t.Errorf("seed %d: %d timers are left in the queue", seed, n)
				}
				if n := l.cancelled.Load(); n != int64(l.timers.Len()) {
					t.Errorf("seed %d: %d count as cancelled, %d are left", seed, n, l.timers.Len())
				}
			})
			synctest.Wait()
		})
	}
}

// Cancelled timers do not stay until they would have been due.
func TestHandle_cancelledTimersAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := Start()
		defer l.Close()
		for range 100_000 {
			l.CallLater(time.Hour, func() { t.Error("a cancelled timer ran") }).Cancel()
		}
		time.Sleep(time.Second)
		left := make(chan int)
		l.CallSoon(func() { n := l.timers.Len(); go func() { left <- n }() })
		if n := <-left; n > 1000 {
			t.Errorf("%d of 100,000 cancelled timers are still in the queue", n)
		}
	})
}
