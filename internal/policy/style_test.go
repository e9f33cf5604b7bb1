package policy

import (
	"bytes"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// maxLines is what one sitting reads. Split by idea, not by count.
const maxLines = 500

var longFiles = map[string]string{}

func TestFilesAreShort(t *testing.T) {
	used := map[string]bool{}
	for _, s := range theTree(t).sources {
		n := bytes.Count(s.text, []byte("\n"))
		if n <= maxLines {
			continue
		}
		if longFiles[s.path] != "" {
			used[s.path] = true
			continue
		}
		t.Errorf("%s has %d lines, more than %d: which second idea is in it?", s.path, n, maxLines)
	}
	reportUnused(t, longFiles, used)
}

// Written apart, so that this file keeps the rule too.
var (
	fixMark  = regexp.MustCompile(`\b(FIX` + `ME|XX` + `X|HA` + `CK)\b`)
	todoMark = regexp.MustCompile(`\bTO` + `DO\b(\(#\d+\))?`)
)

func TestNoUnfinishedBusiness(t *testing.T) {
	for _, f := range theTree(t).files {
		if !isSource(f.path) {
			continue
		}
		for i, line := range bytes.Split(f.text, []byte("\n")) {
			for _, complaint := range unfinished(string(line)) {
				t.Errorf("%s:%d: %s", f.path, i+1, complaint)
			}
		}
	}
}

func unfinished(line string) []string {
	var found []string
	if m := fixMark.FindString(line); m != "" {
		found = append(found, m+" is not merged: mend it, or open an issue")
	}
	for _, m := range todoMark.FindAllStringSubmatch(line, -1) {
		if m[1] == "" {
			found = append(found, m[0]+" needs the issue it waits for: "+m[0]+"(#123)")
		}
	}
	return found
}

// isSource: what is built or run, not what is read; a list of formats or a
// recorded input may hold any word.
func isSource(name string) bool {
	return !strings.Contains(name, "testdata/") &&
		(slices.Contains([]string{".go", ".s", ".mod", ".work", ".sh"}, path.Ext(name)) || strings.HasPrefix(name, ".ci/"))
}

func TestUnfinished(t *testing.T) {
	todo := "TO" + "DO"
	for line, want := range map[string]int{
		"// " + todo + "(#12): x": 0, "// " + todo + ": x": 1, "// " + todo + "(me): x": 1,
		"// FIX" + "ME": 1, "context." + todo + "()": 1, "// to do": 0, "x := " + todo + "S": 0,
	} {
		if got := unfinished(line); len(got) != want {
			t.Errorf("%q: got %q, want %d complaints", line, got, want)
		}
	}
}

// useRules forbids names of the standard library in the packages (not below
// them) where they would break a promise.
var useRules = []struct {
	dirs   []string
	names  []string          // "import/path.Name"
	tests  bool              // in _test.go files instead of the others
	except map[string]string // file -> reason
	why    string
}{
	{[]string{"."}, []string{"time.Sleep"}, false, nil,
		"it would hold the loop; time is what the loop's clock says"},
	{[]string{"."}, []string{"fmt.Print", "fmt.Printf", "fmt.Println", "os.Stdout", "os.Stderr", "os.Exit"}, false, nil,
		"a library speaks through its results, hooks and slog"},
	{[]string{"refire", "refire/accesslog", "refire/retrylog"}, []string{"fmt.Print", "fmt.Printf", "fmt.Println", "os.Stdout", "os.Stderr", "os.Exit"}, false, nil,
		"only the command knows a terminal; the stages return values and errors"},
	{[]string{"refire"}, []string{"sync.Mutex", "sync.RWMutex", "sync.Cond", "sync.Map"}, false,
		map[string]string{"refire/httppool.go": "net/http's connections are used by a pool's goroutines, never by a task"},
		"the coordinator is tasks on one loop: its state needs no lock, and a held one would stop the loop"},
	{[]string{".", "internal/coro", "internal/timerq", "refire", "refire/accesslog", "refire/retrylog", "refire/cmd/refire"},
		[]string{"unsafe.Pointer", "unsafe.Add", "unsafe.Slice", "unsafe.SliceData", "unsafe.String", "unsafe.StringData"}, false,
		map[string]string{"done.go": "a channel can be held weakly only by its address; see ADR 3"},
		"the garbage collector and -race protect nothing behind it"},
}

func TestForbiddenUses(t *testing.T) {
	tr := theTree(t)
	for _, rule := range useRules {
		used := map[string]bool{}
		for _, dir := range rule.dirs {
			sources := tr.in(dir, rule.tests)
			if len(sources) == 0 {
				t.Errorf("%s has no Go files: has the package vanished? Then its rule goes too", dir)
			}
			for _, s := range sources {
				if s.test != rule.tests {
					continue
				}
				for _, use := range usesOf(s, rule.names) {
					if rule.except[s.path] != "" {
						used[s.path] = true
						continue
					}
					t.Errorf("%s uses %s: %s", s.at(use.node), use.name, rule.why)
				}
			}
		}
		reportUnused(t, rule.except, used)
	}
}

type use struct {
	node ast.Node
	name string
}

// usesOf finds the qualified names in s.
func usesOf(s *source, names []string) []use {
	var found []use
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok && slices.Contains(names, qualified(s, e)) {
			found = append(found, use{n, qualified(s, e)})
		}
		return true
	})
	return found
}

// qualified returns "import/path.Name" for such an expression, "" for others.
// It goes by the import's path, so that a renamed import hides nothing.
func qualified(s *source, e ast.Expr) string {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return ""
	}
	for _, spec := range s.ast.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(p)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		if name == x.Name {
			return p + "." + sel.Sel.Name
		}
	}
	return ""
}

// sleepers are the tests that may call time.Sleep outside a synctest bubble:
// "folder/function" -> reason.
var sleepers = map[string]string{
	"TestCancel_endsAWait": "in a function of a table, called in the bubble below it",
	"refire/follow/pass":   "called in bubbles only, which a function of its tests makes",
}

// A real sleep makes a test slow when it is long and wrong when it is short.
// In a bubble time jumps, so there it is allowed; a helper that sleeps is
// called from bubbles only if it has a row above.
func TestTestsDoNotSleep(t *testing.T) {
	used := map[string]bool{}
	for _, s := range theTree(t).sources {
		if !s.test {
			continue
		}
		for _, decl := range s.ast.Decls {
			for _, node := range sleepsOutsideBubbles(s, decl) {
				name := s.dir
				if d, ok := decl.(*ast.FuncDecl); ok {
					name = path.Join(s.dir, d.Name.Name)
				}
				if sleepers[name] != "" {
					used[name] = true
					continue
				}
				t.Errorf("%s: %s sleeps on the real clock: use a bubble (testing/synctest), or wait for what is meant", s.at(node), name)
			}
		}
	}
	reportUnused(t, sleepers, used)
}

func sleepsOutsideBubbles(s *source, root ast.Node) []ast.Node {
	inBubble := map[ast.Node]bool{}
	var found []ast.Node
	ast.Inspect(root, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if qualified(s, call.Fun) == "testing/synctest.Test" {
			ast.Inspect(call, func(n ast.Node) bool { inBubble[n] = true; return true })
		}
		if qualified(s, call.Fun) == "time.Sleep" && !inBubble[call] {
			found = append(found, call)
		}
		return true
	})
	return found
}

// errorTexts: how the texts of errors and panics made in a package begin.
var errorTexts = map[string]string{
	".":                  "aio: ",
	"internal/coro":      "aio: ",
	"internal/goid":      "aio: ",
	"internal/invariant": "aio: ",
	"internal/timerq":    "aio: ",
}

var errorTextsExcused = map[string]string{} // the text -> reason

// Whoever reads a log must see who speaks. A text that begins with %w or %s
// passes on another's, and is the caller's to begin.
func TestErrorTextsSayWhoSpeaks(t *testing.T) {
	tr := theTree(t)
	used := map[string]bool{}
	for dir, prefix := range errorTexts {
		for _, s := range tr.in(dir, false) {
			ast.Inspect(s.ast, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || len(call.Args) == 0 || !makesError(s, call) {
					return true
				}
				text, ok := leadingText(call.Args[0])
				switch {
				case !ok || strings.HasPrefix(text, prefix) || strings.HasPrefix(text, "%"):
				case errorTextsExcused[text] != "":
					used[text] = true
				default:
					t.Errorf("%s: the text %q does not begin with %q", s.at(call), text, prefix)
				}
				return true
			})
		}
	}
	reportUnused(t, errorTextsExcused, used)
}

func makesError(s *source, call *ast.CallExpr) bool {
	if fun, ok := call.Fun.(*ast.Ident); ok {
		return fun.Name == "panic"
	}
	return slices.Contains([]string{"errors.New", "fmt.Errorf"}, qualified(s, call.Fun))
}

// leadingText returns the literal that an expression of strings begins with.
func leadingText(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		return leadingText(e.X)
	case *ast.CallExpr: // panic(fmt.Sprintf("...", ...)), panic(errors.New("..."))
		if len(e.Args) > 0 {
			return leadingText(e.Args[0])
		}
	}
	return "", false
}
