package scenario

import (
	"fmt"
	"strings"
)

// Transports is a program on asyncio's transports, and what CPython and aio do, line by line.
type Transports struct{ Program, Trace, Ours string }

// section is that of the page.
func (t Transports) section() string {
	_, main, _ := strings.Cut(t.Program, "async def main")
	main, _, _ = strings.Cut(main, "\n\nrun(")
	lines := func(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }
	return fmt.Sprintf("\n## transports\n\n%s\nOn asyncio:\n```python\nasync def main%s\n```\n\n"+
		"What they do; `-` is CPython, `+` is aio; a line begins with the turn of the loop:\n```diff\n%s```\n",
		transportsHead, main, traceDiff(lines(t.Trace), lines(t.Ours)))
}

const transportsHead = `What is a protocol told, and when? The same as in CPython, turn by turn, as the programs in
` + "`aionet/testdata/order`" + ` show, in which a protocol logs what it is told of a socket pair. What differs is in this one,
` + "`differences.py`" + `; on aio it is ` + "`differencesInOrder`" + ` in ` + "`aionet/order_flow_linux_test.go`" + `. Also, a piece of
data may be as long as 256 KiB there and 32 KiB here.
`

// Differences is the page that tells of scenarios in which aio differs from asyncio, in Markdown, and at its end of
// transports.
func Differences(list []*Scenario, transports Transports) string {
	var b strings.Builder
	b.WriteString(differencesHead)
	for _, s := range list {
		fmt.Fprintf(&b, "- [%s](#%s)\n", s.Asks, s.Name)
	}
	b.WriteString("- [What is a protocol told of its transport, and when?](#transports)\n")
	for _, s := range list {
		fmt.Fprintf(&b, "\n## %s\n\n%s %s\n\nOn asyncio:\n```python\n%s```\n\nOn aio:\n```go\n%s```\n\n"+
			"What they do; `-` is CPython, `+` is aio:\n```diff\n%s```\n",
			s.Name, s.Asks, s.Why, s.pythonMain(), s.GoFunction("run"), traceDiff(s.Trace, s.Ours))
	}
	b.WriteString(transports.section())
	return b.String()
}

const differencesHead = `# Where aio differs from asyncio on purpose

Made from ` + "`internal/scenario/testdata/differences`" + ` by ` + "`go test ./internal/scenario -run TestDifferences -update`" + `; a test
keeps it true. In all else the same program goes the same way, turn by turn of the loop: random programs are
compared with CPython's. A line of a trace has the second, the turn of the loop within it (counted from the
second's first line), who, what, and the result.

Two orders are fixed here and by chance in CPython, which keeps the things in a set: that in which a failing group
cancels its members (here: as they were started), and that in which AsCompleted gives what is done already (here: as
listed). What wakes through a context of the user's own, a foreign Waiter, other goroutines or descriptors has no fixed
place.

`

// pythonMain is PythonProgram without what all of them share.
func (s *Scenario) pythonMain() string {
	_, main, _ := strings.Cut(s.PythonProgram(), "async def main")
	main, _, _ = strings.Cut(main, "\nasyncio.run(")
	return "async def main" + strings.TrimRight(main, "\n") + "\n"
}

// traceDiff shows two traces as one: the longest common subsequence, and what each has besides.
func traceDiff(a, b []string) string {
	common := make([][]int, len(a)+1) // of what is behind i and j
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if common[i][j] = max(common[i+1][j], common[i][j+1]); a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			}
		}
	}
	var out strings.Builder
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out.WriteString("  " + a[i] + "\n")
			i++
			j++
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			out.WriteString("- " + a[i] + "\n")
			i++
		default:
			out.WriteString("+ " + b[j] + "\n")
			j++
		}
	}
	return out.String()
}
