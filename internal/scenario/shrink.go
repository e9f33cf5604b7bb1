package scenario

import "slices"

// Shrink makes s as small as it can while differs holds for it, and returns the result. s must
// differ.
func Shrink(s *Scenario, differs func(*Scenario) bool) *Scenario {
	for {
		smaller := shrinkOnce(s, differs)
		if smaller == nil {
			return s
		}
		s = smaller
	}
}

// shrinkOnce goes through all ways to make s smaller, keeps those that do, and returns nil if none
// does.
func shrinkOnce(s *Scenario, differs func(*Scenario) bool) *Scenario {
	var best *Scenario
	try := func(t *Scenario) bool {
		tidy(t)
		texts(t.Body)
		if t.Check() != nil || !differs(t) {
			return false
		}
		s, best = t, t
		return true
	}
	for at := 0; ; {
		n := countSteps(s.Body)
		if at >= n {
			break
		}
		taken := false
		for _, change := range changes {
			t := s.clone()
			if change(t, at) && try(t) {
				taken = true
				break
			}
		}
		if !taken {
			at++
		}
	}
	return best
}

// changes are ways to make the step in place at (counted as walk does) smaller. Each reports
// whether it does anything, and must make the scenario smaller by some measure, so that shrinking
// ends.
var changes = []func(s *Scenario, at int) bool{
	func(s *Scenario, at int) bool { return edit(&s.Body, at, func(Step) []Step { return nil }) },
	func(s *Scenario, at int) bool { // what is below takes its place
		return edit(&s.Body, at, func(st Step) []Step {
			if len(st.Body) == 0 {
				return []Step{st}
			}
			return st.Body
		})
	},
	func(s *Scenario, at int) bool { // one repetition
		return change(s, at, func(st *Step) bool { return lower(st, st.Op == "repeat" && st.N > 1, 1) })
	},
	func(s *Scenario, at int) bool {
		return change(s, at, func(st *Step) bool { return lower(st, ops[st.Op].limit && st.N > 0, 0) })
	},
	func(s *Scenario, at int) bool { return change(s, at, func(st *Step) bool { return dropOn(st, 0) }) },
	func(s *Scenario, at int) bool { return change(s, at, func(st *Step) bool { return dropOn(st, 1) }) },
	func(s *Scenario, at int) bool {
		return change(s, at, func(st *Step) bool { was := st.Eager; st.Eager = false; return was })
	},
	func(s *Scenario, at int) bool {
		return change(s, at, func(st *Step) bool { was := st.In; st.In = ""; return was != "" })
	},
	func(s *Scenario, at int) bool {
		return change(s, at, func(st *Step) bool { return lower(st, st.N > 9, st.N%9+1) })
	},
	func(s *Scenario, at int) bool {
		return change(s, at, func(st *Step) bool { return lower(st, st.N > 9, st.N/2) })
	},
}

func lower(s *Step, can bool, n int) bool {
	if can {
		s.N = n
	}
	return can
}

// dropOn drops a name from a list of several.
func dropOn(s *Step, i int) bool {
	if ops[s.Op].args != "X" || len(s.On) <= max(i, 1) {
		return false
	}
	s.On = slices.Delete(slices.Clone(s.On), i, i+1)
	return true
}

func countSteps(steps []Step) (n int) {
	walk(steps, func(*Step) { n++ })
	return n
}

// change lets fn alter the step in place at.
func change(s *Scenario, at int, fn func(*Step) bool) (did bool) {
	walk(s.Body, func(st *Step) {
		if at == 0 {
			did = fn(st)
		}
		at--
	})
	return did
}

// edit replaces the step in place at.
func edit(steps *[]Step, at int, by func(Step) []Step) bool {
	for i := range *steps {
		st := &(*steps)[i]
		if at == 0 {
			with := by(*st)
			if len(with) == 1 && with[0].Op == st.Op {
				return false
			}
			*steps = slices.Replace(*steps, i, i+1, with...)
			return true
		}
		if n := countSteps(st.Body); at <= n {
			return edit(&st.Body, at-1, by)
		} else {
			at -= n + 1
		}
	}
	return false
}

// tidy drops what speaks of names that are gone, and objects that nobody speaks of.
func tidy(s *Scenario) {
	for {
		names := s.names()
		gone := func(name string) bool { return names[name] == "" }
		before := countSteps(s.Body)
		s.Body = tidySteps(s.Body, gone)
		if countSteps(s.Body) == before {
			break
		}
	}
	used := s.usedNames()
	s.Uses = slices.DeleteFunc(s.Uses, func(o Object) bool { return !used[o.Name] })
}

func tidySteps(steps []Step, gone func(string) bool) []Step {
	steps = slices.DeleteFunc(steps, func(st Step) bool {
		if ops[st.Op].args == "X" {
			return !slices.ContainsFunc(st.On, func(name string) bool { return !gone(name) })
		}
		return slices.ContainsFunc(st.On, gone)
	})
	for i := range steps {
		if ops[steps[i].Op].args == "X" {
			steps[i].On = slices.DeleteFunc(steps[i].On, gone)
		}
		if steps[i].In != "" && gone(steps[i].In) {
			steps[i].In = ""
		}
		steps[i].Body = tidySteps(steps[i].Body, gone)
	}
	return steps
}

func (s *Scenario) clone() *Scenario {
	return &Scenario{Name: s.Name, Asks: s.Asks, Uses: slices.Clone(s.Uses), Body: cloneSteps(s.Body)}
}

func cloneSteps(steps []Step) []Step {
	steps = slices.Clone(steps)
	for i := range steps {
		steps[i].On = slices.Clone(steps[i].On)
		steps[i].Body = cloneSteps(steps[i].Body)
	}
	return steps
}
