package policy

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// rootModule is the module path of package aio.
const rootModule = "github.com/seed8b1f0744/aio"

// tree is what the rules look at: every file that git does not ignore.
type tree struct {
	root    string // absolute
	files   []file
	sources []*source
	modules []module
}

type file struct {
	path string // from the root, with slashes
	text []byte
}

// source is a parsed Go file that the go command would see.
type source struct {
	file
	dir  string // path.Dir(file.path): "." for package aio
	test bool
	ast  *ast.File
	fset *token.FileSet
}

// at is where a node stands, for messages.
func (s *source) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", s.path, s.fset.Position(n.Pos()).Line)
}

var errNoWorkspace = errors.New("the rules are about the whole repository, and this is only one module of it (no go.work above)")

var readTreeOnce = sync.OnceValues(readTree)

// theTree returns the repository, read once for all tests.
func theTree(t *testing.T) *tree {
	t.Helper()
	tr, err := readTreeOnce()
	if errors.Is(err, errNoWorkspace) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func readTree() (*tree, error) {
	root, err := findRoot()
	if err != nil {
		return nil, err
	}
	tr := &tree{root: root}
	ignored, err := readIgnored(filepath.Join(root, ".gitignore"))
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if rel == ".git" || ignored.match(rel, d.IsDir()) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return tr.add(file{path: rel, text: text})
	})
	if err != nil {
		return nil, err
	}
	return tr, nil
}

func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
			if err != nil || !bytes.HasPrefix(mod, []byte("module "+rootModule+"\n")) {
				return "", errNoWorkspace // a workspace of somebody else, around a copy of ours
			}
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errNoWorkspace
		}
		dir = up
	}
}

func (tr *tree) add(f file) error {
	tr.files = append(tr.files, f)
	switch {
	case path.Base(f.path) == "go.mod":
		m, err := parseModule(f)
		if err != nil {
			return err
		}
		tr.modules = append(tr.modules, m)
	case path.Ext(f.path) == ".go" && !hidden(f.path):
		fset := token.NewFileSet()
		parsed, err := parser.ParseFile(fset, f.path, f.text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		tr.sources = append(tr.sources, &source{
			file: f, dir: path.Dir(f.path), test: strings.HasSuffix(f.path, "_test.go"), ast: parsed, fset: fset,
		})
	}
	return nil
}

// hidden reports whether the go command does not look at this file.
func hidden(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(elem string) bool {
		return elem == "testdata" || strings.HasPrefix(elem, "_") || strings.HasPrefix(elem, ".")
	})
}

// in returns the Go files of the package in dir, with or without its tests.
func (tr *tree) in(dir string, tests bool) []*source {
	var found []*source
	for _, s := range tr.sources {
		if s.dir == dir && (tests || !s.test) {
			found = append(found, s)
		}
	}
	return found
}

// moduleOf returns the innermost module that holds dir.
func (tr *tree) moduleOf(dir string) module {
	var best module
	for _, m := range tr.modules {
		if (m.dir == "." || dir == m.dir || strings.HasPrefix(dir, m.dir+"/")) && (best.dir == "" || len(m.dir) > len(best.dir) || best.dir == ".") {
			best = m
		}
	}
	return best
}

// ignore is a .gitignore kept so simple that a test can read it: names
// ("*.prof"), paths from the root ("/refire/refire"), folders ("/.bin/").
type ignore []string

func readIgnored(name string) (ignore, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var patterns ignore
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '!' || strings.Contains(line, "**") || strings.Contains(strings.Trim(line, "/"), "/") && line[0] != '/' {
			return nil, fmt.Errorf(".gitignore: %q: only names, /paths and folders/ are understood here; say it more simply", line)
		}
		if _, err := path.Match(line, ""); err != nil {
			return nil, fmt.Errorf(".gitignore: %q: %w", line, err)
		}
		patterns = append(patterns, line)
	}
	return patterns, nil
}

func (ig ignore) match(name string, isDir bool) bool {
	return slices.ContainsFunc(ig, func(pattern string) bool {
		pattern, wantDir := strings.CutSuffix(pattern, "/")
		if wantDir && !isDir {
			return false
		}
		subject := path.Base(name)
		if rooted, ok := strings.CutPrefix(pattern, "/"); ok {
			pattern, subject = rooted, name
		}
		ok, _ := path.Match(pattern, subject) // validated in readIgnored
		return ok
	})
}

func TestIgnore(t *testing.T) {
	ig := ignore{"*.prof", "/refire/refire", "/.bin/"}
	for name, want := range map[string]bool{
		"cpu.prof": true, "a/b/mem.prof": true, "prof": false,
		"refire/refire": true, "a/refire/refire": false, "refire/refire.go": false,
		".bin": false,
	} {
		if got := ig.match(name, false); got != want {
			t.Errorf("file %s: ignored %v, want %v", name, got, want)
		}
	}
	for name, want := range map[string]bool{".bin": true, "a/.bin": false} {
		if got := ig.match(name, true); got != want {
			t.Errorf("folder %s: ignored %v, want %v", name, got, want)
		}
	}
}

// The walk must have seen what the rules are about, or they prove nothing.
func TestTree_isRead(t *testing.T) {
	tr := theTree(t)
	for _, name := range []string{"go.mod", "go.work", "README.md", "LICENSE", ".ci/run", ".gitignore", "refire/go.mod", "internal/policy/tree_test.go"} {
		if !slices.ContainsFunc(tr.files, func(f file) bool { return f.path == name }) {
			t.Errorf("%s was not found in %s", name, tr.root)
		}
	}
	if len(tr.in(".", false)) == 0 {
		t.Error("package aio has no Go files")
	}
	for dir, want := range map[string]string{".": ".", "internal/policy": ".", "refire": "refire", "refire/cmd/refire": "refire", "internal/tools": "internal/tools"} {
		if got := tr.moduleOf(dir).dir; got != want {
			t.Errorf("%s is taken to be in module %s, want %s", dir, got, want)
		}
	}
}
