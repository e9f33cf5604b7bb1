package aio

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"unsafe"
	"weak"
)

// doneChannel is the Done channel of a scope.
type doneChannel struct {
	c    chan struct{}
	once sync.Once
}

func (d *doneChannel) close() {
	if d != nil {
		d.once.Do(func() { close(d.c) })
	}
}

// bareChannel is the Done channel of a scope that was released: the scope's task is over, and
// nothing that aio knows of is under it. But somebody may still wait for the channel alone, and is
// to hear of the parent's end. So whoever ends later holds the channel weakly: if nobody else holds
// it, it goes.
type bareChannel struct {
	whole weak.Pointer[doneChannel] // alive as long as the scope is, which may close it too
	bare  weak.Pointer[byte]        // what the channel points to
}

func leave(d *doneChannel) bareChannel {
	return bareChannel{weak.Make(d), weak.Make((*byte)(channelAddress(d.c)))}
}

// channelAddress is what a channel is: a pointer, which there is no other way to hold weakly.
func channelAddress(c chan struct{}) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&c)) }

func (b bareChannel) close() {
	if d := b.whole.Value(); d != nil {
		d.close()
		return
	}
	if p := unsafe.Pointer(b.bare.Value()); p != nil {
		close(*(*chan struct{})(unsafe.Pointer(&p)))
	}
}

// follow has a foreign context close the channel when it ends. That registration goes with the
// channel, too. Only ctx holds it: what the runtime holds until the channel is gone must not lead to
// ctx, from where a user's values may well lead to the channel.
func (b bareChannel) follow(ctx context.Context) {
	p := b.bare.Value()
	if p == nil {
		return
	}
	r := new(registration)
	r.stop = context.AfterFunc(ctx, func() {
		b.close()
		runtime.KeepAlive(r)
	})
	runtime.AddCleanup(p, func(r weak.Pointer[registration]) {
		if r := r.Value(); r != nil {
			r.stop()
		}
	}, weak.Make(r))
}

type registration struct{ stop func() bool }

// bareChannels are those that were left to a scope.
type bareChannels struct {
	all     []bareChannel
	sweepAt int
}

// add keeps more, and from time to time forgets those that nobody holds any more.
func (b *bareChannels) add(more []bareChannel) {
	b.all = append(b.all, more...)
	if len(b.all) < max(b.sweepAt, 64) {
		return
	}
	b.all = slices.DeleteFunc(b.all, func(c bareChannel) bool { return c.bare.Value() == nil })
	if len(b.all) < cap(b.all)/4 {
		b.all = slices.Clip(slices.Clone(b.all))
	}
	b.sweepAt = 2 * len(b.all)
}

func (b *bareChannels) close() {
	for _, c := range b.all {
		c.close()
	}
	b.all = nil
}

// takeBare is what a scope leaves to its parent: its own channel, once, and what its children left.
// Called with the scope's mu held.
func (m *scopeMore) takeBare() []bareChannel {
	bare := m.bare.all
	m.bare.all = nil
	if m.done != nil && !m.left {
		m.left = true
		bare = append(bare, leave(m.done))
	}
	return bare
}

// keepBare takes what a child leaves.
func (s *scope) keepBare(bare []bareChannel) {
	if len(bare) == 0 {
		return
	}
	s.hold()
	if !isOver(s.how.Load()) {
		s.extra().bare.add(bare)
		released := s.released
		s.mu.Unlock()
		if released { // and held for this alone
			s.release()
		}
		return
	}
	s.mu.Unlock()
	for _, c := range bare {
		c.close()
	}
}
