package aio

import (
	"bytes"
	"runtime"
	"sync"

	"github.com/seed8b1f0744/aio/internal/goid"
)

// runner is what a goroutine of a loop runs: the coroutine of a worker, or the loop itself.
type runner struct {
	task *task // only for the goroutine itself to read; nil: the loop's own, or no task at the moment
}

// runners are the goroutines of all loops by goid. A key is deleted before its goroutine ends, so a
// goroutine that gets the same id later is not taken for it. (A sync.Map takes 100 bytes more for
// each.)
var runners [64]struct {
	mu sync.RWMutex
	of map[uintptr]*runner // guarded by mu
}

// enroll makes r known as what the goroutine g runs.
func (r *runner) enroll(g uintptr) {
	s := &runners[shard(g)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = make(map[uintptr]*runner)
	}
	s.of[g] = r
}

// strike undoes enroll; before the goroutine ends.
func strike(g uintptr) {
	s := &runners[shard(g)]
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.of, g)
}

// runnerOf is what the goroutine g, which must be the calling one, runs; nil for a plain goroutine.
func runnerOf(g uintptr) *runner {
	s := &runners[shard(g)]
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.of[g]
}

// shard spreads ids that are addresses of objects of some hundred bytes, or small numbers.
func shard(g uintptr) uintptr { return (g ^ g>>6 ^ g>>12) % uintptr(len(runners)) }

// InTask reports whether the caller runs in a task, of any loop: whether waiting would suspend it
// rather than block. It is the is_async_caller of Python libraries that serve both worlds. From any
// goroutine; it does not suspend.
func InTask() bool {
	r := runnerOf(goid.Get())
	return r != nil && r.task != nil
}

// loopHere is the loop on which the caller runs; nil in a plain goroutine.
func loopHere() *Loop {
	if r := runnerOf(goid.Get()); r != nil && r.task != nil {
		return r.task.ctx.loop
	}
	return nil
}

// pulledByTask reports whether the calling goroutine was started by an iter.Pull that leads to a
// loop: waiting on it would stop the very loop that may have to end the wait. It is asked before a
// goroutine blocks, and takes less than a microsecond unless that goroutine is a coroutine.
func pulledByTask() bool {
	if !inCoroutine() {
		return false
	}
	dump := allStacks()
	creator := creatorByPull(ownStack())
	for creator != "" {
		stack := stackOf(dump, creator)
		if bytes.Contains(stack, []byte("aio.(*worker).body")) || bytes.Contains(stack, []byte("aio.(*Loop).iterate")) {
			return true
		}
		creator = creatorByPull(stack)
	}
	return false
}

// inCoroutine reports whether the calling goroutine is one of iter.Pull: those begin in the
// runtime's corostart, the last but one of the frames.
func inCoroutine() bool {
	var pcs [64]uintptr
	n := len(pcs)
	for skip := 2; n == len(pcs); skip += len(pcs) - 2 {
		n = runtime.Callers(skip, pcs[:])
	}
	for _, pc := range pcs[max(n-2, 0):n] {
		if f := runtime.FuncForPC(pc - 1); f != nil && f.Name() == "runtime.corostart" {
			return true
		}
	}
	return false
}

// creatorByPull is the number of the goroutine that created the one with this stack by iter.Pull;
// "" if it was created otherwise.
func creatorByPull(stack []byte) string {
	i := bytes.LastIndex(stack, []byte("created by iter.Pull"))
	if i < 0 {
		return ""
	}
	line, _, _ := bytes.Cut(stack[i:], []byte("\n"))
	_, number, _ := bytes.Cut(line, []byte(" in goroutine "))
	return string(number)
}

// stackOf is the stack of the goroutine with this number in a dump of all.
func stackOf(dump []byte, number string) []byte {
	head := []byte("goroutine " + number + " ")
	for len(dump) > 0 {
		stack, rest, _ := bytes.Cut(dump, []byte("\n\n"))
		if bytes.HasPrefix(stack, head) {
			return stack
		}
		dump = rest
	}
	return nil
}

func ownStack() []byte  { return stacks(false) }
func allStacks() []byte { return stacks(true) }

func stacks(all bool) []byte {
	for size := 64 << 10; ; size *= 4 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, all); n < size {
			return buf[:n]
		}
	}
}
