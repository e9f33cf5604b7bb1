package policy

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/api.txt anew")

const golden = "testdata/api.txt"

// The exported API of the root module, a line each. A line that goes or
// changes breaks a program that somebody has written: it needs a reason in the
// CHANGELOG. A new line is a promise: it needs an example that we ship.
func TestAPI(t *testing.T) {
	tr := theTree(t)
	got := exportedAPI(t, tr)
	name := filepath.FromSlash(golden)
	if *update {
		if err := os.WriteFile(name, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Collect(strings.Lines(strings.TrimSuffix(string(text), "\n")))
	for i := range want {
		want[i] = strings.TrimSuffix(want[i], "\n")
	}
	if !slices.IsSorted(want) {
		t.Errorf("%s is not sorted", golden)
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("gone:  %s", line)
		}
	}
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("new:   %s", line)
		}
	}
	if t.Failed() {
		t.Log("if this is meant: go test ./internal/policy -run TestAPI -update, and read the difference as a user would")
	}
}

// exportedAPI lists every exported name of the packages of the root module
// that others can import.
func exportedAPI(t *testing.T, tr *tree) []string {
	var paths []string
	for _, s := range tr.sources {
		if s.test || tr.moduleOf(s.dir).dir != "." || s.ast.Name.Name == "main" || strings.Contains("/"+s.dir+"/", "/internal/") {
			continue
		}
		p := rootModule
		if s.dir != "." {
			p += "/" + s.dir
		}
		if !slices.Contains(paths, p) {
			paths = append(paths, p)
		}
	}
	exports := compile(t, tr.root, paths)
	imp := importer.ForCompiler(token.NewFileSet(), "gc", func(p string) (io.ReadCloser, error) {
		name, ok := exports[p]
		if !ok {
			return nil, fmt.Errorf("no export data for %s", p)
		}
		return os.Open(name)
	})
	lines := map[string]bool{}
	for _, p := range paths {
		pkg, err := imp.Import(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range apiOf(pkg) {
			lines[line] = true
		}
	}
	return slices.Sorted(maps.Keys(lines))
}

// compile returns the files with the types of the packages and of all they
// import. The platform is fixed, so that the list is the same everywhere.
func compile(t *testing.T, root string, paths []string) map[string]string {
	args := append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}"}, paths...)
	cmd := exec.Command("go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "GOWORK=off", "GOFLAGS=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if p, name, ok := strings.Cut(strings.TrimSpace(line), "="); ok && name != "" {
			exports[p] = name
		}
	}
	return exports
}

func apiOf(pkg *types.Package) []string {
	qualify := func(other *types.Package) string {
		if other == pkg {
			return ""
		}
		return other.Name()
	}
	var lines []string
	add := func(format string, args ...any) {
		lines = append(lines, pkg.Name()+": "+fmt.Sprintf(format, args...))
	}
	for _, name := range pkg.Scope().Names() {
		obj := pkg.Scope().Lookup(name)
		if !obj.Exported() {
			continue
		}
		switch obj := obj.(type) {
		case *types.Const:
			add("const %s %s = %s", name, types.TypeString(obj.Type(), qualify), obj.Val().ExactString())
		case *types.TypeName:
			apiOfType(obj, qualify, add)
		default: // funcs and vars
			add("%s", types.ObjectString(obj, qualify))
		}
	}
	return lines
}

func apiOfType(obj *types.TypeName, qualify types.Qualifier, add func(string, ...any)) {
	head := "type " + obj.Name()
	named, ok := obj.Type().(*types.Named)
	if !ok || obj.IsAlias() {
		add("%s = %s", head, types.TypeString(types.Unalias(obj.Type()), qualify))
		return
	}
	if params := typeParams(named.TypeParams(), qualify); params != "" {
		head += params
	}
	switch u := named.Underlying().(type) {
	case *types.Struct:
		hiddenFields := false
		for f := range u.Fields() {
			switch {
			case !f.Exported():
				hiddenFields = true
			case f.Embedded():
				add("%s struct, embedded %s", head, types.TypeString(f.Type(), qualify))
			default:
				add("%s struct, %s %s", head, f.Name(), types.TypeString(f.Type(), qualify))
			}
		}
		if hiddenFields {
			add("%s struct, with unexported fields", head) // nobody else can write it out
		} else {
			add("%s struct", head)
		}
	case *types.Interface:
		sealed := ""
		for m := range u.Methods() {
			if !m.Exported() {
				sealed = ", sealed"
				continue
			}
			add("%s interface, %s%s", head, m.Name(), strings.TrimPrefix(types.TypeString(m.Signature(), qualify), "func"))
		}
		if u.IsMethodSet() {
			add("%s interface%s", head, sealed)
		} else {
			add("%s %s", head, types.TypeString(u, qualify))
		}
	default:
		add("%s %s", head, types.TypeString(u, qualify))
	}
	for m := range named.Methods() {
		if m.Exported() {
			recv := types.TypeString(m.Signature().Recv().Type(), qualify)
			add("method (%s) %s%s", recv, m.Name(), strings.TrimPrefix(types.TypeString(m.Signature(), qualify), "func"))
		}
	}
}

func typeParams(list *types.TypeParamList, qualify types.Qualifier) string {
	var params []string
	for p := range list.TypeParams() {
		params = append(params, p.Obj().Name()+" "+types.TypeString(p.Constraint(), qualify))
	}
	if len(params) == 0 {
		return ""
	}
	return "[" + strings.Join(params, ", ") + "]"
}

// The list is made for one platform. It holds for the others as long as no
// exported name stands in a file that the listed platform does not build.
func TestAPI_sameOnEveryPlatform(t *testing.T) {
	tr := theTree(t)
	text, err := os.ReadFile(filepath.FromSlash(golden))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range tr.in(".", false) {
		for _, decl := range s.ast.Decls {
			for _, pattern := range apiPatterns(decl) {
				if !regexp.MustCompile(`(?m)^aio: ` + pattern + `\b`).Match(text) {
					t.Errorf("%s: %q is not in %s; either every platform has it, or none", s.at(decl), pattern, golden)
				}
			}
		}
	}
}

// apiPatterns returns expressions for how the lines for what decl declares begin.
func apiPatterns(decl ast.Decl) []string {
	var heads []string
	switch d := decl.(type) {
	case *ast.FuncDecl:
		switch recv := receiver(d); {
		case !d.Name.IsExported():
		case d.Recv == nil:
			heads = append(heads, "func "+d.Name.Name)
		case ast.IsExported(strings.TrimPrefix(recv, "*")):
			heads = append(heads, `method \(`+regexp.QuoteMeta(recv)+`(\[.*\])?\) `+d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() {
					heads = append(heads, "type "+spec.Name.Name)
				}
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					if name.IsExported() {
						heads = append(heads, d.Tok.String()+" "+name.Name)
					}
				}
			}
		}
	}
	return heads
}

// receiver returns the type of a method without its parameters: "*Task".
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	star, expr := "", d.Recv.List[0].Type
	for {
		switch e := expr.(type) {
		case *ast.StarExpr:
			star, expr = "*", e.X
		case *ast.IndexExpr:
			expr = e.X
		case *ast.IndexListExpr:
			expr = e.X
		case *ast.Ident:
			return star + e.Name
		default:
			return ""
		}
	}
}

func TestAPIOf(t *testing.T) {
	const text = `package p
import "io"
const A = 1
const ( B State = iota + 1; C )
type State int
type hidden struct{}
var ErrX error
func F[T any](r io.Reader, n ...int) (T, error) { panic(0) }
func unexported() {}
type G[T io.Reader] struct { hidden; H; X, y int }
type H struct{ Z func() }
func (g *G[T]) M(n int) T { panic(0) }
func (g *G[T]) m() {}
type I interface { M(int); sealed() }
type J interface { ~int | ~string }
type K = G[io.Reader]
`
	pkg := typeCheck(t, text)
	want := []string{
		"p: const A untyped int = 1",
		"p: const B State = 1",
		"p: const C State = 2",
		"p: func F[T any](r io.Reader, n ...int) (T, error)",
		"p: method (*G[T]) M(n int) T",
		"p: type G[T io.Reader] struct, X int",
		"p: type G[T io.Reader] struct, embedded H",
		"p: type G[T io.Reader] struct, with unexported fields",
		"p: type H struct",
		"p: type H struct, Z func()",
		"p: type I interface, M(int)",
		"p: type I interface, sealed",
		"p: type J interface{~int | ~string}",
		"p: type K = G[io.Reader]",
		"p: type State int",
		"p: var ErrX error",
	}
	got := apiOf(pkg)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func typeCheck(t *testing.T, text string) *types.Package {
	t.Helper()
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, "p.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	exports := compile(t, ".", []string{"io"})
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", func(p string) (io.ReadCloser, error) { return os.Open(exports[p]) })}
	pkg, err := conf.Check("p", fset, []*ast.File{parsed}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pkg
}
