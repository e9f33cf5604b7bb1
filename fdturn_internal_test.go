package aio

import (
	"context"
	"testing"
)

// What a task has done at connections counts until it waits, and for no other task.
func TestTurn(t *testing.T) {
	_, err := Run(t.Context(), Do(func(ctx context.Context) error {
		l, _ := LoopOf(ctx)
		whole := func(who string) {
			for i := range turnLength {
				if !l.mayGoOn() {
					t.Errorf("%s must let others run after %d", who, i)
					return
				}
			}
		}
		var next Event
		one := Go(ctx, Do(func(ctx context.Context) error {
			whole("the first task")
			if err := next.Wait(ctx); err != nil {
				return err
			}
			whole("after a wait") // in which nobody else has done anything at connections
			if l.mayGoOn() {
				t.Errorf("it may go on after %d", turnLength)
			}
			if err := l.current.Load().task.letOthers(ctx); err != nil {
				return err
			}
			whole("after others had their turn")
			return next.Wait(ctx)
		}))
		if err := Yield(ctx); err != nil {
			return err
		}
		next.Set()
		if _, err := one.Await(ctx); err != nil {
			return err
		}
		var end Event
		for _, who := range []string{"a task that has not waited", "the next one, which has not either,"} {
			Go(ctx, Do(func(ctx context.Context) error { whole(who); return end.Wait(ctx) }))
		}
		if err := Yield(ctx); err != nil {
			return err
		}
		end.Set()
		return nil
	}))
	if err != nil {
		t.Error(err)
	}
}
