package aionet

import (
	"context"
	"errors"
	"net"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/internal/netpoll"
)

// Serve calls handle in a task of its own for each connection that l takes, until ctx ends, whose
// error it returns then, or l is closed: nil. Then it waits until all handlers have returned; their
// ctx ends with Serve's, and not when l is closed. It suspends a task and blocks any other goroutine. asyncio's
// start_server and serve_forever.
//
// When handle returns, its connection is closed, as is one that nobody took because ctx had ended. An error or
// panic of handle goes to Hooks.Unhandled, and the others go on. No failure is what it returns because its ctx has
// ended, nor an error of this very connection by which the peer has gone (syscall.ECONNRESET, syscall.EPIPE), or its
// deadline has passed (os.ErrDeadlineExceeded): that is how clients are. io.EOF handle looks at itself. For want of descriptors Serve waits, see [Listener.Accept], and goes on.
//
// Without a loop in ctx it is aio.ErrNoLoop, in a callback aio.ErrWouldDeadlock. The end of the loop ends Serve in a
// goroutine, too: what is open then is closed, and the error is ctx's, or aio.ErrClosed if ctx goes on. The caller
// closes l.
func Serve(ctx context.Context, l *Listener, handle func(context.Context, *Conn) error) error {
	if handle == nil {
		panic("aio: Serve needs a function, got nil")
	}
	return serve(ctx, l, func(c *Conn, done func()) {
		loop, _ := aio.LoopOf(ctx)
		t := aio.Submit(ctx, loop, aio.Do(func(ctx context.Context) error { return handled(ctx, c, handle) }), aio.Named("serve "+addrString(c.RemoteAddr())))
		t.OnDone(ctx, func(_ struct{}, err error) {
			_ = c.close() // in case it never ran
			if err != nil && !errors.Is(err, aio.ErrCancelled) {
				netpoll.Report(ctx, t, err)
			}
			done()
		})
	})
}

// handled is handle, whose panic is an outcome like others.
func handled(ctx context.Context, c *Conn, handle func(context.Context, *Conn) error) (err error) {
	defer c.close()
	defer func() {
		if v := recover(); v != nil {
			err = &aio.PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	err = handle(ctx, c)
	if how := ctx.Err(); how != nil && errors.Is(err, how) || c.lostPeer(err) {
		return nil
	}
	return err
}

// lostPeer reports whether err is nothing but that the peer has gone, or been too slow: an error of c's, not of
// another connection that the handler has, nor joined with others.
func (c *Conn) lostPeer(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		if op, ok := err.(*net.OpError); ok {
			return op.Addr != nil && op.Addr == c.remote && op.Source == c.local &&
				(errors.Is(op.Err, syscall.ECONNRESET) || errors.Is(op.Err, syscall.EPIPE) || isTimeout(op.Err))
		}
	}
	return false
}

// serve is Serve with what is done with each connection, which calls done once that is over.
func serve(ctx context.Context, l *Listener, take func(c *Conn, done func())) error {
	loop, ok := aio.LoopOf(ctx)
	if !ok {
		return aio.ErrNoLoop
	}
	if err := mayWait(); err != nil {
		return err
	}
	accepting := ctx
	taken := &taken{open: map[*Conn]struct{}{}}
	if !onLoop(loop) { // else the loop waits for the caller
		var stop context.CancelFunc
		accepting, stop = context.WithCancel(ctx)
		served := make(chan struct{})
		defer close(served)
		defer stop()
		go taken.endWith(loop, stop, served)
	}
	var err error
	for {
		var c *Conn
		if c, err = l.accept(accepting); err == nil {
			if !taken.add(c) {
				_ = c.close()
				break
			}
			take(c, func() { taken.done(c) })
			continue
		}
		if !lacksSomething(err) {
			break
		}
	}
	if waited := taken.wait(context.WithoutCancel(ctx)); waited != nil {
		return waited
	}
	if ended := netpoll.Ended(ctx); ended != nil {
		return ended
	}
	switch {
	case taken.isLoopOver():
		return aio.ErrClosed
	case errors.Is(err, net.ErrClosed):
		return nil
	}
	return err
}

// onLoop reports whether the caller is a task of l.
func onLoop(l *aio.Loop) bool {
	t, _ := netpoll.Running()
	if t == nil {
		return false
	}
	own, _ := aio.LoopOf(t.Own())
	return own == l
}

// mayWait fails where the caller must not: what begins something, and then waits for it, asks before.
func mayWait() error {
	t, onLoop := netpoll.Running()
	switch {
	case t != nil:
		return nil
	case onLoop:
		return aio.ErrWouldDeadlock
	}
	return netpoll.MayBlock()
}

// taken are the connections that a Serve has taken and that are not over. The end of the loop ends them
// all: what it refuses, or gives up on, does not say that it is over.
type taken struct {
	mu       sync.Mutex
	open     map[*Conn]struct{} // guarded by mu
	none     *aio.Event         // guarded by mu; somebody waits
	loopOver bool               // guarded by mu
}

// endWith waits until the loop is over, and has Serve end then, unless that has ended before.
func (t *taken) endWith(l *aio.Loop, stop func(), served <-chan struct{}) {
	select {
	case <-l.Done():
		t.giveUp()
		stop()
	case <-served:
	}
}

func (t *taken) isLoopOver() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.loopOver
}

// add reports false if the loop is over.
func (t *taken) add(c *Conn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.loopOver {
		t.open[c] = struct{}{}
	}
	return !t.loopOver
}

func (t *taken) done(c *Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, c)
	t.tell()
}

// tell wakes who waits for the last one. Called with mu held.
func (t *taken) tell() {
	if len(t.open) == 0 && t.none != nil {
		t.none.Set()
	}
}

func (t *taken) giveUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.loopOver = true
	for c := range t.open {
		_ = c.close()
	}
	clear(t.open)
	t.tell()
}

func (t *taken) wait(ctx context.Context) error {
	t.mu.Lock()
	if len(t.open) == 0 {
		t.mu.Unlock()
		return nil
	}
	none := new(aio.Event)
	t.none = none
	t.mu.Unlock()
	return none.Wait(ctx)
}

func addrString(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}
