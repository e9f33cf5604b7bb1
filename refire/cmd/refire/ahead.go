package main

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/seed8b1f0744/aio/refire/unpack"
)

// ahead is a packed log that is being read before its turn: unpacking keeps one core busy, and there are others. What is found waits in it, up to a limit.
type ahead struct {
	mu      sync.Mutex
	changed sync.Cond // on mu
	found   []finding // guarded by mu
	bytes   int       // guarded by mu: what found holds
	over    bool      // guarded by mu: there is no more
	left    bool      // guarded by mu: nobody wants more

	stop  context.CancelFunc
	stats accesslog.Stats // set before over is
	err   error           // likewise
}

// finding is an entry, or a bad line.
type finding struct {
	entry accesslog.Entry
	bad   *accesslog.BadLine
}

// aheadBytes is how much may wait in one log that is read ahead, but for the last finding.
const aheadBytes = 4 << 20

// readAhead begins with the packed logs that come right after logs[i], one for each core but one.
func readAhead(ctx context.Context, logs []*log, i int, opts accesslog.Options) {
	for _, l := range logs[i+1 : min(len(logs), i+runtime.GOMAXPROCS(0))] {
		if l.ahead == nil && l.file != nil && l.kind != unpack.Plain {
			l.ahead = newAhead()
			own, stop := context.WithCancel(ctx)
			l.ahead.stop = stop
			go l.ahead.fill(own, l, opts)
		}
	}
}

// leaveAll ends the reading of what is read ahead, and waits for it.
func leaveAll(logs []*log) {
	for _, l := range logs {
		if l.ahead != nil {
			l.ahead.leave()
		}
	}
}

func newAhead() *ahead {
	a := new(ahead)
	a.changed.L = &a.mu
	return a
}

func (a *ahead) fill(ctx context.Context, l *log, opts accesslog.Options) {
	defer a.stop()
	stats, err := l.scanNow(ctx, opts, a.put)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stats, a.err, a.over = stats, err, true
	a.changed.Broadcast()
}

// put waits for room.
func (a *ahead) put(e *accesslog.Entry, bad *accesslog.BadLine) error {
	const itself = 256 // an entry, without its strings
	size := itself + len(e.Method) + len(e.Target) + len(e.Proto) + len(e.Host)
	if bad != nil {
		size += len(bad.Raw)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.bytes >= aheadBytes && !a.left {
		a.changed.Wait()
	}
	if a.left {
		return errNobody
	}
	a.found, a.bytes = append(a.found, finding{*e, bad}), a.bytes+size
	a.changed.Broadcast()
	return nil
}

var errNobody = errors.New("nobody wants more")

// drain gives everything to each, as it comes.
func (a *ahead) drain(each func(*accesslog.Entry, *accesslog.BadLine) error) (accesslog.Stats, error) {
	for {
		found := a.take()
		if len(found) == 0 {
			return a.stats, a.err
		}
		for i := range found {
			if err := each(&found[i].entry, found[i].bad); err != nil {
				a.leave()
				return a.stats, err
			}
		}
	}
}

// take waits for findings and takes them all; none: there are no more.
func (a *ahead) take() []finding {
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.found) == 0 && !a.over {
		a.changed.Wait()
	}
	found := a.found
	a.found, a.bytes = nil, 0
	a.changed.Broadcast()
	return found
}

// leave wants no more, and waits until the log is read no more.
func (a *ahead) leave() {
	a.stop()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.left, a.found = true, nil
	a.changed.Broadcast()
	for !a.over {
		a.changed.Wait()
	}
}
