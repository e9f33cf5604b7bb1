// Package scenario compares aio with CPython's asyncio. A Scenario is a small program: tasks that
// sleep, wait for each other, share queues and locks, cancel one another. Two interpreters run it
// on virtual time, one on aio (Trace), one on asyncio (judge.py, which CPython runs), and each
// tells what happened, step by step. CPython is right.
//
// testdata holds scenarios that somebody wrote, each about one question, with the trace that
// CPython gave; Generate makes random ones, and Shrink finds out what matters in one whose traces
// differ.
package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Scenario is a program: objects, then the steps of the task main. It ends when its clock reaches
// Limit; steps that still wait then are not in the trace.
type Scenario struct {
	Name  string
	Asks  string   // the question it answers
	Why   string   // of a difference: the reason
	Uses  []Object // declared before the first step
	Body  []Step
	Trace []string // as recorded, CPython's
	Ours  []string // of a difference: aio's
}

// Limit is the end of every scenario, in seconds of virtual time.
const Limit = 80_000

// Object is what tasks share.
type Object struct {
	Kind string `json:"kind"` // see kinds
	Name string `json:"name"`
	N    int    `json:"n"`            // a queue's room, a semaphore's permits, a barrier's parties
	Of   string `json:"of,omitempty"` // a condition's mutex
}

// Step is one line of a program, with the lines indented below it.
type Step struct {
	Op    string   `json:"op"`             // see ops
	Name  string   `json:"name,omitempty"` // of what it makes: a task, a callback, a group
	On    []string `json:"on,omitempty"`   // what it acts on
	N     int      `json:"n"`              // a value, a duration, a number of times
	Word  string   `json:"word,omitempty"` // an error, a word to say
	In    string   `json:"in,omitempty"`   // the group that a task joins
	Eager bool     `json:"eager,omitempty"`
	Child bool     `json:"child,omitempty"` // a task that ends with the context of the one that starts it; asyncio has no such thing
	Body  []Step   `json:"body,omitempty"`
	Text  string   `json:"text"` // its line, as the trace tells it; set by texts
}

// kinds says of each kind of object whether it has a number and whether it belongs to another one.
var kinds = map[string]struct{ number, of bool }{
	"future": {}, "mutex": {}, "event": {}, "cond": {of: true},
	"queue": {number: true}, "lifo": {number: true}, "priority": {number: true},
	"sem": {number: true}, "bounded": {number: true}, "barrier": {number: true},
}

// shape says how a step is written and where it may stand.
type shape struct {
	args  string // one letter each: m what it makes, x what it acts on, X one or more of those, n a number, w a word
	body  bool
	waits bool   // it may wait: not in callbacks
	on    string // what x may be: kinds of object, and "task", "call" (of CallSoon and its like), "watch" (of OnDone)
	limit bool   // "within N" may follow
}

const (
	anyFuture = "future task"
	anyQueue  = "queue lifo priority"
	anySem    = "sem bounded"
)

// ops are all steps.
var ops = map[string]shape{
	"go":        {args: "m", body: true}, // also: "eager", "child", "in GROUP"
	"cancelled": {body: true},            // last in a task: what it does when it was cancelled
	"return":    {args: "n"},
	"raise":     {args: "w"},
	"say":       {args: "w"},
	"repeat":    {args: "n", body: true},
	"yield":     {waits: true},
	"sleep":     {args: "n", waits: true},

	"soon":  {args: "m", body: true},
	"later": {args: "nm", body: true},
	"at":    {args: "nm", body: true},
	"drop":  {args: "x", on: "call"}, // cancels the handle

	"resolve": {args: "xn", on: "future"},
	"reject":  {args: "xw", on: "future"},
	"cancel":  {args: "x", on: anyFuture},
	"state":   {args: "x", on: anyFuture},
	"result":  {args: "x", on: anyFuture},
	"ondone":  {args: "xm", on: anyFuture, body: true},
	"undone":  {args: "x", on: "watch"}, // takes the callback back

	"await":     {args: "x", on: anyFuture, waits: true},
	"gather":    {args: "X", on: anyFuture, waits: true},
	"gatherall": {args: "X", on: anyFuture, waits: true}, // return_exceptions=True
	"waitall":   {args: "X", on: anyFuture, waits: true, limit: true},
	"waitfirst": {args: "X", on: anyFuture, waits: true, limit: true},
	"waiterror": {args: "X", on: anyFuture, waits: true, limit: true},
	"completed": {args: "X", on: anyFuture, waits: true, limit: true, body: true}, // its body runs for each
	"group":     {args: "m", body: true, waits: true},
	"timeout":   {args: "n", body: true, waits: true},
	"waitfor":   {args: "n", body: true, waits: true}, // wait_for of a coroutine
	"shield":    {args: "m", body: true, waits: true},

	"put":      {args: "xn", on: anyQueue, waits: true},
	"get":      {args: "x", on: anyQueue, waits: true},
	"tryput":   {args: "xn", on: anyQueue},
	"tryget":   {args: "x", on: anyQueue},
	"len":      {args: "x", on: anyQueue},
	"taskdone": {args: "x", on: anyQueue},
	"join":     {args: "x", on: anyQueue, waits: true},
	"close":    {args: "x", on: anyQueue},

	"lock":      {args: "x", on: "mutex", waits: true},
	"unlock":    {args: "x", on: "mutex"},
	"acquire":   {args: "x", on: anySem, waits: true},
	"release":   {args: "x", on: anySem},
	"set":       {args: "x", on: "event"},
	"clear":     {args: "x", on: "event"},
	"isset":     {args: "x", on: "event"},
	"wait":      {args: "x", on: "event cond barrier", waits: true},
	"until":     {args: "xx", on: "cond event", waits: true}, // waits at the condition until the event is set
	"notify":    {args: "x", on: "cond"},
	"notifyall": {args: "x", on: "cond"},
	"abort":     {args: "x", on: "barrier"},
	"reset":     {args: "x", on: "barrier"},
}

// makes says what sort of name a step's Name is.
var makes = map[string]string{
	"go": "task", "shield": "shield", "group": "group", "ondone": "watch",
	"soon": "call", "later": "call", "at": "call",
}

// isCallback: its body runs outside any task.
func isCallback(op string) bool { return makes[op] == "call" || makes[op] == "watch" }

// line is the step's first line.
func (s *Step) line() string {
	parts := []string{s.Op}
	on := s.On
	for _, arg := range ops[s.Op].args {
		switch arg {
		case 'm':
			parts = append(parts, s.Name)
		case 'x':
			parts = append(parts, on[0])
			on = on[1:]
		case 'X':
			parts = append(parts, on...)
		case 'n':
			parts = append(parts, strconv.Itoa(s.N))
		case 'w':
			parts = append(parts, s.Word)
		}
	}
	if s.Eager {
		parts = append(parts, "eager")
	}
	if s.Child {
		parts = append(parts, "child")
	}
	if s.In != "" {
		parts = append(parts, "in", s.In)
	}
	if ops[s.Op].limit && s.N > 0 {
		parts = append(parts, "within", strconv.Itoa(s.N))
	}
	return strings.Join(parts, " ")
}

// texts sets the Text of all steps, which the interpreters print.
func texts(steps []Step) {
	for i := range steps {
		steps[i].Text = steps[i].line()
		texts(steps[i].Body)
	}
}

// walk calls visit for each step, outer ones first.
func walk(steps []Step, visit func(*Step)) {
	for i := range steps {
		visit(&steps[i])
		walk(steps[i].Body, visit)
	}
}

// names maps each name of a scenario to its sort: a kind of object, or what makes says.
func (s *Scenario) names() map[string]string {
	names := map[string]string{}
	for _, o := range s.Uses {
		names[o.Name] = o.Kind
	}
	walk(s.Body, func(st *Step) {
		if st.Name != "" {
			names[st.Name] = makes[st.Op]
		}
	})
	return names
}

// Check reports what is wrong with a scenario, for whoever wrote it.
func (s *Scenario) Check() error {
	c := checker{names: s.names(), seen: map[string]bool{"main": true}}
	for _, o := range s.Uses {
		if err := c.declare(o.Name); err != nil {
			return err
		}
		if o.Of != "" && c.names[o.Of] != "mutex" {
			return fmt.Errorf("%s %s: %q is no mutex", o.Kind, o.Name, o.Of)
		}
		if o.N < 0 || o.Kind == "barrier" && o.N < 1 {
			return fmt.Errorf("%s %s: its number is %d", o.Kind, o.Name, o.N)
		}
	}
	return c.steps(s.Body, place{task: true})
}

type checker struct {
	names map[string]string
	seen  map[string]bool
}

// place is where a step stands.
type place struct {
	task     bool // directly in a task's body, or in a repeat there: it may return
	callback bool
	cleanUp  bool
}

func (c *checker) declare(name string) error {
	if c.seen[name] {
		return fmt.Errorf("%q is declared twice", name)
	}
	c.seen[name] = true
	return nil
}

func (c *checker) steps(steps []Step, in place) error {
	for i := range steps {
		s := &steps[i]
		err := c.step(s, in)
		if err == nil && s.Op == "cancelled" && (!in.task || in.cleanUp || i+1 < len(steps)) {
			err = fmt.Errorf("stands last in a task, or nowhere")
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.line(), err)
		}
	}
	return nil
}

func (c *checker) step(s *Step, in place) error {
	shape := ops[s.Op]
	if in.callback && (shape.waits || s.Op == "raise" || s.Eager) {
		return fmt.Errorf("not in a callback")
	}
	if s.Op == "return" && !in.task {
		return fmt.Errorf("leaves no block")
	}
	if s.N < 0 || s.N == 0 && slices.Contains([]string{"waitfor", "repeat", "sleep"}, s.Op) {
		return fmt.Errorf("the number must be positive")
	}
	if s.Name != "" {
		if err := c.declare(s.Name); err != nil {
			return err
		}
	}
	if s.In != "" && c.names[s.In] != "group" {
		return fmt.Errorf("%q is no group", s.In)
	}
	for _, name := range s.On {
		if !slices.Contains(strings.Fields(shape.on), c.names[name]) {
			return fmt.Errorf("%q is no %s", name, shape.on)
		}
	}
	inside := in
	switch {
	case isCallback(s.Op):
		inside = place{callback: true}
	case s.Op == "go", s.Op == "shield":
		inside = place{task: true}
	case s.Op == "cancelled":
		inside.cleanUp = true
	case s.Op != "repeat":
		inside.task = false
	}
	return c.steps(s.Body, inside)
}
