package policy

import (
	"slices"
	"strings"
	"testing"
)

const goodPage = "A page with `aio.Run` and `Loop.Close`, and `Task.cancel` of Python.\n" +
	"```go\n" +
	"var (\n" +
	"\tctx  context.Context\n" +
	"\ttask *aio.Task[int]\n" +
	")\n" +
	"```\n" +
	"| asyncio | aio | what differs |\n" +
	"|---|---|---|\n" +
	"| `sleep(d)`, `sleep.more` | `aio.Sleep(ctx, time.Second)` | |\n" +
	"| `Task` | `aio.Task[int]` or `task` | `aio.ErrClosed` |\n" +
	"| `isfuture` | not needed: types tell, and `aio.InTask` | |\n" +
	"| `Transport` | not yet: `nonesuch.Dial(ctx)` | |\n" +
	"\n" +
	"| Python | aio |\n" +
	"|---|---|\n" +
	"| `await t` | `v, err := task.Await(ctx)` |\n" +
	"| `run` | `defer aio.NewPool(aio.PoolConfig{}).Close()`, `aio.Gather` |\n" +
	"\n" +
	"```go\n" +
	"this is not checked: `aio.Nonesuch`\n" +
	"```\n"

// The rules of asyncio_test.go, shown to fail where they must.
func TestAsyncioPageRules(t *testing.T) {
	imports, paths := importPage(t, theTree(t))
	names := []string{"Task", "Transport", "isfuture", "sleep", "sleep.more"}
	for _, c := range []struct{ old, new, want string }{
		{"", "", ""},
		{"| `Task` |", "| Task |", "1: Task has no row"},
		{"`sleep.more`", "", "1: sleep.more has no row"},
		{"`sleep.more`", "`sleep.less`", "10: sleep.less is not in testdata/asyncio_names.txt; 1: sleep.more has no row"},
		{"`isfuture`", "`isfuture`, `Task`", "12: Task has a row in line 11 already"},
		{"`aio.Sleep(ctx, time.Second)`", "-", `10: "-" is neither Go in backquotes, nor "not needed: why", nor "not yet: what will bring it"`},
		{"not needed: types", "types", ""},
		{"aio.Sleep", "aio.Slep", "10: `aio.Slep(ctx, time.Second)`"},
		{"time.Second)`", "1.5)`", "10: `aio.Sleep(ctx, 1.5)`"},
		{"time.Second)`", "time.Second`", "10: `aio.Sleep(ctx, time.Second`"},
		{"aio.Task[int]`", "aio.Tusk[int]`", "11: `aio.Tusk[int]`"},
		{"or `task`", "or `tusk`", "11: `tusk`"},
		{"`aio.ErrClosed`", "`aio.ErrClosd`", "11: `aio.ErrClosd`"},
		{"`aio.InTask`", "`aio.IsTask`", "12: `aio.IsTask`"},
		{"nonesuch.Dial(ctx)", "aio.Yield(ctx)", "13: `aio.Yield(ctx)` compiles by now: the row can say more than \"not yet\""},
		{"task.Await", "task.Wait", "17: `v, err := task.Wait(ctx)`"},
		{"{}).Close()`", "{}).Clos()`", "18: `defer aio.NewPool(aio.PoolConfig{}).Clos()`"},
		{"`Loop.Close`", "`Loop.Stop`", "1: aio has no Loop.Stop"},
		{"`aio.Run`", "`aio.Ran`", "1: `aio.Ran`"},
		{"ctx  context.Context", "ctx  context.Contest", "4: undefined: context.Contest"},
	} {
		p := parsePage(strings.Replace(goodPage, c.old, c.new, 1))
		var got []string
		for _, complaint := range append(p.unmapped(names), p.uncompiled(newGoOfPage(imports, paths, p.setup))...) {
			complaint, _, _ = strings.Cut(complaint, " does not compile: ") // what follows are the compiler's words
			got = append(got, complaint)
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%q for %q:\ngot  %q\nwant %q", c.new, c.old, got, c.want)
		}
	}
	if !slices.Contains(readNames(t), "run_coroutine_threadsafe") || !slices.Contains(readNames(t), "loop.call_soon") {
		t.Errorf("%s does not hold asyncio's names", asyncioNames)
	}
}
