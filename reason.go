package aio

import (
	"fmt"
	"strings"
)

// reason is what a wait is for, in a word for people. It stands in the waiter's word, which is
// written anyway when a wait begins: so any goroutine may read it at any time, and it costs nothing.
type reason uint64

// A primitive of our own names itself in begin; its words are in reasonWords.
const (
	onUnknown reason = iota // of a wait that is over, or not ours to tell
	onSleep
	onGather
	onWait
	onCompleted
	onShield
	onGroup
	onQueueGet
	onQueuePut
	onQueueJoin
	onMutex
	onEvent
	onCond
	onBarrier
	onSemaphore
	onPool
	onNoTasks
	onReading
	onWriting

	// A future that is awaited: in the order of what it may be of.
	onPromise
	onTask
	onCall
	onBlocking
	onLoopClose
	onPoolClose
)

// What a future is of, for people.
const (
	ofPromise = iota
	ofTask
	ofCall
	ofBlocking
	ofLoopClose
	ofPoolClose
)

var reasonWords = [...]string{
	onSleep:     "sleep",
	onGather:    "gather",
	onWait:      "wait",
	onCompleted: "as completed",
	onShield:    "shield",
	onGroup:     "group",
	onQueueGet:  "queue get",
	onQueuePut:  "queue put",
	onQueueJoin: "queue join",
	onMutex:     "mutex",
	onEvent:     "event",
	onCond:      "condition",
	onBarrier:   "barrier",
	onSemaphore: "semaphore",
	onPool:      "room in a pool",
	onNoTasks:   "end of another loop's tasks",
	onReading:   "reading of descriptor", // its number
	onWriting:   "writing of descriptor",
	onPromise:   "promise",
	onTask:      "a task of another loop", // of this one: its name
	onCall:      "call on an executor",
	onBlocking:  "blocking call",
	onLoopClose: "close of another loop",
	onPoolClose: "close of an executor",
}

var _ [waitOn>>waitOnShift + 1 - len(reasonWords)]struct{} // all have room in a waiter's word

// on is what w waits for, if it does.
func (w *waiter) on() (reason, bool) {
	word := w.word.Load()
	return reason(word & waitOn >> waitOnShift), word&waitState == waitWaiting
}

// awaiter is a watcher of a future on behalf of a wait, which may be one for several futures.
type awaiter interface {
	awaiter() (*waiter, reason)
}

func (w *waiter) awaiter() (*waiter, reason)  { return w, onTask }
func (m *watcher) awaiter() (*waiter, reason) { return m.count.waiter, m.count.on }

func (m *completion) awaiter() (*waiter, reason) {
	m.of.mu.Lock()
	defer m.of.mu.Unlock()
	if !m.of.waiting {
		return m.of.waiter, onUnknown
	}
	return m.of.waiter, onCompleted
}

// awaited tells which of the tasks each of them waits for, oldest first. Nobody notes that: it is
// found where it is known, in the watchers of the tasks' futures. From any goroutine.
func awaited(tasks []*task) map[*task][]*task {
	by := make(map[*task][]*task)
	add := func(w *waiter, on reason, t *task) {
		if now, waits := w.on(); w.task == nil || !waits || now != on {
			return
		}
		if of := by[w.task]; len(of) == 0 || of[len(of)-1] != t {
			by[w.task] = append(of, t)
		}
	}
	for _, t := range tasks {
		t.core.mu.Lock()
		list := &t.core.watchers
		for n := list.first; n != nil; n = list.after(n) {
			if a, ok := n.owner.(awaiter); ok {
				w, on := a.awaiter()
				add(w, on, t)
			}
		}
		t.core.mu.Unlock()
		if g := t.ctx.group; g != nil {
			g.mu.Lock()
			if n := g.waiting.first; n != nil {
				add(n.owner.(*waiter), onGroup, t)
			}
			g.mu.Unlock()
		}
	}
	return by
}

// words is what a task waits for: on, which is of those tasks, if any.
func words(on reason, of []*task) string {
	if len(of) == 0 {
		return reasonWords[on]
	}
	const most = 3
	var names []string
	for _, t := range of[:min(len(of), most)] {
		names = append(names, t.called())
	}
	text := strings.Join(names, ", ")
	if len(of) > most {
		text += fmt.Sprintf(" and %d more", len(of)-most)
	}
	if on == onTask {
		return text
	}
	return reasonWords[on] + ": " + text
}

// called is the task in a sentence: task-7, task "reader".
func (t *task) called() string {
	if t.label != nil && t.label.name != "" {
		return fmt.Sprintf("task %q", t.label.name)
	}
	return t.info().Name
}
