package scenario

import (
	"slices"
	"strings"
)

// grants are the steps that let somebody who waits at an object go on, and waits those that wait.
var (
	grants = map[string][]string{
		"future": {"resolve", "reject", "cancel"}, "queue": {"tryput", "tryget", "close"}, "lifo": {"tryput", "tryget"}, "priority": {"tryput", "tryget"},
		"mutex": {"unlock"}, "event": {"set"}, "sem": {"release"}, "bounded": {"release"}, "cond": {"notify"}, "barrier": {"abort", "reset"},
	}
	waits = map[string][]string{
		"future": {"await"}, "queue": {"get", "put", "join"}, "lifo": {"get", "put"}, "priority": {"get", "put"},
		"mutex": {"lock"}, "event": {"wait"}, "sem": {"acquire"}, "bounded": {"acquire"}, "barrier": {"wait"},
	}
)

// grantAndCancel makes steps that grant something and cancel somebody who may have been granted it,
// in one turn and in either order.
func (g *generator) grantAndCancel(in spot) (Step, bool) {
	var steps []Step
	for range 1 + g.rand.IntN(2) {
		kind := []string{"future", "queue", "lifo", "priority", "mutex", "event", "sem", "bounded", "barrier"}[g.rand.IntN(9)]
		if name := g.any(kind); name != "" {
			list := grants[kind]
			steps = append(steps, Step{Op: list[g.rand.IntN(len(list))], On: []string{name}, N: 1 + g.rand.IntN(9), Word: "boom"})
		}
	}
	for range 1 + g.rand.IntN(2) {
		if name := g.any("task"); name != "" && !slices.Contains(in.who, name) {
			steps = append(steps, Step{Op: "cancel", On: []string{name}})
		}
	}
	g.rand.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	return together(trim(steps)...), len(steps) > 1
}

// crowd makes tasks that all begin by waiting at one object, and waits for them to do so.
func (g *generator) crowd(o Object) (steps []Step) {
	for range 2 + g.rand.IntN(3) {
		s := g.task(spot{task: true, who: []string{"main"}, depth: 1})
		if list := waits[o.Kind]; len(list) > 0 {
			first := Step{Op: list[g.rand.IntN(len(list))], On: []string{o.Name}, N: 1 + g.rand.IntN(9)}
			s.Body = append(trim([]Step{first}), s.Body...)
		}
		steps = append(steps, s)
	}
	return append(steps, Step{Op: "yield"})
}

// trim takes away what the steps have no use for.
func trim(steps []Step) []Step {
	for i := range steps {
		args := ops[steps[i].Op].args
		if !strings.Contains(args, "n") {
			steps[i].N = 0
		}
		if !strings.Contains(args, "w") {
			steps[i].Word = ""
		}
	}
	return steps
}

// duel makes a scenario about one object for which several tasks wait: who is granted what, when it
// is granted, taken by somebody else, and the one it was granted to is cancelled, all within a few
// turns.
func (g *generator) duel(s *Scenario) {
	all := []string{"future", "queue", "lifo", "priority", "mutex", "event", "sem", "bounded", "cond", "barrier"}
	o := Object{Kind: all[g.rand.IntN(len(all))], Name: "x"}
	switch o.Kind {
	case "cond":
		o.Of = "m"
		s.Uses = append(s.Uses, Object{Kind: "mutex", Name: "m"})
	case "barrier":
		o.N = 2 + g.rand.IntN(2)
	default:
		if kinds[o.Kind].number {
			o.N = g.rand.IntN(3)
		}
	}
	s.Uses = append(s.Uses, o)
	for range 2 + g.rand.IntN(4) {
		name := g.name("t")
		s.Body = append(s.Body, Step{Op: "go", Name: name, Body: g.duellist(o)})
		g.made["task"] = append(g.made["task"], name)
	}
	s.Body = append(s.Body, Step{Op: "yield"})
	for range 4 + g.rand.IntN(12) {
		s.Body = append(s.Body, g.blow(o))
	}
}

// duellist is the body of a task that waits for the object, once or more.
func (g *generator) duellist(o Object) (steps []Step) {
	for range g.rand.IntN(3) {
		steps = append(steps, Step{Op: "yield"})
	}
	for range 1 + g.rand.IntN(2) {
		steps = append(steps, g.await(o)...)
		if g.rand.IntN(2) == 0 {
			steps = append(steps, Step{Op: "yield"})
		}
	}
	if g.rand.IntN(3) == 0 {
		steps = append(steps, Step{Op: "cancelled", Body: []Step{g.grant(o), {Op: "yield"}}})
	}
	return steps
}

// await is a wait at the object, with what it holds given back, mostly.
func (g *generator) await(o Object) []Step {
	if o.Kind == "cond" {
		return []Step{{Op: "lock", On: []string{o.Of}}, {Op: "wait", On: []string{o.Name}}, {Op: "unlock", On: []string{o.Of}}}
	}
	list := waits[o.Kind]
	s := Step{Op: list[g.rand.IntN(len(list))], On: []string{o.Name}, N: 1 + g.rand.IntN(9)}
	steps := trim([]Step{s})
	if (o.Kind == "mutex" || o.Kind == "sem" || o.Kind == "bounded") && g.rand.IntN(3) > 0 {
		steps = append(steps, Step{Op: "yield"}, g.grant(o))
	}
	return steps
}

// grant lets somebody go on who waits at the object.
func (g *generator) grant(o Object) Step {
	list := grants[o.Kind]
	return trim([]Step{{Op: list[g.rand.IntN(len(list))], On: []string{o.Name}, N: 1 + g.rand.IntN(9), Word: "boom"}})[0]
}

// blow is what main does in a duel.
func (g *generator) blow(o Object) Step {
	switch n := g.rand.IntN(10); {
	case n < 4 && o.Kind == "cond":
		return together(Step{Op: "lock", On: []string{o.Of}}, g.grant(o), Step{Op: "unlock", On: []string{o.Of}})
	case n < 4:
		return g.grant(o)
	case n < 7:
		return Step{Op: "cancel", On: []string{g.any("task")}}
	case n < 9:
		return Step{Op: "yield"}
	case o.Kind == "event":
		return Step{Op: "clear", On: []string{o.Name}}
	default:
		name := g.name("t") // somebody who comes late
		s := Step{Op: "go", Name: name, Body: g.duellist(o)}
		g.made["task"] = append(g.made["task"], name)
		return s
	}
}

// family makes a scenario about one group: members of different lengths that fail, swallow, are
// cancelled, start others and are awaited.
func (g *generator) family(s *Scenario) {
	group := Step{Op: "group", Name: "g"}
	for range 1 + g.rand.IntN(4) {
		group.Body = append(group.Body, g.member(0))
		if g.rand.IntN(4) == 0 {
			group.Body = append(group.Body, Step{Op: "yield"})
		}
	}
	for range g.rand.IntN(4) {
		group.Body = append(group.Body, g.meddle("yield", "yield", "cancel", "await", "state"))
	}
	if g.rand.IntN(6) == 0 {
		group.Body = append(group.Body, Step{Op: "raise", Word: "bang"})
	}
	for range g.rand.IntN(3) { // from outside, at the same time
		t := Step{Op: "go", Name: g.name("o")}
		for range 1 + g.rand.IntN(4) {
			t.Body = append(t.Body, g.meddle("yield", "yield", "cancel", "await", "waitall", "gather"))
		}
		s.Body = append(s.Body, t)
	}
	s.Body = append(s.Body, group, Step{Op: "yield"}, g.meddle("state", "result", "await"), Step{Op: "yield"})
}

// member is a member of the group g, and those that it starts.
func (g *generator) member(depth int) Step {
	t := Step{Op: "go", Name: g.name("t"), In: "g"}
	for range g.rand.IntN(4) {
		t.Body = append(t.Body, Step{Op: "yield"})
	}
	if depth < 2 && g.rand.IntN(3) == 0 {
		t.Body = append(t.Body, g.member(depth+1))
	}
	g.made["task"] = append(g.made["task"], t.Name)
	switch g.rand.IntN(6) {
	case 0, 1:
		t.Body = append(t.Body, Step{Op: "raise", Word: "boom"})
	case 2:
		t.Body = append(t.Body, Step{Op: "sleep", N: g.seconds()})
	}
	if g.rand.IntN(4) == 0 {
		last := []Step{{Op: "yield"}, {Op: "return", N: 1}, {Op: "raise", Word: "crash"}}[g.rand.IntN(3)]
		t.Body = append(t.Body, Step{Op: "cancelled", Body: []Step{last}})
	}
	return t
}

// watchers makes a scenario about tasks that end in different turns, and others that wait for some
// of them in all the ways there are.
func (g *generator) watchers(s *Scenario) {
	n := 1 + g.rand.IntN(4)
	ways := []string{"await", "gather", "gatherall", "waitall", "waitfirst", "waiterror", "completed", "ondone", "ondone", "cancel", "yield", "shield", "timeout"}
	for range n {
		t := Step{Op: "go", Name: g.name("t"), Eager: g.rand.IntN(8) == 0}
		for range g.rand.IntN(5) {
			t.Body = append(t.Body, Step{Op: "yield"})
		}
		switch g.rand.IntN(4) {
		case 0:
			t.Body = append(t.Body, Step{Op: "raise", Word: "boom"})
		case 1:
			t.Body = append(t.Body, Step{Op: "sleep", N: g.seconds()})
		}
		s.Body = append(s.Body, t)
		g.made["task"] = append(g.made["task"], t.Name)
	}
	for range 1 + g.rand.IntN(4) {
		o := Step{Op: "go", Name: g.name("o")}
		for range 1 + g.rand.IntN(3) {
			o.Body = append(o.Body, g.meddle(ways...))
		}
		s.Body = append(s.Body, o)
		if g.rand.IntN(3) == 0 {
			g.made["task"] = append(g.made["task"], o.Name) // so the later ones may wait for it
		}
	}
	for range 2 + g.rand.IntN(5) {
		s.Body = append(s.Body, g.meddle(append(ways, "yield", "cancel")...))
	}
}

// meddle is one of the steps, with tasks.
func (g *generator) meddle(list ...string) Step {
	s := Step{Op: list[g.rand.IntN(len(list))]}
	switch shape := ops[s.Op]; {
	case s.Op == "yield":
	case s.Op == "shield":
		s.Name = g.name("i")
		s.Body = []Step{{Op: "yield"}, {Op: "await", On: []string{g.any("task")}}}
	case s.Op == "timeout":
		s.N = g.seconds()
		s.Body = []Step{g.meddle("await", "gather", "gatherall", "waitall", "completed", "shield")}
	case shape.args == "X":
		if s.On = g.some("task", nil); s.On == nil {
			s.On = []string{g.any("task")}
		}
	case s.Op == "ondone":
		s.Name, s.On = g.name("w"), []string{g.any("task")}
	default:
		s.On = []string{g.any("task")}
	}
	return s
}
