package aio

import (
	"context"
	"log/slog"
	"time"
)

// Hooks are called on the loop's goroutine, outside any task (but SlowStep on the watchdog's: the
// loop is held); after the loop has stopped, on the goroutine that brought what there is to tell.
// Nil ones cost nothing. An await in a hook is ErrWouldDeadlock; a hook's own panic is not caught.
// The loop does not end before its hooks have returned.
type Hooks struct {
	TaskStarted  func(TaskInfo)        // before a task's first step
	TaskFinished func(TaskInfo, error) // after its last, with its outcome
	SlowStep     func(SlowStep)        // a step that holds the loop for too long, while it does, and again when it has ended; on the watchdog's goroutine. Default: logged, see WithLogger
	Unhandled    func(Failure)         // an error or panic that nobody took. Default: logged as an error, see WithLogger
}

// TaskInfo describes a task.
type TaskInfo struct {
	ID    uint64 // counts from 1 on each loop, in the order in which tasks were started
	Name  string // default "task-<ID>"
	State string // "ready", "running", "waiting" or "done"; empty where it is not known
	On    string // what it waits for, in words for people; empty where it is not known
}

// Failure is what Hooks.Unhandled is told of.
type Failure struct {
	Task TaskInfo // zero for a plain callback, and for a call on an executor; without ID for a task that had no loop
	Err  error    // a *PanicError for a panic, ErrClosed for a callback that a closed loop refused
}

// report hands a failure to the hook, or to the log.
func (l *Loop) report(f Failure) {
	if l.hooks.Unhandled != nil {
		l.hooks.Unhandled(f)
		return
	}
	logFailure(l.log(), f)
}

// log is where default hooks write.
func (l *Loop) log() *slog.Logger {
	if l.logger != nil {
		return l.logger
	}
	return slog.Default()
}

func logFailure(logger *slog.Logger, f Failure) {
	if f.Task.Name == "" {
		logger.LogAttrs(context.Background(), slog.LevelError, "aio: a failure nobody took", slog.Any("error", f.Err))
		return
	}
	attrs := append([]slog.Attr{slog.String("task", f.Task.Name), slog.Any("error", f.Err)}, createdAttr(f.Task)...)
	logger.LogAttrs(context.Background(), slog.LevelError, "aio: a task failed and nobody took its error", attrs...)
}

// Option configures Run and Start.
type Option interface{ option(*Loop) }

type option func(*Loop)

func (o option) option(l *Loop) { o(l) }

// OnThread has the loop own its OS thread: tasks and callbacks run on that thread only, and nothing
// else does while the loop lives. For libraries that bind state to a thread (OpenGL, GUI kits,
// namespaces, embedded interpreters). With Run it is the calling goroutine's thread, the main one
// if called from main after runtime.LockOSThread in an init; with Start a thread that ends with the
// loop, and with it whatever was done to it (a signal mask, a namespace). After Run the thread is
// the caller's again, as it then is: a goroutine that does not want it to be anybody else's calls
// runtime.LockOSThread before Run, and ends without unlocking it. New threads never inherit what was
// done. (The first thread of a process cannot end; it stands still instead.)
func OnThread() Option { return option(func(l *Loop) { l.onThread = true }) }

// WithExecutor sets the executor that Blocking uses. The loop does not close it. The default is a
// Pool of the loop's own, with the defaults of PoolConfig.
func WithExecutor(ex Executor) Option { return option(func(l *Loop) { l.executor = ex }) }

// WithGrace sets how long Close, and Run at its end, waits for what does not end, clean-up included.
// The default is 5 seconds; with zero or less nothing is waited for. A task whose clean-up takes
// longer is cut off at its wait, which is logged, see [WithLogger]; for a program that may take as
// long as it needs, give a long time.
func WithGrace(d time.Duration) Option { return option(func(l *Loop) { l.grace = max(d, 0) }) }

// WithHooks sets the hooks.
func WithHooks(h Hooks) Option { return option(func(l *Loop) { l.hooks = h }) }

// WithLogger sets where default hooks write, and what has no hook: the warnings of Close and of debug
// mode. The default is slog.Default.
func WithLogger(lg *slog.Logger) Option { return option(func(l *Loop) { l.logger = lg }) }
