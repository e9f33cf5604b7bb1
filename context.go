package aio

import (
	"context"
	"errors"
	"time"
)

// A scope as a context.Context.
//
// Package context keeps a tree of its own, and hides what a context made elsewhere would need to be
// a full member of it. What it does offer is used here: a parent with a method AfterFunc is told of
// each context derived from it, and when that is let go, so that no goroutine is needed and nothing
// is left behind. (A context derived through context.WithValue costs a goroutine while it lives;
// package context does not look behind those.) And whoever asks context.Cause asks the context for
// a key that only package context has: once it has ended, a scope answers that with a context that
// ended likewise.

// scopeKey is the key under which a scope finds itself.
type scopeKey struct{}

// scopeOf is the innermost scope of ctx, nil if there is none.
func scopeOf(ctx context.Context) *scope {
	if s, ok := ctx.(*scope); ok {
		return s
	}
	if ctx == nil {
		noContext()
	}
	s, _ := ctx.Value(scopeKey{}).(*scope)
	return s
}

// endsWith is the scope whose end is ctx's end: ctx itself, or one to which ctx only adds values.
// It is nil if ctx ends otherwise, or never.
func endsWith(ctx context.Context) *scope {
	if s, ok := ctx.(*scope); ok {
		return s
	}
	done := ctx.Done()
	if done == nil {
		return nil
	}
	if s := scopeOf(ctx); s != nil && s.Done() == done {
		return s
	}
	return nil
}

// ended is the error that a wait under ctx returns because ctx has ended; nil while it has not.
func ended(ctx context.Context) error {
	if s, ok := ctx.(*scope); ok && s.how.Load() == alive && s.pulls == nil {
		return nil
	}
	return endedSlow(ctx)
}

func endedSlow(ctx context.Context) error {
	if ctx == nil {
		noContext()
	}
	err := ctx.Err()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		return &contextError{err, cause}
	}
	return err
}

// Deadline implements context.Context.
func (s *scope) Deadline() (time.Time, bool) {
	d, ok := s.up().Deadline()
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.more; m != nil && !m.deadline.IsZero() && (!ok || m.deadline.Before(d)) {
		return m.deadline, true
	}
	return d, ok
}

// Done implements context.Context.
func (s *scope) Done() <-chan struct{} {
	s.state() // an end that is known must be seen
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.extra()
	if m.done == nil {
		m.done = &doneChannel{c: make(chan struct{})}
		if isOver(s.how.Load()) {
			m.done.close()
		}
	}
	return m.done.c
}

// Err implements context.Context. It is exactly context.Canceled or context.DeadlineExceeded.
func (s *scope) Err() error {
	switch s.state() {
	case endedCancelled:
		return context.Canceled
	case endedDeadline:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// Value implements context.Context.
func (s *scope) Value(key any) any {
	switch key {
	case scopeKey{}:
		return s
	case cancelCtxKey:
		if how := s.state(); isOver(how) {
			return endedContext(how, s.cause()).Value(key)
		}
		return nil // so that package context asks for AfterFunc
	}
	for {
		up := s.up()
		next, ok := up.(*scope)
		if !ok {
			return up.Value(key)
		}
		s = next
	}
}

// AfterFunc is what package context calls to be told of the end by f. Unlike context.AfterFunc it
// calls f on the goroutine that ends the scope; package context's f only passes the end on.
func (s *scope) AfterFunc(f func()) (stop func() bool) {
	s.state()
	d := &derived{f: f}
	s.hold()
	defer s.mu.Unlock()
	if isOver(s.how.Load()) {
		go f() // the caller may hold a lock that f takes
		return func() bool { return false }
	}
	m := s.extra()
	if m.derived == nil {
		d.next, d.prev = d, d
		m.derived = d
	} else {
		d.next, d.prev = m.derived, m.derived.prev
		d.prev.next, d.next.prev = d, d
	}
	return func() bool { return s.dropDerived(d) }
}

// derived is a context that package context derived from a scope.
type derived struct {
	f          func()
	next, prev *derived // nil: taken out
}

func (d *derived) tell() { d.f() }

// dropDerived forgets d; it reports false if d was told, or forgotten before.
func (s *scope) dropDerived(d *derived) bool {
	s.mu.Lock()
	if d.next == nil {
		s.mu.Unlock()
		return false
	}
	m := s.more
	if d.next == d {
		m.derived = nil
	} else {
		d.prev.next, d.next.prev = d.next, d.prev
		if m.derived == d {
			m.derived = d.next
		}
	}
	d.next, d.prev = nil, nil
	none := s.released && m.derived == nil
	s.mu.Unlock()
	if none {
		s.release()
	}
	return true
}

// takeDerived empties the ring.
func (m *scopeMore) takeDerived() []*derived {
	var all []*derived
	for d := m.derived; d != nil && d.next != nil; {
		next := d.next
		d.next, d.prev = nil, nil
		all = append(all, d)
		d = next
	}
	m.derived = nil
	return all
}

// cancelCtxKey is the key with which package context looks for a context of its own kind.
var cancelCtxKey = func() any {
	var probe keyProbe
	_ = context.Cause(&probe)
	return probe.key
}()

// keyProbe is a context that notes which key it is asked for.
type keyProbe struct {
	context.Context
	key any
}

func (p *keyProbe) Value(key any) any { p.key = key; return nil }
func (p *keyProbe) Err() error        { return context.Canceled } // context.Cause asks only what has ended

// endedContext is a context of package context that has ended as told.
func endedContext(how uint32, cause error) context.Context {
	if how == endedDeadline {
		ctx, cancel := context.WithDeadlineCause(context.Background(), time.Unix(0, 0), cause)
		cancel()
		return ctx
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	return ctx
}
