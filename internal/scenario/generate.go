package scenario

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// Generate makes a random scenario. It ends, because nothing in it repeats without bound, and the
// same seed makes the same one.
//
// What it avoids, because aio differs there on purpose:
//   - A timeout of nothing: a context that has ended fails the next wait at once, asyncio's timeout
//     interrupts the next one that suspends (rule 3).
//   - A task that waits for itself, which one refuses at once and the other a turn later.
//   - Signalling a condition without its mutex, which asyncio refuses.
//   - Steps that wait below "completed ... within": asyncio first gives out what was done before the
//     deadline, an ended context nothing more (rule 3).
//
// Where only the run shows whether a difference is met, judge.py ends the trace there.
func Generate(seed uint64) *Scenario {
	g := &generator{rand: rand.New(rand.NewPCG(seed, 1)), left: 15 + int(seed%60), made: map[string][]string{}, count: map[string]int{}}
	s := &Scenario{Name: fmt.Sprintf("seed-%d", seed)}
	if shape := []func(*Scenario){nil, nil, nil, g.duel, g.duel, g.family, g.watchers}[seed%7]; shape != nil {
		shape(s)
		texts(s.Body)
		return s
	}
	g.pickFamilies()
	s.Uses = g.objects()
	main := spot{task: true, who: []string{"main"}}
	for range 1 + g.rand.IntN(4) { // somebody must be there before anything can happen between them
		s.Body = append(s.Body, g.task(main))
	}
	if len(s.Uses) > 0 && g.rand.IntN(2) == 0 {
		s.Body = append(s.Body, g.crowd(s.Uses[g.rand.IntN(len(s.Uses))])...)
	}
	s.Body = append(s.Body, g.body(main, 4+g.rand.IntN(10))...)
	texts(s.Body)
	return s
}

type generator struct {
	rand     *rand.Rand
	left     int // steps that may still be made
	families []string
	made     map[string][]string // names by sort
	count    map[string]int

	condMutex string // the mutex of the condition
}

// spot is where a step will stand.
type spot struct {
	task     bool // directly in a task
	callback bool
	quick    bool // nothing there may wait
	cleanUp  bool // below "cancelled"
	depth    int
	who      []string // the tasks around, outer first
}

// families are what a scenario may be about. Each has few, so that what they share is fought for.
var families = []string{"future", "queue", "mutex", "event", "cond", "sem", "barrier", "sleep", "together", "group", "timeout", "cancel", "call", "eager", "shield", "watch"}

func (g *generator) pickFamilies() {
	for range 2 + g.rand.IntN(4) {
		g.families = append(g.families, families[g.rand.IntN(len(families))])
	}
	if slices.Contains(g.families, "watch") {
		g.families = append(g.families, "future")
	}
	if slices.Contains(g.families, "cond") {
		g.families = append(g.families, "mutex", "event")
	}
}

func (g *generator) about(family string) bool { return slices.Contains(g.families, family) }

// objects declares one or two of each kind that the scenario is about.
func (g *generator) objects() (list []Object) {
	add := func(family, prefix string, n func() int, kinds ...string) {
		if !g.about(family) {
			return
		}
		for range 1 + g.rand.IntN(2) {
			o := Object{Kind: kinds[g.rand.IntN(len(kinds))], Name: g.name(prefix)}
			if n != nil {
				o.N = n()
			}
			g.made[o.Kind] = append(g.made[o.Kind], o.Name)
			list = append(list, o)
		}
	}
	add("future", "f", nil, "future")
	add("queue", "q", func() int { return g.rand.IntN(3) }, "queue", "queue", "lifo", "priority")
	add("mutex", "m", nil, "mutex")
	add("event", "e", nil, "event")
	add("sem", "s", func() int { return g.rand.IntN(3) }, "sem", "sem", "bounded")
	add("barrier", "b", func() int { return 1 + g.rand.IntN(3) }, "barrier")
	if g.about("cond") {
		o := Object{Kind: "cond", Name: g.name("c"), Of: g.any("mutex")}
		g.made["cond"] = append(g.made["cond"], o.Name)
		g.condMutex = o.Of
		list = append(list, o)
	}
	return list
}

func (g *generator) name(prefix string) string {
	g.count[prefix]++
	return fmt.Sprintf("%s%d", prefix, g.count[prefix])
}

// any is a name of one of the sorts, which stand in one string; "" if there is none.
func (g *generator) any(sorts string) string {
	var names []string
	for _, sort := range strings.Fields(sorts) {
		names = append(names, g.made[sort]...)
	}
	if len(names) == 0 {
		return ""
	}
	return names[g.rand.IntN(len(names))]
}

// some is a few different names, without the ones in not.
func (g *generator) some(sorts string, not []string) (names []string) {
	for range 1 + g.rand.IntN(4) {
		if name := g.any(sorts); name != "" && !slices.Contains(names, name) && !slices.Contains(not, name) {
			names = append(names, name)
		}
	}
	return names
}

func (g *generator) body(in spot, n int) (steps []Step) {
	for range n {
		if g.left <= 0 {
			break
		}
		if s, ok := g.step(in); ok {
			g.left--
			steps = append(steps, s)
		}
	}
	if in.task && g.rand.IntN(6) == 0 && len(in.who) > 1 {
		steps = append(steps, g.leave(in))
	}
	if in.task && !in.cleanUp && len(in.who) > 1 && g.about("cancel") && g.rand.IntN(3) == 0 {
		in.cleanUp = true
		in.depth++
		steps = append(steps, Step{Op: "cancelled", Body: g.body(in, 1+g.rand.IntN(3))})
	}
	return slices.DeleteFunc(steps, func(s Step) bool { return s.Op == "cancelled" && len(s.Body) == 0 })
}

// leave ends a task.
func (g *generator) leave(in spot) Step {
	if g.rand.IntN(2) == 0 {
		return Step{Op: "return", N: 1 + g.rand.IntN(9)}
	}
	return Step{Op: "raise", Word: []string{"boom", "bang", "crash"}[g.rand.IntN(3)]}
}

// menu is what can be chosen, as often as it is listed.
var menu = []struct {
	family string
	ops    []string
}{
	{"", []string{"go", "go", "go", "go", "yield", "yield", "yield", "await", "await", "repeat"}},
	{"sleep", []string{"sleep", "sleep", "sleep"}},
	{"call", []string{"soon", "soon", "later", "at", "drop"}},
	{"future", []string{"resolve", "resolve", "reject", "await", "await", "state", "result"}},
	{"watch", []string{"ondone", "ondone", "undone"}},
	{"cancel", []string{"cancel", "cancel", "cancel", "grant", "grant", "grant"}},
	{"together", []string{"gather", "gather", "gatherall", "waitall", "waitfirst", "waiterror", "completed", "go"}},
	{"group", []string{"group", "group", "raise", "go"}},
	{"timeout", []string{"timeout", "timeout", "waitfor", "sleep"}},
	{"shield", []string{"shield", "shield", "timeout"}},
	{"eager", []string{"eager", "eager", "eager"}},
	{"queue", []string{"put", "put", "put", "put", "get", "get", "get", "get", "tryput", "tryget", "len", "taskdone", "join", "put", "get", "close"}},
	{"mutex", []string{"section", "section", "section", "lock", "unlock"}},
	{"event", []string{"wait", "wait", "set", "set", "clear", "isset"}},
	{"cond", []string{"critical", "critical", "critical", "critical"}},
	{"sem", []string{"permit", "permit", "permit", "acquire", "acquire", "release"}},
	{"barrier", []string{"wait", "wait", "wait", "wait", "wait", "wait", "wait", "wait", "abort", "reset"}},
}

// step makes one step; ok is false if what was chosen can't stand there.
func (g *generator) step(in spot) (s Step, ok bool) {
	var choices []string
	for _, m := range menu {
		if m.family == "" || g.about(m.family) {
			choices = append(choices, m.ops...)
		}
	}
	s.Op = choices[g.rand.IntN(len(choices))]
	switch s.Op {
	case "eager":
		s.Op, s.Eager = "go", true
	case "critical":
		return g.critical(in)
	case "grant":
		return g.grantAndCancel(in)
	case "section":
		return g.between(in, "lock", g.any("mutex"), "unlock")
	case "permit":
		return g.between(in, "acquire", g.any("sem bounded"), "release")
	case "raise":
		if in.task && len(in.who) == 1 {
			return s, false // main has more to do
		}
	}
	shape := ops[s.Op]
	if in.callback && (shape.waits || s.Op == "raise" || s.Eager) || in.quick && (shape.waits || s.Op == "raise") {
		return s, false
	}
	if shape.body && in.depth >= 3 {
		return s, false
	}
	if !g.fillIn(&s, shape, in) {
		return s, false
	}
	if s.Op == "go" && g.rand.IntN(2) == 0 && len(g.made["group"]) > 0 && !s.Eager {
		s.In = g.any("group")
	}
	if shape.limit && g.rand.IntN(4) == 0 {
		s.N = g.seconds()
	}
	if shape.body {
		s.Body = g.inside(&s, in)
	}
	if sort := makes[s.Op]; sort != "" && sort != "group" && sort != "shield" {
		g.made[sort] = append(g.made[sort], s.Name)
	}
	return s, true
}

// seconds is a duration. They are many, since equal deadlines are FIFO here and not in asyncio (rule
// 10).
func (g *generator) seconds() int { return 1 + g.rand.IntN(997) }

// fillIn gives a step its names and numbers.
func (g *generator) fillIn(s *Step, shape shape, in spot) bool {
	sorts := strings.Fields(shape.on)
	for _, arg := range shape.args {
		switch arg {
		case 'm':
			s.Name = g.name(map[string]string{"task": "t", "shield": "i", "group": "g", "call": "k", "watch": "w"}[makes[s.Op]])
		case 'n':
			switch s.Op {
			case "sleep", "timeout", "waitfor", "later", "at":
				s.N = g.seconds()
			case "repeat":
				s.N = 2
			default:
				s.N = 1 + g.rand.IntN(20)
			}
		case 'w':
			s.Word = []string{"boom", "bang", "crash"}[g.rand.IntN(3)]
		case 'x':
			of := shape.on
			if s.Op == "until" {
				of = sorts[len(s.On)]
			}
			name := g.any(of)
			if name == "" || slices.Contains(in.who, name) {
				return false
			}
			s.On = append(s.On, name)
		case 'X':
			if s.On = g.some(shape.on, in.who); s.On == nil {
				return false
			}
		}
	}
	return true
}

// inside makes what stands below s.
func (g *generator) inside(s *Step, in spot) []Step {
	in.depth++
	n := 1 + g.rand.IntN(5)
	switch {
	case isCallback(s.Op):
		return g.body(spot{callback: true, depth: in.depth + 1}, g.rand.IntN(4))
	case s.Op == "go" || s.Op == "shield":
		return g.body(spot{task: true, depth: in.depth, who: append(slices.Clone(in.who), s.Name)}, n)
	case s.Op == "completed":
		in.task, in.quick = false, in.quick || s.N > 0
		in.depth += 2 // short, and it starts nothing, for it comes again
		return g.body(in, g.rand.IntN(2))
	case s.Op == "repeat":
		in.task, in.depth = false, in.depth+2
		return g.body(in, 1+g.rand.IntN(2))
	case s.Op == "group":
		g.made["group"] = append(g.made["group"], s.Name)
		in.task = false
		steps := g.body(in, n+2)
		g.made["group"] = slices.DeleteFunc(g.made["group"], func(name string) bool { return name == s.Name })
		return steps
	default:
		in.task = false
		return g.body(in, n)
	}
}

// task makes a task.
func (g *generator) task(in spot) Step {
	s := Step{Op: "go", Name: g.name("t")}
	s.Body = g.inside(&s, in)
	g.made["task"] = append(g.made["task"], s.Name)
	return s
}

// critical makes a use of a condition, with its mutex around it.
func (g *generator) critical(in spot) (Step, bool) {
	if in.callback || in.quick {
		return Step{}, false
	}
	s := Step{Op: []string{"wait", "wait", "wait", "until", "notify", "notifyall"}[g.rand.IntN(6)], On: []string{g.made["cond"][0]}}
	if s.Op == "until" {
		s.On = append(s.On, g.any("event"))
	}
	return together(Step{Op: "lock", On: []string{g.condMutex}}, s, Step{Op: "unlock", On: []string{g.condMutex}}), true
}

// between makes a few steps between two that belong together.
func (g *generator) between(in spot, first, name, last string) (Step, bool) {
	if in.callback || in.quick || in.depth > 3 || name == "" {
		return Step{}, false
	}
	in.task = false
	in.depth++
	steps := []Step{{Op: first, On: []string{name}}}
	steps = append(steps, g.body(in, 1+g.rand.IntN(2))...)
	return together(append(steps, Step{Op: last, On: []string{name}})...), true
}

// together holds steps together. Shrink takes them apart where it can.
func together(steps ...Step) Step { return Step{Op: "repeat", N: 1, Body: steps} }
