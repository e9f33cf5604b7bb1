package aio

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A scope as a context.Context.
//
// Package context hides what a context made elsewhere would need to take part in its tree: causes, and derivation without a goroutine. So the
// first time that somebody asks a scope for Done, derives a context from it or asks context.Cause, the scope makes a real context and passes those
// questions to it. The real context hangs on a bridgeContext, not on the parent, so that a scope which is let go leaves nothing behind in the parent.

// scopeKey is the key under which a scope finds itself.
type scopeKey struct{}

// scopeOf is the innermost scope of ctx, nil if there is none.
func scopeOf(ctx context.Context) *scope {
	if s, ok := ctx.(*scope); ok {
		return s
	}
	s, _ := ctx.Value(scopeKey{}).(*scope)
	return s
}

// endsWith is the scope whose end is ctx's end: ctx itself, or one to which ctx only adds values. It is nil if ctx ends otherwise, or never.
func endsWith(ctx context.Context) *scope {
	if s, ok := ctx.(*scope); ok {
		return s
	}
	done := ctx.Done()
	if done == nil {
		return nil
	}
	if s := scopeOf(ctx); s != nil && s.real(false).Done() == done {
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
	d, ok := s.parent.Deadline()
	s.mu.Lock()
	defer s.mu.Unlock()
	if m := s.more; m != nil && !m.deadline.IsZero() && (!ok || m.deadline.Before(d)) {
		return m.deadline, true
	}
	return d, ok
}

// Done implements context.Context.
func (s *scope) Done() <-chan struct{} {
	// Whoever asks outside the task may keep the channel and nothing else, which keeps no scope alive; then the parent must.
	watched := s.ownTask != nil && !s.ownTask.runsHere()
	return s.real(watched).Done()
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
		return s.real(false).Value(key)
	}
	for {
		up, ok := s.parent.(*scope)
		if !ok {
			return s.parent.Value(key)
		}
		s = up
	}
}

// real is the context that package context knows, made when first asked for.
func (s *scope) real(watched bool) context.Context {
	s.state()
	s.relink()
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.extra()
	m.watched = m.watched || watched
	if m.real != nil {
		return m.real
	}
	if how := s.how.Load(); how != alive {
		m.real = endedContext(how, m.cause)
		return m.real
	}
	m.bridge = new(bridgeContext)
	m.real, m.cancelReal = context.WithCancel(m.bridge)
	return m.real
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
func (p *keyProbe) Err() error        { return nil }

// bridgeContext is the parent of a scope's real context. Its one child registers by AfterFunc (package context looks for that method) and is
// told by end; the child then asks Err and context.Cause, which the ended context answers.
type bridgeContext struct {
	mu    sync.Mutex
	told  func()          // guarded by mu
	ended context.Context // guarded by mu; nil before the end
}

// never is the Done channel of bridges: package context only checks that there is one.
var never = make(chan struct{})

func (b *bridgeContext) end(how uint32, cause error) {
	b.mu.Lock()
	b.ended = endedContext(how, cause)
	told := b.told
	b.mu.Unlock()
	if told != nil {
		told()
	}
}

func (b *bridgeContext) AfterFunc(f func()) (stop func() bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.told = f
	return func() bool { return false }
}

func (b *bridgeContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (b *bridgeContext) Done() <-chan struct{}       { return never }

func (b *bridgeContext) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended == nil {
		return nil
	}
	return b.ended.Err()
}

func (b *bridgeContext) Value(key any) any {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended == nil {
		return nil
	}
	return b.ended.Value(key)
}

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
