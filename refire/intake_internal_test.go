package refire

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/seed8b1f0744/aio"
)

// TestIntake: requests come out in order, each as soon as it is there although the reader goes on only later, and no more than readAhead wait.
func TestIntake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := newIntake()
		fired := make(chan int) // how many the task has taken
		ahead := make(chan int, 1)
		go func() {
			n := 0
			for _, burst := range []int{1, 2, readAhead - 1, readAhead, readAhead + 1, 3*readAhead + 5} {
				for range burst {
					n++
					if err := in.put(t.Context(), found{request: Request{Method: "GET", Target: strconv.Itoa(n)}}); err != nil {
						t.Error(err)
					}
				}
				for <-fired < n { // the log has no more for now: all that was read must come out
				}
			}
			in.put(t.Context(), found{})
			ahead <- n
		}()
		_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
			for n := 1; ; n++ {
				f, err := in.get(ctx)
				if err != nil {
					return err
				}
				if f.request.Method == "" {
					if all := <-ahead; all != n-1 {
						t.Errorf("%d of %d came", n-1, all)
					}
					return nil
				}
				if f.request.Target != strconv.Itoa(n) {
					t.Errorf("request %d is %s", n, f.request.Target)
				}
				if len(in.taken) >= readAhead {
					t.Errorf("%d more were waiting", len(in.taken))
				}
				go func() { fired <- n }()
				synctest.Wait()
			}
		}))
		if err != nil {
			t.Error(err)
		}
	})
}

// TestIntakeEnds: when ctx ends, neither side waits any more.
func TestIntakeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("enough")
		ctx, stop := context.WithCancelCause(t.Context())
		in := newIntake()
		put := make(chan error)
		go func() {
			for {
				if err := in.put(ctx, found{request: Request{Method: "GET"}}); err != nil {
					put <- err
					return
				}
			}
		}()
		synctest.Wait()
		stop(why)
		if err := <-put; err != why {
			t.Errorf("put: %v", err)
		}
		_, err := aio.Run(t.Context(), func(context.Context) (found, error) { return in.get(ctx) })
		if err != why {
			t.Errorf("get: %v", err)
		}
	})
}
