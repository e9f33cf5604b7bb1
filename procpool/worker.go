package procpool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/seed8b1f0744/aio/internal/netpoll"
)

const (
	// lingers is how long a worker may live on without its pipes, and what holds them, or its
	// stderr, without the worker.
	lingers = time.Second
)

// worker is a child process.
//
//	starting -> serving (hello) -> expelled -> gone
//	starting -> gone
//
// While it serves it is idle, or has a call. It is expelled when it is to end, or has. Its goroutine
// is live; who exchanges frames is said at call.
type worker struct {
	pool    *Pool
	started chan error

	// Set by start, then immutable.
	pid     int
	calls   *os.File
	answers *os.File
	errors  *os.File
	bulk    *os.File
	writer  *frameWriter // of who holds pipes
	reader  *frameReader // hello's, then of who holds pipes
	stderr  stderrCopy
	exited  chan struct{} // closed when state is there

	call      *call       // guarded by Pool.mu
	seq       uint64      // guarded by Pool.mu; of the last call
	serves    bool        // guarded by Pool.mu
	worn      bool        // guarded by Pool.mu; it has no call after this one
	retired   bool        // guarded by Pool.mu; it was told to end
	cancelled bool        // guarded by Pool.mu; it is killed because of a ctx
	age, late *time.Timer // guarded by Pool.mu; may be nil
	helloed   bool        // its goroutine's

	pipes   sync.Mutex    // held while a call is exchanged, but not while a loop watches for the answer
	in, out *pipeEnd      // guarded by pipes, as these: answers and calls
	watched *call         // its answer is left to a loop
	edge    netpoll.Watch // of answers, with the loop that had the last one; nil: none did yet
	turn    *time.Timer   // ends the loop's turn; made with the first edge
	ready   func()        // readNow

	mu      sync.Mutex
	process *os.Process      // guarded by mu
	reaped  bool             // guarded by mu; its pid may be another's
	why     string           // guarded by mu until exited; what it was killed for
	state   *os.ProcessState // set before exited is closed
}

// live is a worker's goroutine, from before it is started to after it has ended.
func (w *worker) live() {
	w.started, w.exited = make(chan error), make(chan struct{})
	w.pool.starts <- w
	if err := <-w.started; err != nil {
		w.pool.gone(w, fmt.Errorf("aio: procpool cannot start this program again: %w", err))
		return
	}
	w.pool.begun(w)
	why := w.hello()
	if w.helloed {
		w.pool.ready(w)
	} else if why != "" {
		w.kill(why)
	} else {
		defer w.killLater().Stop()
	}
	<-w.exited
	w.pool.leave(w)
	w.takeOver()
	w.pool.gone(w, w.bury())
}

// start starts the process. On the starter's thread.
func (w *worker) start() (err error) {
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			_ = f.Close()
		}
		if err != nil {
			w.closeFiles()
		}
	}()
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	theirs = append(theirs, null)
	for _, ours := range []**os.File{&w.calls, &w.answers, &w.errors} {
		r, wr, err := os.Pipe()
		if err != nil {
			return err
		}
		if ours == &w.calls {
			r, wr = wr, r
		}
		*ours, theirs = r, append(theirs, wr)
	}
	bulk, theirBulk, err := socketPair()
	if err != nil {
		return err
	}
	w.bulk, theirs = bulk, append(theirs, theirBulk)
	stdout := os.Stdout
	if stdout == nil {
		stdout = null
	}
	p := w.pool
	env := p.config.Env
	if env == nil {
		env = os.Environ()
	}
	orders := workerOrders{p.config.MaxFrameBytes, p.config.MaxMemoryBytes > 0}
	process, err := os.StartProcess(p.program, []string{os.Args[0], workerArg}, &os.ProcAttr{
		Files: []*os.File{null, stdout, theirs[3], theirs[1], theirs[2], p.parent, theirBulk},
		Env:   append([]string{handshakeName + "=" + orders.String()}, env...),
		Sys:   workerAttr(),
	})
	if err != nil {
		return err
	}
	w.pid, w.process = process.Pid, process
	w.writer = newFrameWriter(w.calls, w.bulk)
	w.in, w.out = newPipeEnd(w.answers, readNow), newPipeEnd(w.calls, writeNow)
	w.reader = newFrameReader(w.in, w.bulk, max(p.config.MaxFrameBytes, 1<<10))
	w.stderr.to, w.stderr.done = &p.stderr, make(chan struct{})
	go w.stderr.copy(w.errors)
	go w.await()
	return nil
}

// await waits for the end of the process.
func (w *worker) await() {
	if awaitExit(w.pid) {
		w.mu.Lock()
		killGroup(w.pid)
		w.state, _ = w.process.Wait()
	} else {
		state, _ := w.process.Wait()
		w.mu.Lock()
		w.state = state
	}
	w.reaped = true
	// What it sent before is read. If something else holds its end of the pipe, that has no end.
	w.interrupt(lingers)
	w.mu.Unlock()
	close(w.exited)
}

// kill ends the process, whatever it does, and whoever waits for its pipes; why is for people. It may
// be called at any time, without Pool.mu.
func (w *worker) kill(why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reaped {
		return
	}
	if w.why == "" {
		w.why = why
	}
	killGroup(w.pid)
	_ = w.process.Kill() // it may have left its group
	w.interrupt(0)
}

// interrupt ends what waits for the worker's pipes: writing now, reading a while later.
func (w *worker) interrupt(later time.Duration) {
	now := time.Now()
	for _, f := range []*os.File{w.answers, w.bulk} {
		_ = f.SetReadDeadline(now.Add(later))
	}
	for _, f := range []*os.File{w.calls, w.bulk} {
		_ = f.SetWriteDeadline(now)
	}
}

// closeFiles closes this end of everything that there is.
func (w *worker) closeFiles() {
	for _, f := range []*os.File{w.calls, w.answers, w.errors, w.bulk} {
		_ = f.Close()
	}
}

// hello waits for the worker's first frame. It returns why the worker is of no use, "" if it ended
// by itself.
func (w *worker) hello() (why string) {
	within := w.pool.config.StartTimeout
	w.deadline(time.Now().Add(within))
	f, err := w.reader.next()
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Sprintf("it had not reached procpool.Main after %v; is that the first statement of main?", within)
	case err != nil:
		return reasonOf(err)
	case f.kind != frameHello:
		return fmt.Sprintf("its first frame is of kind %d", f.kind)
	case f.id != w.pool.build:
		return "it is another build of this program, whose file was replaced: start the program again"
	}
	w.deadline(time.Time{})
	w.helloed = true
	return ""
}

func (w *worker) deadline(at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.reaped {
		_ = w.answers.SetReadDeadline(at)
	}
}

// work exchanges the frames of c, and of the calls that the worker gets then.
func (w *worker) work(c *call) {
	for c != nil {
		c = w.exchange(c)
	}
}

// exchange sends a call and takes the answer, and returns the call that the worker has then. If there
// is no answer, the call is left to gone, or to another worker.
func (w *worker) exchange(c *call) (following *call) {
	w.pipes.Lock()
	f := c.frame()
	if err := w.writer.write(&f); err != nil {
		w.pipes.Unlock()
		w.pool.unsent(w, c)
		w.killLater()
		return nil
	}
	answer, err := w.reader.next()
	w.pipes.Unlock()
	return w.took(c, &answer, err)
}

// took is what comes of c's answer, or of err if there is none: see exchange.
func (w *worker) took(c *call, answer *frame, err error) (following *call) {
	switch {
	case err != nil:
		w.wrong(reasonOf(err))
	case answer.kind < frameOutcome:
		w.wrong(fmt.Sprintf("it answered with a frame of kind %d", answer.kind))
	case answer.seq != c.seq:
		w.wrong(fmt.Sprintf("it answered call %d when it had call %d", answer.seq, c.seq))
	default:
		return w.pool.answered(w, c, answer)
	}
	return nil
}

// wrong ends a worker that cannot be talked to any more; why is empty if it should be ending.
func (w *worker) wrong(why string) {
	if why != "" {
		w.kill(why)
	} else {
		w.killLater()
	}
}

// reasonOf is what a worker did wrong when reading from it gave err; "" if it ended.
func reasonOf(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrDeadlineExceeded) {
		return ""
	}
	return strings.TrimPrefix(err.Error(), "aio: ")
}

// killLater kills the process if it does not end by itself, as it should.
func (w *worker) killLater() *time.Timer {
	return time.AfterFunc(lingers, func() { w.kill("it closed its end of a pipe, and went on") })
}

// bury tells how the process ended.
func (w *worker) bury() *WorkerDied {
	patience := time.NewTimer(lingers)
	defer patience.Stop()
	select {
	case <-w.stderr.done:
	case <-patience.C: // somebody else holds it
	}
	w.pipes.Lock() // an answer may still be read
	defer w.pipes.Unlock()
	if w.edge != nil {
		w.edge.Close()
	}
	w.closeFiles()
	return &WorkerDied{Pid: w.pid, State: w.state, Stderr: w.stderr.last(), why: w.why, early: !w.helloed}
}

// stopTimers stops what would end the worker later. Called with Pool.mu held.
func (w *worker) stopTimers() {
	for _, t := range []*time.Timer{w.age, w.late} {
		if t != nil {
			t.Stop()
		}
	}
}
