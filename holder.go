package aio

import (
	"bytes"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// holder is the goroutine that holds a loop, as found in a dump of all.
type holder struct {
	stack   []byte
	at      string // the line of the user's that it is in
	worker  *worker
	answers bool // it is at the end of its step
	parks   bool // it is in no step
}

// findHolder finds who holds l in a dump that was made while the baton could not go on: w's
// coroutine, if that is not suspended, and otherwise the goroutine that runs the loop. If that
// pulls an iterator of the user's own, it is the goroutine of the iterator, with the other's stack
// below it.
//
// A goroutine is known by the receiver of a method at its bottom, which its stack shows as an
// address: that of a worker's body, or of the loop's iterate. Both need it to the end, so the
// address is there.
func findHolder(dump []byte, l *Loop, w *worker) holder {
	if w != nil {
		if stack := goroutineWith(dump, "aio.(*worker).body", w); stack != nil && !yields(stack) {
			h := heldBy(dump, stack)
			h.worker = w
			return h
		}
	}
	if stack := goroutineWith(dump, "aio.(*Loop).iterate", l); stack != nil {
		return heldBy(dump, stack)
	}
	return holder{stack: []byte("aio: the goroutine that holds the loop is not in the dump of all goroutines")}
}

// goroutineWith is the stack in which method, one of package aio's, was called on receiver.
func goroutineWith(dump []byte, method string, receiver any) []byte {
	call := fmt.Appendf(nil, "%s(0x%x", method, reflect.ValueOf(receiver).Pointer())
	for start := 0; ; {
		i := bytes.Index(dump[start:], call)
		if i < 0 {
			return nil
		}
		i += start
		start = i + len(call)
		if start < len(dump) && strings.IndexByte("0123456789abcdef", dump[start]) >= 0 {
			continue // another address that begins like this one
		}
		from := bytes.LastIndex(dump[:i], []byte("\n\n"))
		if from < 0 {
			from = 0
		} else {
			from += 2
		}
		stack, _, _ := bytes.Cut(dump[from:], []byte("\n\n"))
		return stack
	}
}

// heldBy is the holder if this goroutine, or an iterator that it pulls, is.
func heldBy(dump, stack []byte) holder {
	if bytes.Contains(stack, []byte("aio.(*watchdog).answer(")) {
		return holder{answers: true}
	}
	if bytes.Contains(stack, []byte("aio.(*Loop).park(")) {
		return holder{parks: true}
	}
	whole := bytes.Clone(stack) // not to keep the dump
	for isCoroutine(stack) {
		stack = pulledBy(dump, stack)
		if stack == nil {
			break
		}
		whole = slices.Concat(stack, []byte("\n\n"), whole)
	}
	return holder{stack: whole, at: firstUserLine(whole)}
}

// isCoroutine reports whether the goroutine with this stack has given control to a coroutine, or
// is one that is suspended.
func isCoroutine(stack []byte) bool {
	header, _, _ := bytes.Cut(stack, []byte("\n"))
	return bytes.Contains(header, []byte("[coroutine"))
}

// pulledBy is the stack of an iterator that the goroutine with this stack began, and that is not
// suspended or has pulled one itself; nil if there is none.
func pulledBy(dump, stack []byte) []byte {
	_, rest, _ := bytes.Cut(stack, []byte("goroutine "))
	number, _, _ := bytes.Cut(rest, []byte(" "))
	for len(dump) > 0 {
		var other []byte
		other, dump, _ = bytes.Cut(dump, []byte("\n\n"))
		if creatorByPull(other) == string(number) && !bytes.Contains(other, []byte("aio.(*worker).body(")) && !yields(other) {
			return other
		}
	}
	return nil
}

// yields reports whether the goroutine with this stack is an iterator that waits to be pulled: its
// first frame is iter.Pull's yield, or it has not begun.
func yields(stack []byte) bool {
	_, frames, _ := bytes.Cut(stack, []byte("\n"))
	return isCoroutine(stack) && (bytes.HasPrefix(frames, []byte("iter.Pull[...].func1.")) || bytes.HasPrefix(frames, []byte("runtime.corostart")))
}

// firstUserLine is the first line of a stack that is neither Go's nor aio's, as "file:line
// function"; empty if there is none.
func firstUserLine(stack []byte) string {
	lines := strings.Split(string(stack), "\n")
	for i := 0; i+1 < len(lines); i++ {
		call, place := lines[i], lines[i+1]
		if !strings.HasPrefix(place, "\t") || strings.HasPrefix(call, "created by ") {
			continue
		}
		if end := strings.LastIndexByte(call, '('); end > 0 {
			call = call[:end]
		}
		place, _, _ = strings.Cut(place[1:], " +0x")
		file, _, _ := strings.Cut(place, ".go:")
		if !isOurs(call, file+".go") {
			return place + " " + call
		}
	}
	return ""
}

// isOurs reports whether a frame is Go's or aio's, and so not the one that a user asks after.
func isOurs(function, file string) bool {
	if strings.HasSuffix(file, "_test.go") {
		return false
	}
	if strings.HasPrefix(function, "github.com/seed8b1f0744/aio.") || strings.HasPrefix(function, "github.com/seed8b1f0744/aio/internal/") {
		return true
	}
	if std := stdFolder(); std != "" {
		return strings.HasPrefix(file, std)
	}
	// Built with -trimpath: files begin with their import path, and those of std have no dot in its
	// first element.
	first, _, _ := strings.Cut(file, "/")
	return !strings.Contains(first, ".") && !strings.HasPrefix(function, "main.")
}

// stdFolder is where the files of the standard library were when this program was built; empty
// with -trimpath.
var stdFolder = sync.OnceValue(func() string {
	file, _ := runtime.FuncForPC(reflect.ValueOf(runtime.GC).Pointer()).FileLine(0)
	return strings.TrimSuffix(file, "runtime/mgc.go")
})

// taskOf is the task that h runs; zero if it is none.
func (l *Loop) taskOf(h holder) TaskInfo {
	if h.worker == nil {
		return TaskInfo{}
	}
	return runningInfo(l.tasks.byID(h.worker.shows.Load()))
}

// probableTask is the task whose step it is, as far as that can be told without a stack: a callback
// may have the last task's, if it has woken that.
func (l *Loop) probableTask() TaskInfo {
	w := l.current.Load()
	if w == nil {
		return TaskInfo{}
	}
	t := l.tasks.byID(w.shows.Load())
	if t != nil && t.waiter.word.Load()&waitState == waitWaiting {
		return TaskInfo{}
	}
	return runningInfo(t)
}

func runningInfo(t *task) TaskInfo {
	if t == nil {
		return TaskInfo{}
	}
	info := t.info()
	info.State = "running"
	return info
}
