package aionet

import (
	"context"
	"errors"
	"net"
	"runtime/debug"
	"sync"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/internal/netpoll"
)

// Serve calls handle in a task of its own for each connection that l takes, until ctx ends, whose
// error it returns then, or l is closed: nil. Then it waits until all handlers have returned; their
// ctx ends with Serve's, and not when l is closed. It suspends a task and blocks any other goroutine. asyncio's
// start_server and serve_forever.
//
// When handle returns, its connection is closed, as is one that nobody took because ctx had ended. An error or
// panic of handle goes to Hooks.Unhandled, and the others go on; what it returns because its ctx has
// ended is no failure. For want of descriptors Serve waits, see [Listener.Accept], and goes on.
//
// Without a loop in ctx it is aio.ErrNoLoop, in a callback aio.ErrWouldDeadlock. The caller closes l.
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
	if how := ctx.Err(); how != nil && errors.Is(err, how) {
		return nil
	}
	return err
}

// serve is Serve with what is done with each connection, which calls done once that is over.
func serve(ctx context.Context, l *Listener, take func(c *Conn, done func())) error {
	if _, ok := aio.LoopOf(ctx); !ok {
		return aio.ErrNoLoop
	}
	if err := mayWait(); err != nil {
		return err
	}
	var open counter
	done := open.done
	var err error
	for {
		var c *Conn
		if c, err = l.accept(ctx); err == nil {
			open.add()
			take(c, done)
			continue
		}
		if !lacksSomething(err) {
			break
		}
	}
	if waited := open.wait(context.WithoutCancel(ctx)); waited != nil {
		return waited
	}
	if ended := netpoll.Ended(ctx); ended != nil {
		return ended
	}
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
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

// counter counts what goes on, and waits until it is none.
type counter struct {
	mu   sync.Mutex
	n    int        // guarded by mu
	none *aio.Event // guarded by mu; somebody waits
}

func (c *counter) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
}

func (c *counter) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n--; c.n == 0 && c.none != nil {
		c.none.Set()
	}
}

func (c *counter) wait(ctx context.Context) error {
	c.mu.Lock()
	if c.n == 0 {
		c.mu.Unlock()
		return nil
	}
	none := new(aio.Event)
	c.none = none
	c.mu.Unlock()
	return none.Wait(ctx)
}

func addrString(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}
