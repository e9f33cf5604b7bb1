package aio

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio/internal/goid"
)

// Stats are a loop's numbers, see [Loop.Stats].
type Stats struct {
	Tasks      int    // not finished, the main one included
	Ready      int    // what waits for its turn: steps of tasks, callbacks, what other goroutines handed over
	Timers     int    // armed and not cancelled, sleeping tasks included; one that is due is ready instead
	Iterations uint64 // since the start
}

// Stats tells how the loop stands. It may be called from any goroutine, also while a step holds the
// loop, and after the loop has closed. It does not suspend.
//
// From the loop's own tasks and callbacks, and while the loop sleeps, the numbers are exact (but for
// Timers, which is one too few for each timer that was cancelled after it came due, until its turn).
// Any other goroutine asks the loop, which answers in its turn, after what that goroutine handed
// over before. If it does not within 10 ms, because a step holds it, or if the caller is a task or
// callback of another loop, which must not wait, then Tasks is still exact, and so is the part of
// Ready that other goroutines handed over. The rest is as of the last time the loop noted it: it
// does so before it sleeps, when it takes over what others handed to it, and at least every 16
// iterations.
func (l *Loop) Stats() Stats {
	b := &l.inbox
	here := l.onLoop()
	if !here {
		if q := l.ask(false); q != nil {
			return q.stats
		}
	}
	b.mu.Lock()
	seen := b.seen
	if here || b.parked {
		l.note() // so that nobody is told older numbers later
		seen = b.seen
	}
	seen.ready += b.waiting()
	b.mu.Unlock()
	return l.stats(seen)
}

// Tasks describes the tasks that have not finished, in the order of their IDs: asyncio's all_tasks.
// It may be called from any goroutine, also while a step holds the loop, and does not suspend.
//
// State is "ready", "running" or "waiting" (or "done", for one that is just being finished). On
// says what a waiting task waits for: the name of a task, "sleep until 15:04:05.000", "queue get",
// "gather: task-3, task-4", "blocking call" and the like; it is for people, and its words may
// change.
//
// As with [Loop.Stats], all of it is of one moment if the loop can be asked. Otherwise the list is
// still exact, and each task's state is what it was at some moment of the call; but a sleeping
// task's deadline is not told, and while a callback holds the loop a ready task that ran last may
// be shown as running.
func (l *Loop) Tasks() []TaskInfo {
	if l.onLoop() {
		return l.tasksHere()
	}
	if q := l.ask(true); q != nil {
		return q.tasks
	}
	return l.tasksAside()
}

// glance is what only the loop knows of itself.
type glance struct {
	ready      int // without what was posted
	timers     int // cancelled ones included
	iterations uint64
}

// noteEvery is how often a loop that does nothing else that others would see notes how it stands. A
// power of two.
const noteEvery = 16

// note has others see how the loop stands. On the loop, with the inbox's mu held.
func (l *Loop) note() { l.inbox.seen = l.glance() }

func (l *Loop) glance() glance { return glance{int(l.ready.n), l.timers.Len(), l.iterations} }

// waiting is what was posted, without questions that nobody waits for any more: those that the loop
// has taken over are in its ready queue, and count against that. Called with mu held.
func (b *inbox) waiting() int { return len(b.posts) - b.withdrawn }

func (l *Loop) stats(g glance) Stats {
	timers := g.timers - int(l.cancelled.Load())
	return Stats{Tasks: l.tasks.len(), Ready: max(g.ready, 0), Timers: max(timers, 0), Iterations: g.iterations}
}

// tasksHere is Tasks for whoever has the baton.
func (l *Loop) tasksHere() []TaskInfo {
	tasks := l.tasks.all()
	var running uint64
	if w := l.current.Load(); w != nil && w.co.G() == goid.Get() && w.task != nil {
		running = w.task.id
	}
	return l.describe(tasks, running, l.deadlines(tasks))
}

// tasksAside is Tasks where the loop can't be asked.
func (l *Loop) tasksAside() []TaskInfo {
	tasks := l.tasks.all()
	var until map[*task]deadline
	var running uint64
	b := &l.inbox
	b.mu.Lock()
	if b.parked { // and stays so while mu is held: nobody touches what is loop only
		until = l.deadlines(tasks)
	} else if w := l.current.Load(); w != nil {
		running = w.shows.Load()
	}
	b.mu.Unlock()
	return l.describe(tasks, running, until)
}

// deadline is when a task's sleep ends.
type deadline struct {
	when int64
	word uint64 // of the task's waiter: the sleep that is meant
}

// deadlines are those of the tasks that sleep. Loop only.
func (l *Loop) deadlines(tasks []*task) map[*task]deadline {
	if !slices.ContainsFunc(tasks, func(t *task) bool { on, waits := t.waiter.on(); return waits && on == onSleep }) {
		return nil
	}
	until := make(map[*task]deadline)
	l.timers.Each(func(when int64, s *slot) {
		if s.task != nil && s.word.Load()&slotState == slotPending {
			until[s.task] = deadline{when, s.task.waiter.word.Load()}
		}
	})
	return until
}

// describe tells of each task what can be told. From any goroutine.
func (l *Loop) describe(tasks []*task, running uint64, until map[*task]deadline) []TaskInfo {
	infos := make([]TaskInfo, len(tasks))
	of, fds := awaited(tasks), l.awaitedFDs()
	for i, t := range tasks {
		info := t.info()
		on, waits := t.waiter.on()
		switch {
		case info.State != "":
		case waits:
			info.State = "waiting"
			created := info.On // in debug mode
			info.On = words(on, of[t])
			if fd, ok := fds[&t.waiter]; ok && (on == onReading || on == onWriting) {
				info.On += " " + strconv.Itoa(fd)
			}
			if d, ok := until[t]; ok && d.word == t.waiter.word.Load() {
				info.On += " until " + l.timeOfDay(d.when)
			}
			if created != "" {
				info.On = strings.TrimPrefix(info.On+"; "+created, "; ")
			}
		case t.id == running:
			info.State = "running"
		default:
			info.State = "ready"
		}
		infos[i] = info
	}
	return infos
}

// timeOfDay is a time of the loop for people, who know what day it is.
func (l *Loop) timeOfDay(when int64) string {
	at, now := l.start0.Add(time.Duration(when)), l.Now()
	if at.Sub(now).Abs() < 12*time.Hour {
		return at.Format("15:04:05.000")
	}
	return at.Format("2006-01-02 15:04:05")
}

// answerWithin is how long a question waits for the loop's answer.
const answerWithin = 10 * time.Millisecond

// question is posted to have the loop itself tell how it stands.
//
//	asked -> begun -> answered | asked -> withdrawn
type question struct {
	loop      *Loop
	ofTasks   bool
	begun     bool // guarded by the inbox's mu
	withdrawn bool // guarded by the inbox's mu
	done      chan struct{}
	stats     Stats      // the answer, as tasks: written before done is closed
	tasks     []TaskInfo // if they were asked for
}

// ask has the loop answer a question; nil if it can't be asked, or need not, because it sleeps. One
// that is not answered stays with the loop, and as long as it does no other is asked: so what polls
// a loop that is held waits once, and leaves one question.
func (l *Loop) ask(ofTasks bool) *question {
	if runnerOf(goid.Get()) != nil {
		return nil
	}
	b := &l.inbox
	b.mu.Lock()
	if b.parked || b.closed || b.withdrawn > 0 {
		b.mu.Unlock()
		return nil
	}
	q := &question{loop: l, ofTasks: ofTasks, done: make(chan struct{})}
	b.add(q)
	timer := time.NewTimer(answerWithin)
	defer timer.Stop()
	select {
	case <-q.done:
		return q
	case <-timer.C:
	}
	b.mu.Lock()
	if !q.begun {
		q.withdrawn = true
		b.withdrawn++
		b.mu.Unlock()
		return nil
	}
	b.mu.Unlock()
	<-q.done // any moment now
	return q
}

// run implements runnable.
func (q *question) run() {
	l, b := q.loop, &q.loop.inbox
	b.mu.Lock()
	if q.withdrawn {
		b.withdrawn--
		b.mu.Unlock()
		return
	}
	q.begun = true
	l.note()
	seen := b.seen
	seen.ready += b.waiting()
	b.mu.Unlock()
	q.stats = l.stats(seen)
	if q.ofTasks {
		q.tasks = l.tasksHere()
	}
	close(q.done)
}
