package procpool

import (
	"context"
	"os"
	"syscall"
	"time"

	"github.com/seed8b1f0744/aio"
)

// glimpseWithin is how long an answer is waited for in place.
const glimpseWithin = 50 * time.Microsecond

// emptyPipeTakes is how many bytes an empty pipe takes without anybody reading, and at once.
const emptyPipeTakes = 4096

// glimpse waits in place for an answer that comes in a moment, as many do: to let Go's poller wait for
// it, or another goroutine, takes longer than a small job. A worker whose answers do not come so soon
// is looked at less and less often. It belongs to who holds the worker's pipes.
type glimpse struct {
	conn   syscall.RawConn
	look   func(fd uintptr) // made once
	came   bool             // what look saw
	misses int              // in a row
	skip   int              // so often do not look
}

// of makes it a glimpse of f.
func (g *glimpse) of(f *os.File) {
	if !mayGlimpse {
		return
	}
	conn, err := f.SyscallConn()
	if err != nil {
		return
	}
	g.conn, g.look = conn, func(fd uintptr) { g.came = readableWithin(fd, glimpseWithin) }
}

// soon waits a moment, and reports whether there is something to read then. It may say so when there
// is nothing, but the end.
func (g *glimpse) soon() bool {
	if g.conn == nil {
		return false
	}
	if g.skip > 0 {
		g.skip--
		return false
	}
	if g.came = false; g.conn.Control(g.look) == nil && g.came {
		g.misses = 0
		return true
	}
	g.misses = min(g.misses+1, 6)
	g.skip = 1 << g.misses
	return false
}

// begin exchanges the frames of a task's call, in another goroutine as soon as that could hold the loop.
//
// To hand a call to a goroutine and its outcome back to the loop wakes two threads, which cost more
// than all the rest. So if the loop has nothing else to do, nor the pool, the task itself waits for a
// moment; then it yields, for Execute suspends however fast its worker is.
func (w *worker) begin(ctx context.Context, c *call) {
	if !mayGlimpse || frameHeader+len(c.ID)+len(c.Name)+len(c.Payload) > emptyPipeTakes {
		go w.work(c)
		return
	}
	if !w.send(c) {
		return
	}
	if !c.alone || !idles(ctx) || !w.answer.soon() || !w.reader.whole() {
		go func() { w.work(w.take(c)) }()
		return
	}
	if following := w.take(c); following != nil {
		go w.work(following)
	}
	_ = aio.Yield(ctx) // the outcome stands
}

// idles reports whether nothing waits for its turn on the loop of the task that calls this.
func idles(ctx context.Context) bool {
	l, ok := aio.LoopOf(ctx)
	return ok && l.Stats().Ready == 0
}
