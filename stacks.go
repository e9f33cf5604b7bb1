package aio

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/pprof"
	"strings"
	"time"
)

// How the watchdog comes to the stack of one goroutine, when the runtime only shows all of them.
const (
	maxDumped   = 1000    // goroutines, in a dump: it stops the program for about 10 µs each
	maxProfiled = 250_000 // goroutines, in a profile: it takes as long, but the program goes on
	lookPause   = 20      // times as long as the last look took, before the next
	perDumped   = 8 << 10 // bytes for each
)

// findHolder finds out who holds the loop, if it may. Called with mu held, which it lets go of for
// what takes long: the loop may come to the end of its step meanwhile, which told then shows.
func (d *watchdog) findHolder(now time.Time) holder {
	n := runtime.NumGoroutine()
	if n > maxProfiled {
		return holder{stack: fmt.Appendf(nil, "aio: no stack: there are %d goroutines, and the watchdog looks at no more than %d", n, maxProfiled)}
	}
	if next := d.dumped.Add(lookPause * d.dumping); now.Before(next) {
		return holder{stack: fmt.Appendf(nil, "aio: no stack: the last look took %v, the next is taken %v from now at the earliest", d.dumping, next.Sub(now))}
	}
	if n > maxDumped {
		return d.profile()
	}
	told := d.told
	d.mu.Unlock()
	buf := make([]byte, n*perDumped+64<<10)
	d.mu.Lock()
	if !told.ended.IsZero() || d.stopped {
		return holder{}
	}
	// With the lock held: if the step ends now, the loop waits in answer, and begins no other.
	start := time.Now()
	buf = buf[:runtime.Stack(buf, true)]
	d.dumped = time.Now()
	d.dumping = d.dumped.Sub(start)
	worker := d.loop.current.Load()
	d.mu.Unlock()
	defer d.mu.Lock()
	return findHolder(buf, d.loop, worker)
}

// profile finds the holder in a profile of all goroutines: that has no addresses, so that with
// several loops in a step at once it only finds those who may be it.
func (d *watchdog) profile() holder {
	worker := d.loop.current.Load() // the step's, if that has not ended in the end
	d.mu.Unlock()
	start := time.Now()
	var text bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&text, 1) // a Buffer takes everything
	end := time.Now()
	h := holderInProfile(text.String(), worker)
	d.mu.Lock()
	d.dumped, d.dumping = end, end.Sub(start)
	return h
}

// holderInProfile finds who holds a loop whose last worker is w.
func holderInProfile(text string, w *worker) holder {
	var found []string
	var h holder
	tasks := 0
	for record := range strings.SplitSeq(text, "\n\n") {
		stack := fromProfile(record)
		task := strings.Contains(stack, "aio.(*worker).body(")
		switch {
		case !task && !strings.Contains(stack, "aio.(*Loop).iterate("):
		case strings.HasPrefix(stack, "iter.Pull[...].func1.1("): // a suspended task
		case resumes(stack): // a loop that runs a task
		case strings.Contains(stack, "aio.(*Loop).park("):
		case strings.Contains(stack, "aio.(*watchdog).answer("):
		default:
			found = append(found, stack)
			if task {
				tasks++
			}
		}
	}
	switch {
	case len(found) == 0:
		return holder{stack: []byte("aio: the goroutine that holds the loop is not in the profile of all goroutines")}
	case len(found) == 1:
		h.stack, h.at = []byte("goroutine, from a profile:\n"+found[0]), firstUserLine([]byte(found[0]))
	default:
		h.stack = []byte("one of these goroutines, from a profile:\n" + strings.Join(found, "\n\n"))
	}
	if tasks == len(found) {
		h.worker = w
	}
	return h
}

// resumes reports whether the goroutine with this stack has given the baton to a coroutine of ours
// (and not only control to an iterator of the user's).
func resumes(stack string) bool {
	lines := strings.SplitN(stack, "\n", 4)
	return len(lines) > 2 && strings.HasPrefix(lines[0], "iter.Pull[...].func2(") && strings.Contains(lines[2], "aio/internal/coro.(*Coro).Resume(")
}

// fromProfile makes a stack as runtime.Stack prints it, but for arguments, of a record of a
// profile.
func fromProfile(record string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(record, "\n") {
		f := strings.Fields(line) // "#", address, function+offset, file:line
		if len(f) < 4 || f[0] != "#" {
			continue
		}
		function, offset, _ := strings.Cut(f[2], "+0x")
		fmt.Fprintf(&b, "%s(...)\n\t%s +0x%s\n", function, strings.Join(f[3:], " "), offset)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
