package scenario

import (
	"fmt"
	"strconv"
	"strings"
)

// The text form, one file for each topic:
//
//	== the-getter-is-first        a scenario begins: its name
//	? Who gets the item, ...?     its question
//	queue q 1                     objects
//	go a                          steps; what belongs to one is indented by a tab
//		get q
//	put q 1
//	--
//	0.0 main go a                 the trace: second, turn of the loop in it, who, step, result
//
// The turn counts from the first line of its second. A difference has its reason in lines "! ..."
// and a second trace, aio's, behind "-- aio".
//
// Lines before the first scenario, and those that begin with #, are comments. Print writes what
// Parse reads, without comments.

// Parse reads a file of scenarios.
func Parse(text string) ([]*Scenario, error) {
	var list []*Scenario
	for part := range strings.SplitSeq("\n"+text, "\n== ") {
		if list == nil {
			list = []*Scenario{}
			continue // comments
		}
		s, err := parse(part)
		if err != nil {
			return nil, fmt.Errorf("scenario %q: %w", s.Name, err)
		}
		list = append(list, s)
	}
	return list, nil
}

func parse(part string) (*Scenario, error) {
	program, trace, _ := strings.Cut(strings.TrimRight(part, "\n"), "\n--")
	name, program, _ := strings.Cut(program, "\n")
	s := &Scenario{Name: name}
	trace, ours, _ := strings.Cut(trace, "\n-- aio")
	s.Trace, s.Ours = traceLines(trace), traceLines(ours)
	var lines []string
	for line := range strings.SplitSeq(program, "\n") {
		switch {
		case strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "? "):
			s.Asks = strings.TrimSpace(s.Asks + " " + line[2:])
		case strings.HasPrefix(line, "! "):
			s.Why = strings.TrimSpace(s.Why + " " + line[2:])
		default:
			lines = append(lines, line)
		}
	}
	for len(lines) > 0 {
		o, ok, err := parseObject(lines[0])
		if err != nil {
			return s, err
		}
		if !ok {
			break
		}
		s.Uses = append(s.Uses, o)
		lines = lines[1:]
	}
	body, rest, err := parseSteps(lines, 0)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("%q is indented too far", rest[0])
	}
	if err != nil {
		return s, err
	}
	s.Body = body
	texts(s.Body)
	return s, s.Check()
}

func traceLines(text string) []string {
	if text = strings.Trim(text, "\n"); text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// parseObject reads a declaration; ok tells whether it is one.
func parseObject(line string) (o Object, ok bool, err error) {
	words := strings.Fields(line)
	kind, ok := kinds[words[0]]
	if !ok || strings.HasPrefix(line, "\t") {
		return o, false, nil
	}
	want := 2
	if kind.of || kind.number {
		want = 3
	}
	if len(words) != want {
		return o, false, fmt.Errorf("%q: %d words, want %d", line, len(words), want)
	}
	o = Object{Kind: words[0], Name: words[1]}
	switch {
	case kind.of:
		o.Of = words[2]
	case kind.number:
		o.N, err = strconv.Atoi(words[2])
	}
	return o, true, err
}

// parseSteps reads the lines that are indented by depth tabs, with what is below them.
func parseSteps(lines []string, depth int) (steps []Step, rest []string, err error) {
	indent := strings.Repeat("\t", depth)
	for len(lines) > 0 {
		line, ok := strings.CutPrefix(lines[0], indent)
		if !ok || strings.HasPrefix(line, "\t") {
			return steps, lines, nil
		}
		s, err := parseStep(line)
		if err != nil {
			return nil, nil, err
		}
		s.Body, lines, err = parseSteps(lines[1:], depth+1)
		if err != nil {
			return nil, nil, err
		}
		if len(s.Body) > 0 && !ops[s.Op].body {
			return nil, nil, fmt.Errorf("%q: nothing can stand below it", line)
		}
		steps = append(steps, s)
	}
	return steps, nil, nil
}

func parseStep(line string) (Step, error) {
	words := strings.Fields(line)
	s := Step{Op: words[0]}
	shape, ok := ops[s.Op]
	if !ok {
		return s, fmt.Errorf("%q: there is no such step", line)
	}
	words = parseOptions(&s, shape, words[1:])
	for i, arg := range shape.args {
		if len(words) == 0 {
			return s, fmt.Errorf("%q: something is missing", line)
		}
		word := words[0]
		words = words[1:]
		switch arg {
		case 'm':
			s.Name = word
		case 'x':
			s.On = append(s.On, word)
		case 'X':
			s.On = append([]string{word}, words...)
			words = nil
		case 'w':
			s.Word = word
		case 'n':
			n, err := strconv.Atoi(word)
			if err != nil {
				return s, fmt.Errorf("%q: word %d must be a number", line, i+2)
			}
			s.N = n
		}
	}
	if len(words) > 0 {
		return s, fmt.Errorf("%q: %q is too much", line, words)
	}
	return s, nil
}

// parseOptions takes "eager", "in GROUP" and "within N" from the end of a line.
func parseOptions(s *Step, shape shape, words []string) []string {
	for n := len(words); n > 1; n = len(words) {
		limit, err := strconv.Atoi(words[n-1])
		switch {
		case s.Op == "go" && words[n-1] == "eager":
			s.Eager, words = true, words[:n-1]
		case s.Op == "go" && words[n-1] == "child":
			s.Child, words = true, words[:n-1]
		case s.Op == "go" && words[n-2] == "in":
			s.In, words = words[n-1], words[:n-2]
		case shape.limit && words[n-2] == "within" && err == nil:
			s.N, words = limit, words[:n-2]
		default:
			return words
		}
	}
	return words
}

// Print writes scenarios as Parse reads them.
func Print(list []*Scenario) string {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "== %s\n", s.Name)
		if s.Asks != "" {
			fmt.Fprintf(&b, "? %s\n", s.Asks)
		}
		b.WriteString(s.Program())
		b.WriteString("--\n")
		for _, line := range s.Trace {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}

// Program is the text of the program alone.
func (s *Scenario) Program() string {
	var b strings.Builder
	for _, o := range s.Uses {
		b.WriteString(o.line() + "\n")
	}
	printSteps(&b, s.Body, 0)
	return b.String()
}

func (o Object) line() string {
	line := o.Kind + " " + o.Name
	switch k := kinds[o.Kind]; {
	case k.of:
		line += " " + o.Of
	case k.number:
		line += " " + strconv.Itoa(o.N)
	}
	return line
}

func printSteps(b *strings.Builder, steps []Step, depth int) {
	for i := range steps {
		b.WriteString(strings.Repeat("\t", depth) + steps[i].line() + "\n")
		printSteps(b, steps[i].Body, depth+1)
	}
}
