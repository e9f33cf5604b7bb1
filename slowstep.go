package aio

import (
	"context"
	"log/slog"
	"time"
)

// SlowStep is what Hooks.SlowStep is told of: a step, of a task or a callback, that holds its loop
// for too long, see [WithSlowStep]. Nothing else on the loop runs meanwhile.
//
// Each slow step is told of twice: while it holds the loop, with its stack, and when it has ended,
// with how long it took in all and without a stack. One that ends in the moment in which its stack
// is to be taken is told of only the second time. One that never ends is told of once.
type SlowStep struct {
	Task  TaskInfo      // zero for a plain callback; the stack shows which
	Took  time.Duration // so far, or in all: exact to a tenth of the limit. Time in which the machine itself stood still does not count
	Stack []byte        // of the goroutine that holds the loop, as runtime.Stack formats it; nil when the step has ended
	At    string        // the line that the step was in when it was looked at, soon after the limit; others may have taken longer. "file:line function": the first of Stack that is neither Go's nor aio's; empty when the step has ended, or if there is none

	// CPU is how much CPU time the loop's thread got since the watchdog first looked at the step
	// (at most two tenths of the limit after it began): little, if the step waits for something,
	// or if the machine has no time for it. It is known on Linux for a loop with OnThread; for
	// other loops, and on other Unixes, it is that of the whole process. Elsewhere it is -1.
	CPU time.Duration
}

// WithSlowStep sets how long a step may hold the loop before Hooks.SlowStep is told, which is while
// the step still runs. The default is 100 ms; 0 turns the watchdog off. It warns, and never stops
// anything.
//
// It looks ten times per d, by a timer that rests while the loop is parked, and costs the loop
// nothing that can be measured. The stack of a slow step is found among those of all goroutines.
// Up to 1,000 of them are dumped, which stops the program for some 10 ms. Of more a profile is
// taken, which takes some 10 µs for each of them but lets the program go on; if several loops are in
// a step just then, Stack shows all of these, without At. The next look is taken after twenty times
// as long as the last one took, and none where there are more than 250,000 goroutines; Stack then
// says so.
//
// A process that is stopped (SIGSTOP), suspended or starved of CPU causes no alarm: the watchdog's
// own timer is late then too, and what it is late by does not count. With GOMAXPROCS=1 a step that
// computes is seen when Go's scheduler interrupts it for the watchdog: some 10 to 30 ms later.
//
// In a testing/synctest bubble the watchdog is off unless WithSlowStep is given. With it, what
// counts there is the bubble's time: a step is reported exactly d after it began, if it waits by
// what is not aio's (time.Sleep, a channel), and a step that only computes takes no time at all.
func WithSlowStep(d time.Duration) Option {
	return option(func(l *Loop) { l.watch.limit, l.watch.given = max(d, 0), true })
}

// tellSlowStep hands a slow step to the hook, or to the log.
func (l *Loop) tellSlowStep(s SlowStep) {
	if l.hooks.SlowStep != nil {
		l.hooks.SlowStep(s)
		return
	}
	what := slog.String("step", "a callback")
	if s.Task.ID != 0 {
		what = slog.String("task", s.Task.Name)
	}
	attrs := []slog.Attr{what, slog.Duration("took", s.Took)}
	if s.CPU >= 0 {
		attrs = append(attrs, slog.Duration("cpu", s.CPU))
	}
	if s.Stack == nil {
		l.log().LogAttrs(context.Background(), slog.LevelInfo, "aio: the slow step has ended; it took so long in all, not only in the line that was told", attrs...)
		return
	}
	if s.At != "" {
		attrs = append(attrs, slog.String("at", s.At))
	}
	attrs = append(attrs, createdAttr(s.Task)...)
	attrs = append(attrs, slog.String("stack", string(s.Stack)))
	l.log().LogAttrs(context.Background(), slog.LevelWarn,
		"aio: a slow step holds the loop; what waits or computes for long belongs into aio.Blocking", attrs...)
}
