package policy

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
)

// uncompiled complains of Go on our side that does not compile, and of Go that was not there yet and does.
func (p *page) uncompiled(g *goOfPage) []string {
	if len(g.setupErrors) > 0 {
		return g.setupErrors // all else would follow from them
	}
	var complaints []string
	for _, s := range p.code {
		if err := g.check(s.text); err != nil {
			complaints = append(complaints, s.complain("`%s` does not compile: %s", s.text, inWords(err)))
		}
	}
	for _, s := range p.later {
		if g.check(s.text) == nil {
			complaints = append(complaints, s.complain("`%s` compiles by now: the row can say more than \"not yet\"", s.text))
		}
	}
	for _, s := range p.prose {
		switch {
		case strings.HasPrefix(s.text, "aio."):
			if err := g.check(s.text); err != nil {
				complaints = append(complaints, s.complain("`%s` does not compile: %s", s.text, inWords(err)))
			}
		case memberName.MatchString(s.text) && !g.hasMember(s.text):
			complaints = append(complaints, s.complain("aio has no %s", s.text))
		}
	}
	return complaints
}

// memberName is how the page writes a method or field of ours: "Hooks.Unhandled". Python's are lower case.
var memberName = regexp.MustCompile(`^[A-Z]\w*\.[A-Z]\w*$`)

// goOfPage checks the Go of a page.
type goOfPage struct {
	fset        *token.FileSet
	conf        types.Config
	head        string // of a file: its imports, and what the page's rows use
	pkg         *types.Package
	inside      token.Pos // in pkg's file
	setupErrors []string
}

// pageImports is what the page may use of the standard library; of ours, it may use what is there.
var pageImports = []string{"context", "crypto/tls", "errors", "fmt", "iter", "net", "os", "os/exec", "slices", "syscall", "time", "log/slog"}

// importPage makes an importer of that, and returns the paths that it knows.
func importPage(t *testing.T, tr *tree) (types.Importer, []string) {
	t.Helper()
	paths := append([]string{rootModule}, pageImports...)
	for _, dir := range []string{"aionet", "aiotest", "aiodebug", "job", "procpool"} {
		if len(tr.in(dir, false)) > 0 {
			paths = append(paths, rootModule+"/"+dir)
		}
	}
	exports := compile(t, tr.root, paths)
	return importer.ForCompiler(token.NewFileSet(), "gc", func(p string) (io.ReadCloser, error) {
		name, ok := exports[p]
		if !ok {
			return nil, fmt.Errorf("no export data for %s", p)
		}
		return os.Open(name)
	}), paths
}

func newGoOfPage(imports types.Importer, paths []string, setup span) *goOfPage {
	g := &goOfPage{fset: token.NewFileSet(), conf: types.Config{Importer: imports}, head: "package page\n"}
	for _, p := range paths {
		g.head += fmt.Sprintf("import %q\n", p)
	}
	g.head += fmt.Sprintf("//line :%d\n%s\n", setup.line, setup.text)
	for _, err := range g.typeCheck("") {
		g.setupErrors = append(g.setupErrors, fmt.Sprintf("%d: %s", g.fset.Position(err.Pos).Line, err.Msg))
	}
	return g
}

// typeCheck checks a file of the head and a function with this body, and returns what is wrong with it, but for what is only unused.
func (g *goOfPage) typeCheck(body string) []types.Error {
	file, err := parser.ParseFile(g.fset, "", g.head+"func _() {\n"+body+"\n}\n", 0)
	if err != nil {
		return []types.Error{{Fset: g.fset, Msg: strings.TrimLeft(err.Error(), ":0123456789 ")}}
	}
	var found []types.Error
	conf := g.conf
	conf.Error = func(err error) {
		if e := err.(types.Error); !e.Soft {
			found = append(found, e)
		}
	}
	pkg, _ := conf.Check("page", g.fset, []*ast.File{file}, nil)
	if body == "" {
		g.pkg, g.inside = pkg, file.End()-1
	}
	return found
}

// check says what is wrong with an expression, a type or statements.
func (g *goOfPage) check(text string) error {
	if expr, err := parser.ParseExpr(text); err == nil {
		if _, isCall := expr.(*ast.CallExpr); !isCall {
			return types.CheckExpr(g.fset, g.pkg, g.inside, expr, nil)
		}
	}
	if found := g.typeCheck(text); len(found) > 0 {
		return found[0]
	}
	return nil
}

// inWords leaves out where in the generated file an error is.
func inWords(err error) string {
	if e := (types.Error{}); errors.As(err, &e) {
		return e.Msg
	}
	return err.Error()
}

// hasMember reports whether a type of ours has such a method or field.
func (g *goOfPage) hasMember(name string) bool {
	typeName, member, _ := strings.Cut(name, ".")
	ours, err := g.conf.Importer.Import(rootModule)
	if err != nil {
		return false
	}
	obj, ok := ours.Scope().Lookup(typeName).(*types.TypeName)
	if !ok {
		return false
	}
	found, _, _ := types.LookupFieldOrMethod(obj.Type(), true, ours, member)
	return found != nil
}
