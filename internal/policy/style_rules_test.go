package policy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"testing"
)

func parseSource(t *testing.T, text string) *source {
	t.Helper()
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, "p.go", text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return &source{file: file{path: "p.go", text: []byte(text)}, dir: ".", ast: parsed, fset: fset}
}

// The rules of style_test.go, shown to fail where they must.
func TestUsesOf(t *testing.T) {
	s := parseSource(t, `package p
import (
	"sync"
	clock "time"
)
type T struct { mu sync.Mutex; rw sync.RWMutex; once sync.Once }
func f() { clock.Sleep(1); time.Sleep(1); x.Mutex() }
`)
	var got []string
	for _, u := range usesOf(s, []string{"sync.Mutex", "time.Sleep"}) {
		got = append(got, u.name)
	}
	if want := []string{"sync.Mutex", "time.Sleep"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSleepsOutsideBubbles(t *testing.T) {
	s := parseSource(t, `package p
import (
	"testing"
	"testing/synctest"
	"time"
)
func TestInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		go func() { time.Sleep(1) }()
	})
}
func TestOutside(t *testing.T) {
	time.Sleep(1)
	synctest.Test(t, func(t *testing.T) {})
	defer func() { time.Sleep(2) }()
}
`)
	var got []int
	for _, decl := range s.ast.Decls {
		for _, node := range sleepsOutsideBubbles(s, decl) {
			got = append(got, s.fset.Position(node.Pos()).Line)
		}
	}
	if want := []int{13, 15}; !slices.Equal(got, want) {
		t.Errorf("found sleeps in lines %v, want %v", got, want)
	}
}

func TestLeadingText(t *testing.T) {
	s := parseSource(t, `package p
import ( "errors"; "fmt" )
func f() {
	panic("a" + x)
	panic(fmt.Sprintf("b %d", 1))
	panic(err)
	_ = errors.New("c")
	_ = fmt.Errorf("d"+"e", 1)
	_ = fmt.Sprint("not an error")
}
`)
	var got []string
	ast.Inspect(s.ast, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && makesError(s, call) {
			text, ok := leadingText(call.Args[0])
			if !ok {
				text = "-"
			}
			got = append(got, text)
		}
		return true
	})
	if want := []string{"a", "b %d", "-", "c", "d"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
