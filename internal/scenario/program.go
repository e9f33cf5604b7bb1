package scenario

import (
	"fmt"
	"slices"
	"strings"
)

// What a difference is shown as: the scenario as a program that somebody might have written, in
// either language. Each step prints its name and its result, so the outputs can be held side by
// side; a name that is not there yet when it is used ("none" in a trace) is an error there.

// program is a text being written.
type program struct {
	b      strings.Builder
	depth  int
	indent string
	stops  bool            // something in it may interrupt a task
	used   map[string]bool // names that steps act on
}

func (p *program) line(format string, args ...any) {
	if format != "" {
		p.b.WriteString(strings.Repeat(p.indent, p.depth))
		fmt.Fprintf(&p.b, format, args...)
	}
	p.b.WriteString("\n")
}

// below writes what is indented.
func (p *program) below(fn func()) {
	p.depth++
	fn()
	p.depth--
}

// uses reports whether any step is one of these.
func (s *Scenario) uses(list ...string) (found bool) {
	walk(s.Body, func(st *Step) { found = found || slices.Contains(list, st.Op) })
	return found
}

// names of a sort, in the order they are made.
func (s *Scenario) made(sort string) (list []string) {
	walk(s.Body, func(st *Step) {
		if makes[st.Op] == sort {
			list = append(list, st.Name)
		}
	})
	return list
}

// usedNames are the names that some step acts on.
func (s *Scenario) usedNames() map[string]bool {
	used := map[string]bool{}
	walk(s.Body, func(st *Step) {
		for _, name := range append([]string{st.In}, st.On...) {
			used[name] = true
		}
	})
	for _, o := range s.Uses {
		if used[o.Name] {
			used[o.Of] = true
		}
	}
	return used
}
