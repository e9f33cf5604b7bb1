package policy

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	asyncioPage  = "docs/asyncio.md"
	asyncioNames = "testdata/asyncio_names.txt" // made by the .py beside it
)

// docs/asyncio.md says for every name of asyncio what it is here. The page is true as long as each name has its row, what stands on our side compiles, and
// what is not there yet does not.
func TestAsyncioPage(t *testing.T) {
	tr := theTree(t)
	text, err := os.ReadFile(filepath.Join(tr.root, filepath.FromSlash(asyncioPage)))
	if err != nil {
		t.Fatal(err)
	}
	p := parsePage(string(text))
	imports, paths := importPage(t, tr)
	for _, complaint := range append(p.unmapped(readNames(t)), p.uncompiled(newGoOfPage(imports, paths, p.setup))...) {
		t.Errorf("%s:%s", asyncioPage, complaint)
	}
}

// The programs on the page are those that are tested.
func TestAsyncioPage_showsTheExample(t *testing.T) {
	tr := theTree(t)
	text := map[string]string{}
	for _, f := range tr.files {
		text[f.path] = string(f.text)
	}
	for _, name := range []string{"examples/port/port.py", "examples/port/main.go", "examples/port/port.txt"} {
		if text[name] == "" || !strings.Contains(text[asyncioPage], "\n"+strings.TrimRight(text[name], "\n")+"\n```\n") {
			t.Errorf("%s does not show %s as it is: copy it there", asyncioPage, name)
		}
	}
}

// The page leads to each deliberate difference, and its links lead somewhere.
func TestAsyncioPage_links(t *testing.T) {
	tr := theTree(t)
	headings := map[string]bool{} // "path" of each file, and "path#heading"
	for _, f := range tr.files {
		headings[f.path] = true
		if path.Ext(f.path) != ".md" {
			continue
		}
		for _, m := range heading.FindAllStringSubmatch(string(f.text), -1) {
			headings[f.path+"#"+strings.ToLower(strings.ReplaceAll(m[1], " ", "-"))] = true
		}
	}
	text, err := os.ReadFile(filepath.Join(tr.root, filepath.FromSlash(asyncioPage)))
	if err != nil {
		t.Fatal(err)
	}
	linked := map[string]bool{}
	for _, m := range link.FindAllStringSubmatch(string(text), -1) {
		to := path.Join(path.Dir(asyncioPage), m[1])
		if strings.HasPrefix(m[1], "#") {
			to = asyncioPage + m[1]
		}
		linked[to] = true
		if !headings[to] {
			t.Errorf("%s: the link to %s leads nowhere", asyncioPage, m[1])
		}
	}
	for to := range headings {
		if strings.HasPrefix(to, "docs/differences.md#") && !linked[to] {
			t.Errorf("%s does not link to %s: each deliberate difference belongs on its list", asyncioPage, to)
		}
	}
}

var (
	heading = regexp.MustCompile(`(?m)^##+ (.*)$`)
	link    = regexp.MustCompile(`\]\((#[^()\s]+|[^()\s]+\.[^()\s]+)\)`) // [T](10) is Go
)

func readNames(t *testing.T) []string {
	text, err := os.ReadFile(filepath.FromSlash(asyncioNames))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			names = append(names, line)
		}
	}
	return names
}

// page is what there is to check on a page like docs/asyncio.md.
//
// A table whose first head is "asyncio" maps names: the spans of code in the first cell of a row. In tables whose second head is "aio", the second cell is
// Go, or begins with "not needed" or "not yet".
type page struct {
	names []span // of asyncio, without arguments
	code  []span // Go that compiles
	later []span // Go that does not yet
	prose []span // what else is written as code
	bare  []span // second cells that say nothing
	setup span   // the first block of Go: what the rows' names stand for
}

type span struct {
	line int
	text string
}

func (s span) complain(format string, args ...any) string {
	return fmt.Sprintf("%d: %s", s.line, fmt.Sprintf(format, args...))
}

var codeSpan = regexp.MustCompile("`([^`]+)`")

func parsePage(text string) *page {
	p := &page{}
	var head []string // of the table that the line is in
	fence := ""
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if lang, ok := strings.CutPrefix(line, "```"); ok {
			if fence == "" {
				fence = "```" + lang
			} else {
				fence = ""
			}
			if lang == "go" && p.setup.line == 0 {
				p.setup.line = n + 1
			}
			continue
		}
		switch {
		case fence != "":
			if fence == "```go" && p.setup.line+strings.Count(p.setup.text, "\n") == n {
				p.setup.text += line + "\n"
			}
		case !strings.HasPrefix(line, "|"):
			head = nil
			p.prose = append(p.prose, spansOf(n, line)...)
		case head == nil:
			head = cellsOf(line)
		case strings.HasPrefix(line, "|---"):
		default:
			p.row(n, head, cellsOf(line))
		}
	}
	return p
}

func (p *page) row(n int, head, cells []string) {
	if len(head) < 2 || head[1] != "aio" || len(cells) < 2 {
		for _, cell := range cells {
			p.prose = append(p.prose, spansOf(n, cell)...)
		}
		return
	}
	if head[0] == "asyncio" {
		for _, s := range spansOf(n, cells[0]) {
			s.text, _, _ = strings.Cut(s.text, "(")
			p.names = append(p.names, s)
		}
	}
	spans := spansOf(n, cells[1])
	switch {
	case strings.HasPrefix(cells[1], "not needed: "):
		p.prose = append(p.prose, spans...)
	case strings.HasPrefix(cells[1], "not yet: "):
		p.later = append(p.later, spans...)
	case len(spans) == 0:
		p.bare = append(p.bare, span{n, cells[1]})
	default:
		p.code = append(p.code, spans...)
	}
	for _, cell := range cells[2:] {
		p.prose = append(p.prose, spansOf(n, cell)...)
	}
}

func cellsOf(line string) []string {
	cells := strings.Split(strings.Trim(line, "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

func spansOf(n int, text string) []span {
	var spans []span
	for _, m := range codeSpan.FindAllStringSubmatch(text, -1) {
		spans = append(spans, span{n, m[1]})
	}
	return spans
}

// unmapped complains of names without a row, with two, and of rows for what asyncio has not.
func (p *page) unmapped(names []string) []string {
	var complaints []string
	rows := map[string]int{}
	for _, s := range p.names {
		switch {
		case !slices.Contains(names, s.text):
			complaints = append(complaints, s.complain("%s is not in %s", s.text, asyncioNames))
		case rows[s.text] != 0:
			complaints = append(complaints, s.complain("%s has a row in line %d already", s.text, rows[s.text]))
		}
		rows[s.text] = s.line
	}
	for _, name := range names {
		if rows[name] == 0 {
			complaints = append(complaints, fmt.Sprintf("1: %s has no row", name))
		}
	}
	for _, s := range p.bare {
		complaints = append(complaints, s.complain(`%q is neither Go in backquotes, nor "not needed: why", nor "not yet: what will bring it"`, s.text))
	}
	return complaints
}
