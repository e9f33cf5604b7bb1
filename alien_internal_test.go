package aio

import (
	"context"
	"os"
	"os/signal"
	"testing"
	"time"
)

type userContext struct{ context.Context }

// What is the standard library's is seen through: where that fails, tasks under it are slower, and nobody is told.
func TestIsAlien(t *testing.T) {
	type key struct{}
	bg := context.Background()
	layers := map[string]func(context.Context) context.Context{
		"WithCancel": func(c context.Context) context.Context { c, stop := context.WithCancel(c); stop(); return c },
		"WithTimeout": func(c context.Context) context.Context {
			c, stop := context.WithTimeout(c, time.Hour)
			stop()
			return c
		},
		"WithValue": func(c context.Context) context.Context { return context.WithValue(c, key{}, 1) },
		"NotifyContext": func(c context.Context) context.Context {
			c, stop := signal.NotifyContext(c, os.Interrupt)
			stop()
			return c
		},
	}
	l := newLoop(nil)
	for name, layer := range layers {
		for what, c := range map[string]context.Context{"Background": bg, "a loop's": l.Context(), "WithTimeout": layers["WithTimeout"](bg)} {
			if isAlien(layer(c)) {
				t.Errorf("%s of %s is alien", name, what)
			}
		}
		for what, c := range map[string]context.Context{"a user's": userContext{bg}, "a user's pointer": &userContext{bg}, "WithValue of a user's": layers["WithValue"](userContext{bg})} {
			if !isAlien(layer(c)) {
				t.Errorf("%s of %s is not alien", name, what)
			}
		}
	}
	s := scope{parent: userContext{bg}, loop: l}
	s.link()
	if !isAlien(layers["WithValue"](&s)) {
		t.Error("what is below a user's context is not alien")
	}
}
