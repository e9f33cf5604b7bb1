package aio

import (
	"context"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// WithDebug turns debug mode on: asyncio's PYTHONASYNCIODEBUG, for tests and for looking for a
// mistake. Everything that a loop does then costs several times as much. It tells, by warnings to
// the logger (see [WithLogger]):
//
//   - where each task was created: in TaskInfo.On, and so in what the hooks and a *StuckError tell,
//     and as "created" in what the default hooks log;
//   - a task, or a call by InExecutor, that came to a value which nobody ever asked for: a forgotten
//     Await. When nobody can ask any more, which the garbage collector finds out, and at the latest
//     when the loop closes. Not the tasks of a group, which the group awaits, nor those without a
//     value (Do);
//   - a task that was destroyed while it was pending: Close's grace period was over, and it is
//     ended at its next wait;
//   - a wait in a goroutine where it can only be ErrWouldDeadlock, with its line, in case that
//     error is dropped: in a callback or hook on the loop's goroutine, or in an iterator that a
//     task pulls with iter.Pull. Once for each line. (Calling the loop from other goroutines,
//     which asyncio's debug mode warns of, is no mistake here.)
//
// Slow steps (see [WithSlowStep]) are timed exactly. What debug mode can't tell: that a promise
// will never be settled because its other holders are gone; who waits for it keeps it alive.
func WithDebug() Option { return option(func(l *Loop) { l.debug = new(debugging) }) }

// debugging is what a loop in debug mode has.
type debugging struct {
	mu    sync.Mutex
	lines map[string]bool // guarded by mu; where there was a wait that would deadlock
}

// maxDebugLines is how many lines with a wait that would deadlock are told of.
const maxDebugLines = 1000

const createdAt = "created at "

// noteCreated notes where a task is created; before it starts.
func noteCreated[T any](t *Task[T]) {
	if t.task.label == nil {
		t.task.label = new(label)
	}
	t.task.label.created = createdAt + callerLine()
	t.extra().debug = hasValue[T]()
}

// hasValue reports whether a T says anything.
func hasValue[T any]() bool {
	_, none := any(*new(T)).(struct{})
	return !none
}

// callerLine is the line of the user's that the calling goroutine is in, as "file:line function".
func callerLine() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if f.Function != "" && !isOurs(f.Function, f.File) {
			return f.File + ":" + strconv.Itoa(f.Line) + " " + f.Function
		}
		if !more {
			return "unknown"
		}
	}
}

// createdAttr is where a task was created, if that is known.
func createdAttr(t TaskInfo) []slog.Attr {
	i := strings.LastIndex(t.On, createdAt)
	if i < 0 {
		return nil
	}
	return []slog.Attr{slog.String("created", t.On[i+len(createdAt):])}
}

func (l *Loop) warn(what string, attrs ...slog.Attr) {
	l.log().LogAttrs(context.Background(), slog.LevelWarn, what, attrs...)
}

// noteUnread has it told that nobody asked for t's value, unless somebody does. Called when t has
// finished without error, in debug mode.
func (t *Task[T]) noteUnread() {
	noteUnread(t.task.ctx.loop, t, &t.core, t.task.info())
}

func noteUnread[F any](l *Loop, future *F, c *core, info TaskInfo) {
	c.mu.Lock()
	asked := c.claims > 0 || c.taken.Load() || c.more.done != nil || !c.more.debug
	c.mu.Unlock()
	if !asked {
		noteOutcome(l, future, c, report{what: Failure{Task: info}, unread: true})
	}
}

// warnUnread tells of a value that nobody asked for.
func (l *Loop) warnUnread(t TaskInfo) {
	if t.ID == 0 {
		l.warn("aio: nobody asked for the result of a call on an executor: a forgotten Await?")
		return
	}
	l.warn("aio: nobody asked for the result of a task: a forgotten Await?",
		append([]slog.Attr{slog.String("task", t.Name)}, createdAttr(t)...)...)
}

// killed tells of a task that did not end in the grace period.
func (d *debugging) killed(l *Loop, t *task) {
	info := t.info()
	l.warn("aio: a task was destroyed while it was pending: it did not end in the grace period of Close",
		append([]slog.Attr{slog.String("task", info.Name)}, createdAttr(info)...)...)
}

// wouldDeadlock tells of a wait where there can be none, under a context of l. It is called on the
// goroutine that waits.
func (d *debugging) wouldDeadlock(l *Loop, what string) {
	line := callerLine()
	d.mu.Lock()
	known := d.lines[line] || len(d.lines) >= maxDebugLines
	if !known {
		if d.lines == nil {
			d.lines = make(map[string]bool)
		}
		d.lines[line] = true
	}
	d.mu.Unlock()
	if !known {
		l.warn(what, slog.String("at", line))
	}
}

// Why a wait would deadlock, and what to do.
const (
	waitsOnLoop   = "aio: a wait in a callback or hook can only fail with ErrWouldDeadlock; start a task with Go"
	waitsInPulled = "aio: a wait in an iterator that a task pulls can only fail with ErrWouldDeadlock; wait in the task itself"
)
