package job

import (
	"context"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/seed8b1f0744/aio"
)

// Job is a named function. Make one with Define. All methods may be called from any goroutine.
type Job[In, Out any] struct {
	entry entry // immutable
	fn    func(context.Context, In) (Out, error)
	in    codec[In]
	out   codec[Out]
}

// maxName is the longest name of a job or a sentinel, in bytes.
const maxName = 255

// Define names fn. Call it in a package-level variable, so that the job is known before main
// begins, in workers too. It panics, as a program with such a mistake cannot work, if the name is
// taken, empty, longer than 255 bytes or not printable. It does not suspend.
//
// fn may be called by any goroutine, and by several at the same time. If its types cannot travel,
// In says so; Call and Local do without.
func Define[In, Out any](name string, fn func(context.Context, In) (Out, error)) *Job[In, Out] {
	if fn == nil {
		panic(fmt.Sprintf("aio: job %q needs a function, got nil", name))
	}
	j := &Job[In, Out]{entry: entry{name: name, where: caller()}, fn: fn}
	j.entry.serve = j.serve
	jobs.add("job", j.entry)
	return j
}

// Name is the name the job was defined under. From any goroutine; it does not suspend.
func (j *Job[In, Out]) Name() string { return j.entry.name }

// Call runs the job here, as a plain call of its function, without encoding. It suspends a task if
// the function does.
func (j *Job[In, Out]) Call(ctx context.Context, in In) (Out, error) { return j.fn(ctx, in) }

// Bind fixes some of the arguments beforehand: functools.partial, across processes. bind makes the
// job's argument from what is left; it runs in the goroutine that calls, and does not travel. From
// any goroutine; it does not suspend.
func Bind[A, In, Out any](j *Job[In, Out], bind func(A) In) *Bound[A, Out] {
	if j == nil || bind == nil {
		panic("aio: Bind needs a job and a function, got nil")
	}
	return &Bound[A, Out]{
		in: func(ctx context.Context, ex Executor, a A) *aio.Future[Out] { return j.In(ctx, ex, bind(a)) },
		call: func(ctx context.Context, a A) (Out, error) {
			return j.Call(ctx, bind(a))
		},
	}
}

// Bound is a job with some of its arguments fixed. Make one with Bind. All methods may be called
// from any goroutine.
type Bound[A, Out any] struct {
	in   func(context.Context, Executor, A) *aio.Future[Out]
	call func(context.Context, A) (Out, error)
}

// In is [Job.In] with the argument that Bind's function makes of a. As that, it suspends a task, and
// blocks any other goroutine, while ex has no room.
func (b *Bound[A, Out]) In(ctx context.Context, ex Executor, a A) *aio.Future[Out] {
	return b.in(ctx, ex, a)
}

// Call is [Job.Call] with the argument that Bind's function makes of a. It suspends a task if the
// job's function does.
func (b *Bound[A, Out]) Call(ctx context.Context, a A) (Out, error) { return b.call(ctx, a) }

// entry is what is known of a job, or a sentinel, whose types are not.
type entry struct {
	name  string
	where string // file:line of the definition
	serve func(ctx context.Context, m message) []byte
	err   error // of a sentinel
}

// table holds what has a name, from init on.
type table struct {
	mu    sync.RWMutex
	named map[string]entry // guarded by mu
	order []string         // guarded by mu; the names in the order they came
}

var jobs, sentinels table

func (t *table) add(what string, e entry) {
	if err := checkName(e.name); err != "" {
		panic(fmt.Sprintf("aio: the name of the %s defined at %s %s: %q", what, e.where, err, e.name))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if first, ok := t.named[e.name]; ok {
		panic(fmt.Sprintf("aio: %s %q is defined twice: at %s and at %s; give one of them another name, and define in package-level variables only",
			what, e.name, first.where, e.where))
	}
	if t.named == nil {
		t.named = make(map[string]entry)
	}
	t.named[e.name] = e
	t.order = append(t.order, e.name)
}

func (t *table) find(name string) (entry, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	e, ok := t.named[name]
	return e, ok
}

// near is, for people, which names are like one that is not there.
func (t *table) near(name string) string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var like []string
	for _, have := range t.order {
		if len(t.order) <= 5 || distance(name, have) <= 1+len(name)/4 {
			like = append(like, strconv.Quote(have))
		}
	}
	switch {
	case len(t.order) == 0:
		return "none at all"
	case len(like) == 0:
		return fmt.Sprintf("%d others", len(t.order))
	case len(like) > 5:
		like = append(like[:5], "...")
	}
	return strings.Join(like, ", ")
}

// distance is how many letters to add, drop or change make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			next := diagonal
			if a[i] != b[j] {
				next = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}

func checkName(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > maxName:
		return fmt.Sprintf("is longer than %d bytes", maxName)
	case !utf8.ValidString(name):
		return "is not UTF-8"
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return fmt.Sprintf("holds %U, which is not printable", r)
		}
	}
	return ""
}

// caller is file:line of whoever called the exported function that calls this.
func caller() string {
	_, file, line, _ := runtime.Caller(2)
	return fmt.Sprintf("%s:%d", file, line)
}
