// Package coro is the coroutine under a task: one iter.Pull, which the runtime switches to and from
// on the running thread, without its scheduler.
//
// It is the only user of iter.Pull in this module. What iter.Pull does when it is misused is listed
// in docs/adr/0001; the rules here are: a coroutine is made, resumed and stopped by one goroutine
// at a time, on a locked OS thread always by the same; only the coroutine itself suspends.
package coro

import (
	"iter"

	"github.com/seed8b1f0744/aio/internal/goid"
)

// Coro runs a body that can be suspended and resumed. It must be made by Init, and not be copied.
type Coro struct {
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool // set when the body starts
	g     uintptr             // set when the body starts
}

// Init makes c a coroutine. Its body starts with the first Resume, on a goroutine of its own, and
// must call Enter with what it is given before anything else. The coroutine is over when it
// returns. (That the body does this itself saves a closure for each coroutine.)
func (c *Coro) Init(body func(yield func(struct{}) bool)) {
	c.next, c.stop = iter.Pull(body)
}

// Enter is what the body begins with.
func (c *Coro) Enter(yield func(struct{}) bool) {
	c.yield, c.g = yield, goid.Get()
}

// Resume runs the body until it suspends (true) or has returned (false). A panic of the body comes
// out here; its Goexit ends the caller.
func (c *Coro) Resume() bool {
	_, suspended := c.next()
	return suspended
}

// Suspend gives control back to whoever resumed; to be called by the body, on its goroutine. It
// reports false once Stop was called.
func (c *Coro) Suspend() bool { return c.yield(struct{}{}) }

// Stop lets a suspended body run on with Suspend reporting false, until it returns. A body that
// never started is dropped.
func (c *Coro) Stop() { c.stop() }

// G identifies the goroutine of the body (see goid.Get); zero before the first Resume.
func (c *Coro) G() uintptr { return c.g }
