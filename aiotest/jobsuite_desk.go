package aiotest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
)

// The job of TestJobExecutor, and the desk where it reports, so that the suite can wait for it and
// hold it up. In the process of the suite that goes by memory, from elsewhere by TCP.

var errOnPurpose = job.Sentinel("aiotest: failed on purpose", errors.New("failed on purpose"))

// errand is what the job is to do.
type errand struct {
	Do     doing
	Desk   string // where to report first; empty: nowhere
	Number int    // of the errand, at the desk
	Bytes  []byte // come back in the errandDone
}

type doing string

const (
	comeBack   doing = ""
	wait4desk  doing = "wait until the desk says to go on"
	fail       doing = "fail"
	panics     doing = "panic"
	goexit     doing = "runtime.Goexit"
	bringFunc  doing = "bring what cannot travel"
	tellsUntil doing = "tell the deadline"
)

type errandDone struct {
	Number int
	Bytes  []byte
	Until  time.Duration // how far away the deadline was
	Any    any
}

var runErrand = job.Define("aiotest.errand", func(ctx context.Context, in errand) (errandDone, error) {
	out := errandDone{Number: in.Number, Bytes: in.Bytes}
	if in.Desk != "" {
		// In a task, which must not block its loop, that suspends.
		_, err := aio.Blocking(ctx, func(ctx context.Context) (struct{}, error) {
			return struct{}{}, report(ctx, in)
		})
		if err != nil {
			return out, err
		}
	}
	switch in.Do {
	case fail:
		return out, fmt.Errorf("errand %d: %w", in.Number, errOnPurpose)
	case panics:
		panic("on purpose")
	case goexit:
		runtime.Goexit()
	case bringFunc:
		out.Any = func() {}
	case tellsUntil:
		if deadline, ok := ctx.Deadline(); ok {
			out.Until = time.Until(deadline)
		}
	}
	return out, nil
})

// report tells the desk that the errand runs, and, if it is to wait, stays until it may go on or ctx
// ends.
func report(ctx context.Context, in errand) error {
	stays := in.Do == wait4desk
	if d, ok := desks.Load(in.Desk); ok {
		v := d.(*desk).enter(in.Number)
		defer v.leave()
		if !stays {
			return nil
		}
		select {
		case <-v.goOn:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", in.Desk)
	if err != nil {
		return fmt.Errorf("a job of the suite needs TCP to the machine of the test: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if err := binary.Write(conn, binary.BigEndian, int64(in.Number)); err != nil {
		return err
	}
	// The first byte says that it is noted, the second that it may go on.
	bytes := 1
	if stays {
		bytes = 2
	}
	for range bytes {
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			return errors.Join(ctx.Err(), err)
		}
	}
	return nil
}

// desks is the *desk of this process by their names.
var desks sync.Map

var deskCount atomic.Int64

// desk is where jobs report.
type desk struct {
	name     string
	listener net.Listener // nil: jobs are in this process
	served   sync.WaitGroup

	mu      sync.Mutex
	visits  []*visit              // guarded by mu; in the order they came
	changed chan struct{}         // guarded by mu; closed when they change
	opened  func(number int) bool // guarded by mu; whose errands need not wait; nil: all must
}

// visit is one run of an errand.
type visit struct {
	desk   *desk
	number int
	goOn   chan struct{} // closed when it may go on
	told   bool          // guarded by desk.mu
	gone   bool          // guarded by desk.mu
}

// openDesk opens one, that jobs of other processes reach if it is far.
func openDesk(far bool) (*desk, error) {
	d := &desk{name: fmt.Sprintf("desk %d", deskCount.Add(1)), changed: make(chan struct{})}
	if far {
		var err error
		if d.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return nil, err
		}
		d.name = d.listener.Addr().String()
		d.served.Go(d.listen)
	}
	desks.Store(d.name, d)
	return d, nil
}

// close sends everybody home.
func (d *desk) close() {
	desks.Delete(d.name)
	d.open(everybody)
	if d.listener != nil {
		_ = d.listener.Close()
	}
	d.served.Wait()
}

func (d *desk) listen() {
	for {
		conn, err := d.listener.Accept()
		if err != nil {
			return
		}
		d.served.Go(func() { d.serve(conn) })
	}
}

func (d *desk) serve(conn net.Conn) {
	defer conn.Close()
	var number int64
	if binary.Read(conn, binary.BigEndian, &number) != nil {
		return
	}
	v := d.enter(int(number))
	if _, err := conn.Write([]byte{1}); err != nil {
		v.leave()
		return
	}
	left := inBackground(func() {
		_, _ = conn.Read(make([]byte, 1)) // until the end: it never says more
		v.leave()
	})
	select {
	case <-v.goOn:
		_, _ = conn.Write([]byte{1})
		_ = conn.SetReadDeadline(time.Now().Add(patience))
	case <-left.done:
	}
	<-left.done
}

func (d *desk) enter(number int) *visit {
	v := &visit{desk: d, number: number, goOn: make(chan struct{})}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.visits = append(d.visits, v)
	if d.opened != nil && d.opened(number) {
		v.tell()
	}
	d.change()
	return v
}

func (v *visit) leave() {
	v.desk.mu.Lock()
	defer v.desk.mu.Unlock()
	v.gone = true
	v.desk.change()
}

// change tells those who wait for one. Called with mu held.
func (d *desk) change() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// poke has those who wait for a change look again.
func (d *desk) poke() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.change()
}

// tell has the visitor go on. Called with mu held.
func (v *visit) tell() {
	if !v.told {
		v.told = true
		close(v.goOn)
	}
}

// open has those go on, here already or to come, for whose errands ok holds.
func (d *desk) open(ok func(number int) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened = ok
	for _, v := range d.visits {
		if ok(v.number) {
			v.tell()
		}
	}
}

func everybody(int) bool { return true }

// count counts the visits for which ok holds.
func (d *desk) count(ok func(*visit) bool) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, v := range d.visits {
		if ok(v) {
			n++
		}
	}
	return n
}

// runs is how often an errand has run.
func (d *desk) runs(number int) int {
	return d.count(func(v *visit) bool { return v.number == number })
}

// until waits until there is a visit for which ok holds, and reports whether that came.
func (d *desk) until(ok func(*visit) bool) bool {
	return d.wait(func() bool { return d.count(ok) > 0 })
}

// nobody waits until none is left of the visits for whose errands ok holds.
func (d *desk) nobody(ok func(number int) bool) bool {
	return d.wait(func() bool { return d.count(func(v *visit) bool { return ok(v.number) && !v.gone }) == 0 })
}

func (d *desk) wait(ok func() bool) bool {
	tooLong := time.After(patience)
	for {
		d.mu.Lock()
		changed := d.changed
		d.mu.Unlock()
		if ok() {
			return true
		}
		select {
		case <-changed:
		case <-tooLong:
			return false
		}
	}
}

// patience is how long the suite waits for what should come at once, before it fails.
const patience = time.Minute
