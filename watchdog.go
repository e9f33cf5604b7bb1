package aio

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seed8b1f0744/aio/internal/goid"
)

// watchdog tells of steps that hold the loop for too long, while they do.
//
// The loop reads no clock and leaves no mark at its steps: either would cost a good part of what a
// step does. Instead the watchdog, by a timer, asks now and then, and the loop looks at the
// beginning of each step whether it was asked (an atomic load; only stores are dear) and answers.
// As long as there is no answer, what runs is the step that ran when it asked.
//
//	asleep -> watching (wake) -> asking (ask) -> watching (answer) ... -> asleep (sleep)
//	                             asking -> told (the step is reported) -> over (answer) -> watching
//
// Asleep and told it has no timer: a parked loop is left in peace, and a step that never ends costs
// nothing after its report. Everything else takes place in a tick, one at a time.
//
// A precise watchdog has the loop answer at every step, which so knows exactly when it began: in
// synctest bubbles, where steps take no time unless they block, and in debug mode.
type watchdog struct {
	asked  atomic.Bool // the loop must answer when its next step begins
	asleep atomic.Bool // the loop must wake the watchdog before it goes on

	loop    *Loop         // immutable, as all of these
	limit   time.Duration // what is slow; 0: there is no watchdog
	given   bool          // limit, by WithSlowStep
	precise bool
	bubbled bool

	mu      sync.Mutex
	timer   *time.Timer   // guarded by mu, as all of these; made when first armed
	due     time.Time     // when the timer is to fire
	began   time.Time     // the step in question did not begin before this
	held    stopwatch     // for how long it has been seen to run
	looks   int           // at it
	cpu     time.Duration // what the loop's thread had got at the first look
	thread  int           // the loop's own OS thread; 0 if it has none
	told    *toldStep     // reported, and its end is not
	dumped  time.Time     // when the stacks were last looked at
	dumping time.Duration // how long that took
	ticking bool          // a tick is running, or a hook in it
	again   bool          // another one came meanwhile
	stopped bool          // the loop is closing
	quiet   chan struct{} // closed when the last tick is over
}

// defaultSlowStep is asyncio's slow_callback_duration.
const defaultSlowStep = 100 * time.Millisecond

// init is called once the options are known.
func (d *watchdog) init(l *Loop) {
	d.loop, d.bubbled = l, l.bubbled
	if !d.given && !l.bubbled {
		d.limit = defaultSlowStep
	}
	d.precise = l.bubbled || l.debug != nil
	d.asleep.Store(d.limit > 0)
}

// step is called by the loop when a step begins.
func (d *watchdog) step() {
	if d.asked.Load() {
		d.answer(false)
	}
}

// rest is called by the loop before it parks.
func (d *watchdog) rest() {
	if d.asked.Load() {
		d.answer(true)
	}
}

// work is called by the loop when it goes on, and in the beginning.
func (d *watchdog) work() {
	if d.asleep.Load() {
		d.wake()
	}
}

// answer is the slow path of step and rest: the step that was asked about is over.
func (d *watchdog) answer(rests bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	d.began, d.held, d.looks = now, stopwatch{from: now}, 0
	d.asked.Store(d.precise)
	switch {
	case d.told != nil && d.told.ended.IsZero():
		d.told.ended = now
		d.arm(now, 0)
	case d.told == nil && rests && d.bubbled: // a tick would be a stop on the way of virtual time
		d.timer.Stop()
		d.asleep.Store(true)
	}
}

// wake is the slow path of work.
func (d *watchdog) wake() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.thread == 0 && d.loop.onThread {
		d.thread = threadID()
	}
	now := time.Now()
	d.began, d.held, d.looks = now, stopwatch{from: now}, 0
	d.asleep.Store(false)
	d.asked.Store(d.precise)
	d.arm(now, d.period())
}

// period is how often the watchdog looks. A step is found that much after its limit at the latest,
// and how long it took is exact to that.
func (d *watchdog) period() time.Duration { return max(d.limit/10, 100*time.Microsecond) }

// arm has a tick come t after now, from which on it is counted whether that is late: also if the
// program is stopped before the timer is set. Called with mu held.
func (d *watchdog) arm(now time.Time, t time.Duration) {
	if d.stopped {
		return
	}
	d.due = now.Add(t)
	if d.timer == nil {
		d.timer = time.AfterFunc(t, d.tick)
	} else {
		d.timer.Reset(t)
	}
}

// tick is called by the timer, in a goroutine.
func (d *watchdog) tick() {
	over := false
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ticking || d.stopped {
		d.again = true
		return
	}
	d.ticking = true
	defer func() {
		if d.ticking = false; !over { // a hook went by Goexit: what is left to do is the next tick's
			d.arm(time.Now(), 0)
		}
		if d.quiet != nil {
			close(d.quiet)
		}
	}()
	for again := true; again && !d.stopped; again = d.again {
		d.again = false
		d.look()
	}
	over = true
}

// look is what a tick does. Called with mu held.
func (d *watchdog) look() {
	if d.told != nil {
		if d.told.ended.IsZero() {
			return // the answer will bring the next tick
		}
		d.tellEnd()
	}
	if d.stopped || d.sleep() {
		return
	}
	now := time.Now()
	if !d.asked.Load() {
		d.ask(now)
		return
	}
	if d.looks++; d.looks == 1 && d.precise {
		d.cpu, _ = cpuTime(d.thread)
	}
	if held := d.held.read(now, d.due, d.limit, d.ran()); held < d.limit {
		d.arm(now, min(d.period(), d.limit-held))
		return
	}
	d.tell(now)
}

// ask has the loop answer when its next step begins. Called with mu held.
func (d *watchdog) ask(now time.Time) {
	if now.Sub(d.due) > machineStop(d.limit) {
		d.began = now // the machine had stopped: if the step began before, it is counted anew
	}
	d.held = stopwatch{from: now, last: now, ran: d.ran()}
	d.cpu, _ = cpuTime(d.thread)
	d.asked.Store(true)
	d.arm(now, min(d.period(), d.limit))
}

// ran is the CPU time that each processor that Go uses has given to this process on average; it stays
// zero where that is not known, and in bubbles. Called with mu held.
func (d *watchdog) ran() time.Duration {
	if d.bubbled {
		return 0
	}
	t, _ := cpuTime(0)
	return t / time.Duration(min(runtime.GOMAXPROCS(0), runtime.NumCPU()))
}

// sleep lets the watchdog sleep if the loop is parked. That is read, and noted, under the lock
// under which whoever wakes the loop takes note of it: so a loop that goes on sees it. Called with
// mu held.
func (d *watchdog) sleep() bool {
	b := &d.loop.inbox
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.parked {
		d.asleep.Store(true)
	}
	return b.parked
}

// stopwatch measures how long something has run while the machine ran, too. A process that is
// stopped, suspended or starved of processors is not told so; but its own timers are late then, and
// by how much they are is time in which nothing ran; or it is the very step that has kept them from
// being called, as one that computes does where Go uses one processor, but then the process ran.
type stopwatch struct {
	from time.Time
	last time.Time     // when it was read; zero: never
	ran  time.Duration // then, see watchdog.ran
	lost time.Duration // by late ticks
	gone time.Duration // of that, so much at a time that the machine itself must have stopped
}

// read is the time since from without what was lost. It was to be read at due; to be late by a
// quarter of limit counts, and so does what the process ran in that time.
func (s *stopwatch) read(now, due time.Time, limit, ran time.Duration) time.Duration {
	if due.Before(s.from) {
		due = s.from
	}
	late := now.Sub(due)
	if late > limit/4 {
		if !s.last.IsZero() {
			late -= min(late, max(0, ran-s.ran-due.Sub(s.last)))
		}
		s.lost += late
	}
	if late > machineStop(limit) {
		s.gone += late
	}
	s.last, s.ran = now, ran
	return now.Sub(s.from) - s.lost
}

// machineStop is how late a tick may be before the machine must have stopped, rather than had too
// much to do.
func machineStop(limit time.Duration) time.Duration { return max(limit, defaultSlowStep) }

// toldStep is a step that was reported.
type toldStep struct {
	task  TaskInfo
	began time.Time
	gone  time.Duration
	ended time.Time // zero: it still runs
}

// tell reports the step that holds the loop. Called with mu held, which it lets go of for what
// takes long.
func (d *watchdog) tell(now time.Time) {
	told := &toldStep{task: d.loop.probableTask(), began: d.began, gone: d.held.gone}
	d.told = told
	h := d.findHolder(now)
	switch {
	case !told.ended.IsZero() || d.stopped: // it has ended meanwhile: only that is told
		d.again = true
		return
	case h.answers: // as good as ended
		return
	case h.parks: // it was no step at all
		d.told = nil
		d.arm(time.Now(), d.period())
		return
	}
	told.task = d.loop.taskOf(h)
	step := SlowStep{Task: told.task, Took: now.Sub(told.began) - told.gone, Stack: h.stack, At: h.at, CPU: d.cpuSince()}
	d.mu.Unlock()
	defer d.mu.Lock()
	d.call(step)
}

// tellEnd reports how long a step took that was reported while it ran. Called with mu held, which
// it lets go of to call the hook.
func (d *watchdog) tellEnd() {
	told := d.told
	d.told = nil
	step := SlowStep{Task: told.task, Took: told.ended.Sub(told.began) - told.gone, CPU: d.cpuSince()}
	d.mu.Unlock()
	defer d.mu.Lock()
	d.call(step)
}

// cpuSince is the CPU time of the step in question; -1 if that is not known. Called with mu held.
func (d *watchdog) cpuSince() time.Duration {
	now, ok := cpuTime(d.thread)
	if !ok {
		return -1
	}
	return now - d.cpu
}

// call calls the hook, as what it is: an await in it is ErrWouldDeadlock.
func (d *watchdog) call(s SlowStep) {
	g := goid.Get()
	new(runner).enroll(g)
	defer strike(g)
	d.loop.tellSlowStep(s)
}

// stop ends the watchdog, on the goroutine that ends the loop. When it returns no hook runs, and
// none will. The end of a step that was reported is reported here, if it was not yet: in a goroutine
// of its own, which a hook may end by Goexit, and the loop's end goes on.
func (d *watchdog) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.limit == 0 || d.stopped {
		return
	}
	d.stopped = true
	if d.timer != nil {
		d.timer.Stop()
	}
	if d.ticking {
		d.quiet = make(chan struct{})
		d.mu.Unlock()
		<-d.quiet
		d.mu.Lock()
	}
	if d.told == nil {
		return
	}
	if d.told.ended.IsZero() {
		d.told.ended = time.Now()
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.tellEnd()
	}()
	d.mu.Unlock()
	<-told
	d.mu.Lock()
}
