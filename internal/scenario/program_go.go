package scenario

import (
	"fmt"
	"slices"
	"strings"
)

// GoProgram is the scenario as a program on aio.
func (s *Scenario) GoProgram() string {
	body := s.GoFunction("run") + "\n" + goHelpers
	if s.uses("timeout", "waitfor") {
		body += goWithin
	}
	var b strings.Builder
	b.WriteString("package main\n\nimport (\n\t\"context\"\n")
	for _, name := range []string{"errors", "fmt", "time"} {
		if strings.Contains(body, name+".") {
			fmt.Fprintf(&b, "\t%q\n", name)
		}
	}
	b.WriteString("\n\t\"github.com/seed8b1f0744/aio\"\n)\n\nfunc main() {\n\t_, _ = aio.Run(context.Background(), aio.Do(run))\n}\n\n")
	return b.String() + body
}

const goHelpers = `// tell prints what came of it.
func tell(what string) func(...any) {
	return func(results ...any) { fmt.Println(append([]any{what}, results...)...) }
}
`

const goWithin = `
func within(ctx context.Context, d time.Duration, body func(context.Context) error) error {
	ctx, cancel := aio.WithTimeout(ctx, d)
	defer cancel()
	return body(ctx)
}
`

// GoFunction is the function of GoProgram that does it.
func (s *Scenario) GoFunction(name string) string {
	p := &goProgram{program{indent: "\t", stops: s.uses("cancel", "timeout", "waitfor", "group"), used: s.usedNames()}}
	p.depth++
	ends := p.steps("main", s.Body, "err")
	if ends {
		p.line("return nil")
	}
	p.depth--
	p.line("}")
	body := p.b.String()

	p.b.Reset()
	p.line("func %s(ctx context.Context) error {", name)
	p.below(func() {
		for _, o := range s.Uses {
			if p.used[o.Name] {
				p.line("%s", goObject(o))
			}
		}
		for _, v := range []struct{ sort, kind string }{
			{"task", "*aio.Task[int]"}, {"call", "aio.Handle"}, {"watch", "func() bool"}, {"group", "context.Context"},
		} {
			if list := slices.DeleteFunc(s.made(v.sort), func(name string) bool { return !p.used[name] }); len(list) > 0 {
				p.line("var %s %s", strings.Join(list, ", "), v.kind)
			}
		}
		if strings.Contains(body, "loop.") || s.uses("at") {
			p.line("loop, _ := aio.LoopOf(ctx)")
		}
		if s.uses("at") {
			p.line("start := loop.Now()")
		}
	})
	return p.b.String() + body
}

// assign is "name = " for a name that is used later.
func (p *goProgram) assign(name string) string {
	if !p.used[name] {
		return ""
	}
	return name + " = "
}

type goProgram struct{ program }

func goObject(o Object) string {
	switch o.Kind {
	case "future":
		return o.Name + " := aio.NewPromise[int]()"
	case "mutex":
		return o.Name + " := new(aio.Mutex)"
	case "event":
		return o.Name + " := new(aio.Event)"
	case "cond":
		return fmt.Sprintf("%s := aio.NewCond(%s)", o.Name, o.Of)
	case "priority":
		return fmt.Sprintf("%s := aio.NewPriorityQueue(%d, func(a, b int) bool { return a < b })", o.Name, o.N)
	}
	make := map[string]string{"queue": "NewQueue[int]", "lifo": "NewLIFOQueue[int]", "sem": "NewSemaphore", "bounded": "NewBoundedSemaphore", "barrier": "NewBarrier"}
	return fmt.Sprintf("%s := aio.%s(%d)", o.Name, make[o.Kind], o.N)
}

// How a function returns an error.
var goReturns = map[string]string{"err": "return %s", "value": "return 0, %s", "nothing": "return // %s"}

// steps writes steps in a function that returns as goReturns has it; it reports whether a return
// must follow.
func (p *goProgram) steps(who string, steps []Step, returns string) (ends bool) {
	ends = true
	for i := range steps {
		s := &steps[i]
		ends = true
		switch s.Op {
		case "return", "raise":
			p.leave(s, returns)
			ends = false
		case "repeat":
			if s.N > 1 {
				p.line("for range %d {", s.N)
				p.below(func() { p.steps(who, s.Body, returns) })
				p.line("}")
			} else {
				ends = p.steps(who, s.Body, returns)
			}
		default:
			p.step(fmt.Sprintf("tell(%q)", who+" "+s.line()), who, s)
			if ops[s.Op].waits && p.stops && (who != "main" || p.depth > 1) { // nothing ends main's own context
				p.line("if ctx.Err() != nil {")
				p.below(func() { p.line(goReturns[returns], "ctx.Err()") })
				p.line("}")
			}
		}
	}
	return ends
}

func (p *goProgram) leave(s *Step, returns string) {
	switch {
	case s.Op == "raise":
		p.line(goReturns[returns], fmt.Sprintf("errors.New(%q)", s.Word))
	case returns == "value":
		p.line("return %d, nil", s.N)
	default:
		p.line(goReturns[returns], "nil")
	}
}

func (p *goProgram) step(tell, who string, s *Step) {
	switch s.Op {
	case "go":
		p.task(s)
		p.line("%s()", tell)
	case "soon", "later", "at", "ondone":
		p.callback(s)
		p.line("%s()", tell)
	case "shield":
		p.line("%s(aio.Shield(ctx, func(ctx context.Context) (int, error) {", tell)
		p.function(s)
		p.line("}))")
	case "group", "timeout", "waitfor", "completed":
		p.block(tell, who, s)
	case "say":
		p.line("%s()", tell)
	case "waitall", "waitfirst", "waiterror":
		p.waits(tell, s)
	default:
		if code, void := goCall(s); void {
			p.line("%s", code)
			p.line("%s()", tell)
		} else {
			p.line("%s(%s)", tell, code)
		}
	}
}

func (p *goProgram) task(s *Step) {
	ctx := "ctx"
	switch {
	case s.In != "":
		ctx = s.In
	case p.stops && !s.Child:
		ctx = "loop.Context()" // the end of the task that starts it is not its end
	}
	p.line("%saio.Go(%s, func(ctx context.Context) (int, error) {", p.assign(s.Name), ctx)
	p.function(s)
	p.line("}%s)", map[bool]string{true: ", aio.Eager()"}[s.Eager])
}

// function writes the body of a task's function.
func (p *goProgram) function(s *Step) {
	body := s.Body
	p.below(func() {
		p.line("tell(%q)()", s.Name+" begins")
		n := len(body)
		if n == 0 || body[n-1].Op != "cancelled" {
			if p.steps(s.Name, body, "value") {
				p.line("return 0, nil")
			}
			return
		}
		p.line("defer func() {")
		p.below(func() {
			p.line("if ctx.Err() == nil {")
			p.below(func() { p.line("return") })
			p.line("}")
			p.line("ctx := context.WithoutCancel(ctx)")
			p.line("_ = ctx")
			p.steps(s.Name, body[n-1].Body, "nothing")
		})
		p.line("}()")
		if p.steps(s.Name, body[:n-1], "value") {
			p.line("return 0, nil")
		}
	})
}

func (p *goProgram) callback(s *Step) {
	switch s.Op {
	case "soon":
		p.line("%sloop.CallSoon(func() {", p.assign(s.Name))
	case "later":
		p.line("%sloop.CallLater(%d*time.Second, func() {", p.assign(s.Name), s.N)
	case "at":
		p.line("%sloop.CallAt(start.Add(%d*time.Second), func() {", p.assign(s.Name), s.N)
	case "ondone":
		p.line("%s%s.OnDone(loop.Context(), func(v int, err error) {", p.assign(s.Name), s.On[0])
	}
	p.below(func() {
		if s.Op == "ondone" {
			p.line("tell(%q)(v, err)", s.Name+" called")
		} else {
			p.line("tell(%q)()", s.Name+" called")
		}
		p.steps(s.Name, s.Body, "nothing")
	})
	p.line("})")
}

func (p *goProgram) block(tell, who string, s *Step) {
	body := func() {
		p.below(func() {
			if p.steps(who, s.Body, "err") {
				p.line("return nil")
			}
		})
	}
	switch s.Op {
	case "group":
		p.line("%s(aio.WithGroup(ctx, func(ctx context.Context) error {", tell)
		if p.used[s.Name] {
			p.below(func() { p.line("%s = ctx", s.Name) })
		}
		body()
		p.line("}))")
	case "timeout", "waitfor":
		p.line("%s(within(ctx, %d*time.Second, func(ctx context.Context) error {", tell, s.N)
		body()
		p.line("}))")
	case "completed":
		p.line("%s(func() error {", tell)
		p.below(func() {
			limited := "ctx"
			if s.N > 0 {
				p.line("limited, cancel := aio.WithTimeout(ctx, %d*time.Second)", s.N)
				p.line("defer cancel()")
				limited = "limited"
			}
			p.line("for f := range aio.AsCompleted(%s, %s) {", limited, goList(s.On))
			p.below(func() {
				p.line("%s(f.Result())", tell)
				p.steps(who, s.Body, "err")
			})
			p.line("}")
			p.line("return %s.Err()", limited)
		})
		p.line("}())")
	}
}

func (p *goProgram) waits(tell string, s *Step) {
	when := map[string]string{"waitall": "AllDone", "waitfirst": "FirstDone", "waiterror": "FirstError"}[s.Op]
	p.line("func() {")
	p.below(func() {
		if s.N > 0 {
			p.line("ctx, cancel := aio.WithTimeout(ctx, %d*time.Second)", s.N)
			p.line("defer cancel()")
		}
		p.line("done, pending, err := aio.Wait(ctx, aio.%s, %s)", when, goList(s.On))
		p.line("%s(len(done), len(pending), err)", tell)
	})
	p.line("}()")
}

// goList is futures of different types as one list.
func goList(names []string) string {
	var list []string
	for _, name := range names {
		list = append(list, "&"+name+".Future")
	}
	return strings.Join(list, ", ")
}

// goCall is a step that is one call; void: which returns nothing.
func goCall(s *Step) (code string, void bool) {
	switch s.Op {
	case "yield":
		return "aio.Yield(ctx)", false
	case "sleep":
		return fmt.Sprintf("aio.Sleep(ctx, %d*time.Second)", s.N), false
	case "gather":
		return fmt.Sprintf("aio.Gather(ctx, %s)", goList(s.On)), false
	case "gatherall":
		return fmt.Sprintf("aio.GatherAll(ctx, %s)", goList(s.On)), false
	case "cancel":
		return s.On[0] + ".Cancel(nil)", false
	case "undone":
		return s.On[0] + "()", false
	case "reject":
		return fmt.Sprintf("%s.Reject(errors.New(%q))", s.On[0], s.Word), false
	case "put":
		return fmt.Sprintf("%s.Put(ctx, %d)", s.On[0], s.N), false
	case "until":
		return fmt.Sprintf("%s.WaitFor(ctx, %s.IsSet)", s.On[0], s.On[1]), false
	case "resolve", "tryput":
		return fmt.Sprintf("%s.%s(%d)", s.On[0], map[string]string{"resolve": "Resolve", "tryput": "TryPut"}[s.Op], s.N), false
	}
	method := map[string]string{
		"drop": "Cancel", "tryget": "TryGet", "taskdone": "TaskDone", "isset": "IsSet", "notify": "Signal", "notifyall": "Broadcast",
	}[s.Op]
	if method == "" {
		method = strings.ToUpper(s.Op[:1]) + s.Op[1:]
	}
	switch s.Op {
	case "taskdone", "close", "unlock", "release", "set", "clear", "notify", "notifyall", "abort", "reset":
		return fmt.Sprintf("%s.%s()", s.On[0], method), true
	case "await", "get", "join", "lock", "acquire", "wait":
		return fmt.Sprintf("%s.%s(ctx)", s.On[0], method), false
	}
	return fmt.Sprintf("%s.%s()", s.On[0], method), false // drop, state, result, tryget, len, isset
}
