package procpool

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/internal/netpoll"
)

// A call that a task makes when there is an idle worker needs no goroutine: the task writes the frame,
// its loop watches the pipe of answers, and reads there what is short. So there is no hand-over, for
// each of which Go's scheduler would wake a thread on a processor that the worker wants.
//
// But a loop may have something else to do, and the worker be wanted by others, or be due to end. So the
// answer is left to the loop for a moment only; if it has not come by then a goroutine takes it, as it
// does when the worker has ended, and when it comes in pieces or is large, for a loop does not wait.
// Whoever takes it holds worker.pipes and finds, and ends, worker.watched: that is one.

const (
	// atOnce is the longest frame that a task sends: a pipe takes as much whole, or not at all (Linux's
	// PIPE_BUF; elsewhere no loop is direct).
	atOnce = 4 << 10
)

// loopsTurn is how long an answer is left to the loop. A variable for tests.
var loopsTurn = 5 * time.Millisecond

// errNotNow is that of a read or write that would have to wait.
var errNotNow = errors.New("aio: it would have to wait")

// pipeEnd is this process's end of a pipe to or from a worker.
type pipeEnd struct {
	*os.File
	raw syscall.RawConn
	now bool   // Read does not wait: it is errNotNow
	p   []byte // what did is to read or write, and what came of it
	n   int
	err error
	did func(fd uintptr) bool
}

func newPipeEnd(f *os.File, do func(fd int, p []byte) (int, error)) *pipeEnd {
	raw, _ := f.SyscallConn() // of what is no nil there is one
	e := &pipeEnd{File: f, raw: raw}
	e.did = func(fd uintptr) bool {
		e.n, e.err = do(int(fd), e.p)
		return true
	}
	return e
}

// Read implements io.Reader.
func (e *pipeEnd) Read(p []byte) (int, error) {
	if !e.now {
		return e.File.Read(p)
	}
	n, err := e.do(e.raw.Read, p)
	if n == 0 && err == nil {
		err = io.EOF
	}
	return n, err
}

// do reads or writes, if that can be done now.
func (e *pipeEnd) do(how func(func(fd uintptr) bool) error, p []byte) (int, error) {
	e.p = p
	err := how(e.did)
	e.p = nil
	if err == nil {
		err = e.err
	}
	if errors.Is(err, syscall.EAGAIN) {
		return 0, errNotNow
	}
	if err != nil {
		return 0, err
	}
	return e.n, nil
}

// direct is the calling task, if it may leave the answer of c to its loop; else nil. Where time has to
// stand still while the call is out, in a bubble and by a clock, a goroutine must wait.
func direct(c *call) netpoll.Task {
	if frameHeader+len(c.ID)+len(c.Name)+len(c.Payload) > atOnce {
		return nil
	}
	if t, _ := netpoll.Running(); t != nil && t.Direct() {
		return t
	}
	return nil
}

// onLoop waits in t for the outcome of c, which w has.
func (p *Pool) onLoop(ctx context.Context, t netpoll.Task, w *worker, c *call) ([]byte, error) {
	c.settled = aio.NewPromise[struct{}]()
	if !w.sendFrom(t, c) {
		go w.work(c)
	}
	if _, err := c.settled.Await(ctx); err != nil {
		p.withdraw(c)
		return nil, err
	}
	return c.outcome, c.err
}

// sendFrom sends c, and has t's loop take the answer. It reports false if that cannot be: then it has
// sent nothing.
func (w *worker) sendFrom(t netpoll.Task, c *call) bool {
	if !w.pipes.TryLock() {
		return false // somebody looks whether there is an answer, or the worker has ended
	}
	if !w.watch(t) {
		w.pipes.Unlock()
		return false
	}
	w.watched = c
	w.edge.OnReady(netpoll.In, w.ready) // before there can be an answer
	f := c.frame()
	b := w.writer.whole(&f)
	n, err := w.out.do(w.out.raw.Write, b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		w.unwatch()
	}
	w.pipes.Unlock()
	switch {
	case err == errNotNow:
		return false
	case err != nil:
		w.pool.unsent(w, c)
		w.killLater()
	default:
		w.turn.Reset(loopsTurn) // if the answer has been taken by now, this is in vain, and harms nobody
	}
	return true
}

// watch has the descriptor of answers be registered with t's loop, and reports whether it is. Called with
// pipes held.
func (w *worker) watch(t netpoll.Task) bool {
	if w.edge != nil {
		if w.edge.Of(t) && !w.edge.Over() {
			return true
		}
		w.edge.Close()
		w.edge = nil
	}
	err := w.in.raw.Control(func(fd uintptr) {
		if e, err := t.Watch(int(fd)); err == nil {
			w.edge = e
		}
	})
	if w.turn == nil {
		w.ready = w.readNow
		w.turn = time.AfterFunc(time.Hour, w.takeOver)
		w.turn.Stop()
	}
	return err == nil && w.edge != nil
}

// unwatch ends the watch for an answer, and returns whose it was. Called with pipes held.
func (w *worker) unwatch() *call {
	c := w.watched
	w.watched = nil
	w.edge.OnReady(netpoll.In, nil)
	return c
}

// readNow is called on the loop when there is something to read. It does not wait.
func (w *worker) readNow() {
	if !w.pipes.TryLock() {
		return // somebody else reads
	}
	if w.watched == nil {
		w.pipes.Unlock()
		return
	}
	w.in.now = true
	whole, begun := w.reader.whole()
	if !whole {
		w.in.now = false
		w.pipes.Unlock()
		if begun {
			w.turn.Stop()
			go w.takeOver()
		}
		return
	}
	w.turn.Stop()
	answer, err := w.reader.next()
	w.in.now = false
	c := w.unwatch()
	w.pipes.Unlock()
	if following := w.took(c, &answer, err); following != nil {
		go w.work(following)
	}
}

// takeOver takes an answer that was left to a loop, if it still is. It blocks its goroutine.
func (w *worker) takeOver() {
	w.pipes.Lock()
	if w.watched == nil {
		w.pipes.Unlock()
		return
	}
	c := w.unwatch()
	answer, err := w.reader.next()
	w.pipes.Unlock()
	w.work(w.took(c, &answer, err))
}
