package procpool

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/job"
)

// Config configures New. Its zero value is useful.
type Config struct {
	Workers        int           // processes at most; default GOMAXPROCS; started when needed
	MinWorkers     int           // so many are started by New, and replaced when they end, without a call that needs them
	MaxCalls       int           // a worker is replaced after so many; 0: never
	MaxAge         time.Duration // or after so long, if it has no call then, or else after its call; 0: never
	MaxMemoryBytes int64         // or when its resident memory is above this after a call (without Linux: was ever above); 0: never
	MaxFrameBytes  int           // largest argument or result, encoded; default 64 MiB
	StartTimeout   time.Duration // a worker that has not reached Main by then is killed; default 10 s
	Env            []string      // the workers' whole environment, as "key=value"; nil: this process's
	Stderr         io.Writer     // the workers' stderr, whole lines at a time, one Write at a time; default os.Stderr
}

// Pool runs named jobs in child processes; it is a [job.Executor]. Make one with New. All methods
// may be called from any goroutine.
type Pool struct {
	config  Config // immutable
	program string // immutable
	build   string // immutable
	stderr  lines
	parent  *os.File // immutable; a worker ends when the other end is closed
	life    *os.File // immutable; that end

	mu       sync.Mutex
	queue    list.List    // guarded by mu; *call, without a worker, in the order they came
	workers  int          // guarded by mu; processes, from before they are started until they are reaped
	starting int          // guarded by mu; of them, those that have not said hello
	serving  int          // guarded by mu; of them, those that have, and may have calls
	early    []*worker    // guarded by mu; processes that have not said hello
	idle     []*worker    // guarded by mu; the one that went idle last is the last
	calls    int          // guarded by mu; accepted and not over
	failures int          // guarded by mu; workers that ended before they had a call, since the last that had one
	retryAt  time.Time    // guarded by mu; no worker is started before, after a failure
	retry    *time.Timer  // guarded by mu; nil: nothing waits for retryAt
	closed   bool         // guarded by mu
	over     bool         // guarded by mu; closed, and without workers
	starts   chan *worker // to the starter; made by the first start, closed when over
	stats    Stats        // guarded by mu; the counters

	drained aio.Promise[struct{}] // resolved when a closed pool has no worker left
}

var _ job.Accepter = (*Pool)(nil)

// Stats tells what a pool does at the moment.
type Stats struct {
	Workers int    // processes, busy, idle, beginning or ending
	Busy    int    // of them, those with a call
	Waiting int    // calls that have no worker yet
	Done    uint64 // calls that a worker answered, since the start
	Died    uint64 // workers that ended by themselves, or had to be ended because they went wrong
	Killed  uint64 // workers that were killed because the ctx of their call ended
}

// New makes a pool. Whoever makes it must Close it. It starts no process unless MinWorkers says so,
// and does not suspend; from any goroutine. It fails if this program never called [Main] (its workers
// would run all of main instead), in a worker (whose own workers nobody would count), and where the
// system is none that it can work on (errors.ErrUnsupported).
func New(c Config) (*Pool, error) {
	if !supported {
		return nil, fmt.Errorf("aio: procpool needs to hand descriptors to a child, which Go cannot on %s: %w", runtime.GOOS, errors.ErrUnsupported)
	}
	if ordered && !mainCalled.Load() {
		return nil, errors.New("aio: procpool.New in a process that was started as a worker, and should serve in procpool.Main: call that as the first statement of main, under no condition")
	}
	if ordered {
		return nil, errors.New("aio: procpool.New in a worker: a job that needs more processes returns to its caller, who has the pool")
	}
	if !mainCalled.Load() {
		return nil, errors.New("aio: procpool.New without procpool.Main: call it as the first statement of main (in a test: of TestMain); workers are this program started again, and would run all of it")
	}
	if c.Workers < 0 || c.MinWorkers < 0 || c.MaxCalls < 0 || c.MaxAge < 0 || c.MaxMemoryBytes < 0 || c.MaxFrameBytes < 0 || c.StartTimeout < 0 {
		return nil, fmt.Errorf("aio: procpool.Config has a negative limit: %+v", c)
	}
	c.Workers = cmp.Or(c.Workers, max(runtime.GOMAXPROCS(0), c.MinWorkers))
	c.MaxFrameBytes = cmp.Or(c.MaxFrameBytes, 64<<20)
	c.StartTimeout = cmp.Or(c.StartTimeout, 10*time.Second)
	if c.MinWorkers > c.Workers {
		return nil, fmt.Errorf("aio: procpool.Config has MinWorkers %d, more than Workers %d", c.MinWorkers, c.Workers)
	}
	if c.Stderr == nil {
		c.Stderr = os.Stderr
	}
	p := &Pool{config: c, stderr: lines{to: c.Stderr}}
	var err error
	if p.program, err = program(); err != nil {
		return nil, fmt.Errorf("aio: procpool cannot find its own program: %w", err)
	}
	if p.build, err = build(); err != nil {
		return nil, fmt.Errorf("aio: procpool cannot read its own program: %w", err)
	}
	if p.parent, p.life, err = os.Pipe(); err != nil {
		return nil, fmt.Errorf("aio: procpool: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.startNeeded()
	return p, nil
}

// Close takes no new calls and waits for those that were accepted, also those that wait for a worker;
// then it ends the workers, also those that have only begun to start, kills those that have not ended
// 5 seconds later, and waits for them. It
// suspends a task and blocks any other goroutine; in a callback it closes and is
// aio.ErrWouldDeadlock if there is anything to wait for. It is idempotent, and waits for a concurrent
// Close. To end calls rather than wait for them, end their ctx.
func (p *Pool) Close() error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		p.wind()
	}
	p.mu.Unlock()
	_, err := p.drained.Await(context.Background())
	return err
}

// Stats tells what the pool does at the moment. It does not suspend.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Workers, s.Waiting = p.workers, p.queue.Len()
	s.Busy = p.calls - s.Waiting
	return s
}
