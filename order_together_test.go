package aio_test

import (
	"context"
	"errors"
	"strings"

	"github.com/seed8b1f0744/aio"
)

// The programs of TestOrder_asCPython about several at once.

func gatherAllInOrder(s *script) error {
	gather := func(ts ...*aio.Future[string]) error {
		outcomes, err := aio.GatherAll(s.ctx, ts...)
		var words []string
		for _, o := range outcomes {
			switch {
			case errors.Is(o.Err, aio.ErrCancelled):
				words = append(words, "cancelled")
			case o.Err != nil:
				words = append(words, "error "+o.Err.Error())
			default:
				words = append(words, o.Value)
			}
		}
		s.log("%s", strings.Join(words, ", "))
		return err
	}
	a, b, c := &s.task("a", 2, nil).Future, &s.task("b", 0, errors.New("boom")).Future, &s.task("c", 1, nil).Future
	err := errors.Join(gather(a, b, c), gather(a, b, c))
	d, e := &s.task("d", 3, errors.New("late")).Future, &s.task("e", 9, nil).Future
	s.loop.CallSoon(func() { e.Cancel(nil) })
	err = errors.Join(err, gather(d, e, a))
	p := aio.NewPromise[string]()
	p.OnDone(s.ctx, func(string, error) { s.log("p done") })
	s.loop.CallSoon(func() { p.Reject(errors.New("p")) })
	return errors.Join(err, gather(&p.Future, &p.Future))
}

func completedInOrder(s *script) error {
	tell := func(f *aio.Future[string]) {
		if v, err := f.Await(s.ctx); err != nil {
			s.log("error %v", err)
		} else {
			s.log("got %s", v)
		}
	}
	task := func(name string, steps int, fail error) *aio.Future[string] { return &s.task(name, steps, fail).Future }
	a := task("a", 3, nil)
	for f := range aio.AsCompleted(s.ctx, a, task("b", 0, nil), task("c", 0, nil), task("d", 1, nil)) {
		tell(f)
	}
	s.log("those were four")
	e, f := task("e", 1, errors.New("boom")), task("f", 4, nil)
	for t := range aio.AsCompleted(s.ctx, f, a, e) {
		tell(t)
	}
	g, h, i := task("g", 2, nil), task("h", 0, nil), task("i", 1, nil)
	for t := range aio.AsCompleted(s.ctx, g, h, i) {
		tell(t)
		if t == h {
			for range 4 {
				s.yield()
			}
			s.log("body goes on")
		}
	}
	p, q := aio.NewPromise[string](), aio.NewPromise[string]()
	s.loop.CallSoon(func() { q.Resolve("q") })
	for t := range aio.AsCompleted(s.ctx, p, q, p) {
		tell(&t.Future)
		break
	}
	p.OnDone(s.ctx, func(string, error) { s.log("p done") })
	p.Resolve("p")
	n := 0
	for range aio.AsCompleted(s.ctx, p, p) {
		n++
	}
	s.log("%d", n)
	return nil
}

func shieldInOrder(s *script) error {
	caller := func(ctx context.Context, name string, steps int, fail error) error {
		v, err := aio.Shield(ctx, func(ctx context.Context) (string, error) {
			s.log("%s starts", name)
			for range steps {
				if err := aio.Yield(ctx); err != nil {
					return "", err
				}
			}
			s.log("%s ends", name)
			return name, fail
		})
		switch {
		case errors.Is(err, context.Canceled):
			s.log("caller cancelled")
		case err != nil:
			s.log("caller got error %v", err)
		default:
			s.log("caller got %s", v)
		}
		return err
	}
	err := errors.Join(caller(s.ctx, "a", 0, nil), caller(s.ctx, "b", 2, nil))
	_ = caller(s.ctx, "c", 1, errors.New("boom"))
	t := aio.Go(s.ctx, aio.Do(func(ctx context.Context) error { return caller(ctx, "d", 3, nil) }))
	s.yield()
	s.yield()
	t.Cancel(nil)
	s.log("asked")
	if _, err := t.Await(s.ctx); errors.Is(err, aio.ErrCancelled) {
		s.log("main sees it cancelled")
	}
	for range 4 {
		s.yield()
	}
	s.log("main goes on")
	return err
}

var errBoom = errors.New("boom")

func groupCornersInOrder(s *script) error {
	c := corners{s}
	corner := []func(context.Context) error{
		c.memberStartsMember, c.nested, c.innerFails, c.failsInCleanup, c.lastOneFails,
		c.bodyFailsBeforeTheFirstStep, c.memberCancelledAlone, c.failsWhileTheBodyIsReady,
	}
	for _, run := range corner {
		if err := run(s.ctx); err != nil {
			return err
		}
	}
	return nil
}

type corners struct{ *script }

// start starts a task that yields so often and fails so.
func (c corners) start(ctx context.Context, name string, steps int, fail error) *aio.Task[struct{}] {
	return aio.Go(ctx, aio.Do(func(ctx context.Context) error {
		c.log("%s starts", name)
		for range steps {
			if err := aio.Yield(ctx); err != nil {
				c.log("%s cancelled", name)
				return err
			}
		}
		c.log("%s ends", name)
		return fail
	}))
}

// cleans starts a task that waits until it is cancelled, and takes some turns for its clean-up.
func (c corners) cleans(ctx context.Context, name string, steps int, fail error) {
	aio.Go(ctx, aio.Do(func(ctx context.Context) error {
		err := new(aio.Event).Wait(ctx)
		c.log("%s cancelled", name)
		for range steps {
			_ = aio.Yield(context.WithoutCancel(ctx))
		}
		c.log("%s cleaned up", name)
		if fail != nil {
			return fail
		}
		return err
	}))
}

// failed tells of a group that must have failed.
func (c corners) failed(err error, words string) error {
	if err == nil {
		return errors.New("the group did not fail where it should say: " + words)
	}
	c.log("%s", words)
	return nil
}

func (c corners) memberStartsMember(ctx context.Context) error {
	err := aio.WithGroup(ctx, func(group context.Context) error {
		aio.Go(group, aio.Do(func(ctx context.Context) error {
			c.log("parent starts")
			c.start(group, "child", 2, nil)
			err := aio.Yield(ctx)
			c.log("parent ends")
			return err
		}))
		c.log("body ends")
		return nil
	})
	c.log("group ends")
	return err
}

func (c corners) nested(ctx context.Context) error {
	err := aio.WithGroup(ctx, func(outer context.Context) error {
		c.start(outer, "a", 4, nil)
		err := aio.WithGroup(outer, func(inner context.Context) error {
			c.start(inner, "b", 1, nil)
			c.start(outer, "c", 6, nil)
			return nil
		})
		c.log("inner ends")
		return err
	})
	c.log("outer ends")
	return err
}

func (c corners) innerFails(ctx context.Context) error {
	err := aio.WithGroup(ctx, func(outer context.Context) error {
		c.cleans(outer, "d", 2, nil)
		return aio.WithGroup(outer, func(inner context.Context) error {
			c.start(inner, "e", 1, errBoom)
			return nil
		})
	})
	return c.failed(err, "both failed")
}

func (c corners) failsInCleanup(ctx context.Context) error {
	first := errors.New("first")
	err := aio.WithGroup(ctx, func(ctx context.Context) error {
		c.cleans(ctx, "f", 3, errBoom)
		c.start(ctx, "g", 1, first)
		c.log("body ends")
		return nil
	})
	if err == nil || err.Error() != "first\nboom" {
		return err
	}
	return c.failed(err, "group failed 2")
}

func (c corners) lastOneFails(ctx context.Context) error {
	return c.failed(aio.WithGroup(ctx, func(ctx context.Context) error {
		c.start(ctx, "h", 0, nil)
		c.start(ctx, "i", 0, errBoom)
		return nil
	}), "group failed by its last")
}

func (c corners) bodyFailsBeforeTheFirstStep(ctx context.Context) error {
	return c.failed(aio.WithGroup(ctx, func(ctx context.Context) error {
		c.start(ctx, "never", 0, nil)
		return errBoom
	}), "its member never started")
}

func (c corners) memberCancelledAlone(ctx context.Context) error {
	err := aio.WithGroup(ctx, func(ctx context.Context) error {
		t := c.start(ctx, "j", 9, nil)
		c.start(ctx, "k", 4, nil)
		err := aio.Yield(ctx)
		t.Cancel(nil)
		c.log("cancel")
		return err
	})
	c.log("that is no error")
	return err
}

func (c corners) failsWhileTheBodyIsReady(ctx context.Context) error {
	return c.failed(aio.WithGroup(ctx, func(ctx context.Context) error {
		_, err := c.start(ctx, "l", 0, errBoom).Await(ctx)
		if errors.Is(err, context.Canceled) {
			c.log("body cancelled")
		}
		return err
	}), "group failed")
}
