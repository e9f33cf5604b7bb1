package aio

import (
	"sync"

	"github.com/seed8b1f0744/aio/internal/goid"
)

// crew is the goroutines that run an executor's calls: who waits in one of them for something that
// needs another one, or the end of all, may wait for itself.
type crew struct {
	mu sync.Mutex
	of map[uintptr]struct{} // guarded by mu; by goid
}

// enroll makes the calling goroutine one of the crew. It must strike itself off before it ends.
func (c *crew) enroll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = make(map[uintptr]struct{})
	}
	c.of[goid.Get()] = struct{}{}
}

func (c *crew) strike() {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.of, goid.Get())
}

// isBelow reports whether one of the calls stands below the caller, and cannot return while that waits:
// the caller is in that call, or in a task of a loop that it runs.
func (c *crew) isBelow() bool {
	me := goid.Get()
	var loops uintptr
	if r := runnerOf(me); r != nil && r.task != nil {
		loops = r.task.ctx.loop.g.Load()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, itself := c.of[me]
	_, run := c.of[loops]
	return itself || run
}
