package scenario

import (
	"fmt"
	"slices"
	"strings"
)

// PythonProgram is the scenario as a program on asyncio.
func (s *Scenario) PythonProgram() string {
	p := &pythonProgram{program{indent: "    ", used: s.usedNames()}, map[string]string{}}
	walk(s.Body, func(st *Step) {
		if st.Op == "ondone" {
			p.watched[st.Name] = st.On[0]
		}
	})
	p.line("import asyncio")
	if s.uses("sleep", "later", "at", "timeout", "waitfor") {
		p.line("# a unit of time is a second")
	}
	p.line("")
	p.b.WriteString(pythonHelpers)
	p.line("")
	p.line("async def main():")
	p.below(func() {
		var global []string
		for _, sort := range []string{"task", "call", "watch", "group"} {
			global = append(global, s.made(sort)...)
		}
		if global = p.onlyUsed(global); len(global) > 0 {
			p.line("global %s", strings.Join(global, ", "))
		}
		for _, o := range s.Uses {
			p.line("%s = %s", o.Name, pythonObject(o))
		}
		p.steps("main", s.Body)
	})
	p.line("")
	p.line("asyncio.run(main())")
	return p.b.String()
}

const pythonHelpers = `def do(fn, *args):  # the result, or the error
    try:
        return fn(*args)
    except Exception as e:
        return repr(e)

async def tell(what, awaitable):
    try:
        print(what, await awaitable)
    except asyncio.CancelledError as e:
        print(what, repr(e))
        if asyncio.current_task().cancelling():
            raise
    except Exception as e:
        print(what, repr(e))
`

type pythonProgram struct {
	program
	watched map[string]string // what each done callback waits for
}

// onlyUsed is the names that must be known everywhere: a task may be awaited by any other.
func (p *pythonProgram) onlyUsed(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return !p.used[name] })
}

func pythonObject(o Object) string {
	switch o.Kind {
	case "future":
		return "asyncio.get_running_loop().create_future()"
	case "cond":
		return fmt.Sprintf("asyncio.Condition(%s)", o.Of)
	case "mutex", "event":
		return map[string]string{"mutex": "asyncio.Lock()", "event": "asyncio.Event()"}[o.Kind]
	}
	class := map[string]string{"queue": "Queue", "lifo": "LifoQueue", "priority": "PriorityQueue", "sem": "Semaphore", "bounded": "BoundedSemaphore", "barrier": "Barrier"}
	return fmt.Sprintf("asyncio.%s(%d)", class[o.Kind], o.N)
}

func (p *pythonProgram) steps(who string, steps []Step) {
	if len(steps) == 0 {
		p.line("pass")
	}
	for i := range steps {
		p.step(who, &steps[i])
	}
}

func (p *pythonProgram) step(who string, s *Step) {
	what := fmt.Sprintf("%q", who+" "+s.line())
	switch s.Op {
	case "go", "shield", "soon", "later", "at", "ondone":
		p.starter(who, what, s)
	case "return":
		p.line("return %d", s.N)
	case "raise":
		p.line("raise Exception(%q)", s.Word)
	case "repeat":
		if s.N > 1 {
			p.line("for _ in range(%d):", s.N)
			p.below(func() { p.steps(who, s.Body) })
		} else {
			p.steps(who, s.Body)
		}
	case "group", "timeout", "waitfor", "completed":
		p.block(who, what, s)
	case "say":
		p.line("print(%s)", what)
	default:
		if ops[s.Op].waits {
			p.line("await tell(%s, %s)", what, pythonWait(s))
		} else {
			p.line("print(%s, %s)", what, p.act(s))
		}
	}
}

// starter writes the steps that make tasks and callbacks.
func (p *pythonProgram) starter(who, what string, s *Step) {
	async, params := "async ", ""
	switch {
	case makes[s.Op] == "watch":
		async, params = "", "future"
	case isCallback(s.Op):
		async = ""
	}
	p.line("%sdef do_%s(%s):", async, s.Name, params)
	p.below(func() {
		p.line("print(%q)", s.Name+map[bool]string{true: " called", false: " begins"}[async == ""])
		p.function(s)
	})
	switch s.Op {
	case "shield":
		p.line("await tell(%s, asyncio.shield(do_%s()))", what, s.Name)
		return
	case "go":
		switch {
		case s.Eager:
			p.line("%s = asyncio.Task(do_%[1]s(), loop=asyncio.get_running_loop(), eager_start=True)", s.Name)
		case s.In != "":
			p.line("%s = %s.create_task(do_%[1]s())", s.Name, s.In)
		default:
			p.line("%s = asyncio.create_task(do_%[1]s())", s.Name)
		}
	case "soon":
		p.line("%s = asyncio.get_running_loop().call_soon(do_%[1]s)", s.Name)
	case "later":
		p.line("%s = asyncio.get_running_loop().call_later(%d, do_%[1]s)", s.Name, s.N)
	case "at":
		p.line("%s = asyncio.get_running_loop().call_at(%d, do_%[1]s)", s.Name, s.N)
	case "ondone":
		p.line("%s = do_%[1]s", s.Name)
		p.line("%s.add_done_callback(%s)", s.On[0], s.Name)
	}
	p.line("print(%s)", what)
}

// function writes the body of a task or a callback.
func (p *pythonProgram) function(s *Step) {
	body := s.Body
	var made []string
	walk(body, func(st *Step) {
		if st.Name != "" && st.Op != "shield" {
			made = append(made, st.Name)
		}
	})
	if made = p.onlyUsed(made); len(made) > 0 {
		p.line("global %s", strings.Join(made, ", "))
	}
	n := len(body)
	if n == 0 || body[n-1].Op != "cancelled" {
		if n > 0 {
			p.steps(s.Name, body)
		}
		return
	}
	p.line("try:")
	p.below(func() { p.steps(s.Name, body[:n-1]) })
	p.line("except asyncio.CancelledError:")
	p.below(func() {
		if len(body[n-1].Body) > 0 {
			p.steps(s.Name, body[n-1].Body)
		}
		p.line("raise")
	})
}

func (p *pythonProgram) block(who, what string, s *Step) {
	p.line("try:")
	p.below(func() {
		switch s.Op {
		case "group":
			p.line("async with asyncio.TaskGroup() as %s:", s.Name)
		case "timeout":
			p.line("async with asyncio.timeout(%d):", s.N)
		case "completed":
			limit := ""
			if s.N > 0 {
				limit = fmt.Sprintf(", timeout=%d", s.N)
			}
			p.line("async for done in asyncio.as_completed([%s]%s):", strings.Join(s.On, ", "), limit)
			p.below(func() { p.line("print(%s, done)", what) })
			if len(s.Body) == 0 {
				return
			}
		case "waitfor":
			p.line("async def inner():")
		}
		p.below(func() { p.steps(who, s.Body) })
		if s.Op == "waitfor" {
			p.line("await asyncio.wait_for(inner(), %d)", s.N)
		}
		p.line("print(%s)", what)
	})
	p.line("except Exception as e:")
	p.below(func() { p.line("print(%s, repr(e))", what) })
}

func pythonWait(s *Step) string {
	list := strings.Join(s.On, ", ")
	switch s.Op {
	case "yield":
		return "asyncio.sleep(0)"
	case "sleep":
		return fmt.Sprintf("asyncio.sleep(%d)", s.N)
	case "await":
		return s.On[0]
	case "gather":
		return fmt.Sprintf("asyncio.gather(%s)", list)
	case "gatherall":
		return fmt.Sprintf("asyncio.gather(%s, return_exceptions=True)", list)
	case "waitall", "waitfirst", "waiterror":
		when := map[string]string{"waitall": "ALL_COMPLETED", "waitfirst": "FIRST_COMPLETED", "waiterror": "FIRST_EXCEPTION"}[s.Op]
		if s.N > 0 {
			when += fmt.Sprintf(", timeout=%d", s.N)
		}
		return fmt.Sprintf("asyncio.wait([%s], return_when=asyncio.%s)", list, when)
	case "put":
		return fmt.Sprintf("%s.put(%d)", s.On[0], s.N)
	case "lock":
		return s.On[0] + ".acquire()"
	case "until":
		return fmt.Sprintf("%s.wait_for(%s.is_set)", s.On[0], s.On[1])
	default: // get, join, acquire, wait
		return fmt.Sprintf("%s.%s()", s.On[0], s.Op)
	}
}

func (p *pythonProgram) act(s *Step) string {
	on := s.On[0]
	switch s.Op {
	case "resolve":
		return fmt.Sprintf("do(%s.set_result, %d)", on, s.N)
	case "reject":
		return fmt.Sprintf("do(%s.set_exception, Exception(%q))", on, s.Word)
	case "state":
		return on
	case "undone":
		return fmt.Sprintf("do(%s.remove_done_callback, %s)", p.watched[on], on)
	case "tryput":
		return fmt.Sprintf("do(%s.put_nowait, %d)", on, s.N)
	}
	method := map[string]string{
		"drop": "cancel", "tryget": "get_nowait", "len": "qsize", "taskdone": "task_done", "close": "shutdown",
		"unlock": "release", "isset": "is_set", "notifyall": "notify_all",
	}[s.Op]
	if method == "" {
		method = s.Op // cancel, result, release, set, clear, notify
	}
	if s.Op == "abort" || s.Op == "reset" { // coroutines that wait for nothing here, also in callbacks
		return fmt.Sprintf("do(%s.%s().send, None)", on, method)
	}
	return fmt.Sprintf("do(%s.%s)", on, method)
}
