package aio

import (
	"context"
	"reflect"
	"sync"
)

// The end of a context that is not aio's comes to a loop through a goroutine, which nobody who holds
// the clock knows of: time could pass before the news is there. So a loop with a clock, before it
// parks, looks for such ends itself, also for the other loops on the clock.

// foreign are the ends that are waited for by the loops on one clock.
type foreign struct {
	loops int // guarded by foreigns.mu
	mu    sync.Mutex
	list  nodeList // guarded by mu
}

// foreignEnd is a context, or another channel, that is not aio's, and what its end does.
type foreignEnd struct {
	node
	done <-chan struct{}
	fire func() // may be called more than once
}

// notify implements notifiable.
func (f *foreignEnd) notify() bool {
	f.fire()
	return true
}

var foreigns struct {
	mu sync.Mutex
	on map[Clock]*foreign // guarded by mu
}

// enterForeign begins l's part in what the loops on its clock wait for.
func (l *Loop) enterForeign() {
	if !reflect.ValueOf(l.clock).Comparable() {
		l.foreign = new(foreign) // nobody else's, and in no map
		return
	}
	foreigns.mu.Lock()
	defer foreigns.mu.Unlock()
	f := foreigns.on[l.clock]
	if f == nil {
		f = new(foreign)
		if foreigns.on == nil {
			foreigns.on = make(map[Clock]*foreign)
		}
		foreigns.on[l.clock] = f
	}
	f.loops++
	l.foreign = f
}

func (l *Loop) leaveForeign() {
	foreigns.mu.Lock()
	defer foreigns.mu.Unlock()
	if l.foreign.loops--; l.foreign.loops == 0 { // below that: it is in no map
		delete(foreigns.on, l.clock)
	}
}

// afterForeign is context.AfterFunc, whose f must not mind being called a second time, or by a loop.
func (l *Loop) afterForeign(ctx context.Context, f func()) func() bool {
	if l == nil || l.clock == nil {
		return context.AfterFunc(ctx, f)
	}
	stop := context.AfterFunc(ctx, func() { l.whileHeld(f) })
	forget := l.watchForeign(ctx.Done(), f)
	return func() bool {
		forget()
		return stop()
	}
}

// whileHeld calls f, which brings the loop some news, without time passing before it is there.
func (l *Loop) whileHeld(f func()) {
	if l.clock != nil {
		l.clock.Hold()
		defer l.clock.Release()
	}
	f()
}

// watchForeign has f called by a loop, if done is closed when time would pass otherwise.
func (l *Loop) watchForeign(done <-chan struct{}, f func()) (forget func()) {
	e := &foreignEnd{done: done, fire: f}
	e.owner = e
	o := l.foreign
	o.mu.Lock()
	o.list.push(&e.node)
	o.mu.Unlock()
	return func() {
		o.mu.Lock()
		o.list.remove(&e.node)
		o.mu.Unlock()
	}
}

// look acts on the ends that have come, in the order in which they are waited for.
func (f *foreign) look() {
	f.mu.Lock()
	var over []*foreignEnd
	for n := f.list.first; n != nil; n = f.list.after(n) {
		e := n.owner.(*foreignEnd)
		select {
		case <-e.done:
			over = append(over, e)
		default:
		}
	}
	for _, e := range over {
		f.list.remove(&e.node)
	}
	f.mu.Unlock()
	for _, e := range over {
		e.fire()
	}
}
