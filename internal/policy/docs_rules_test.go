package policy

import (
	"go/parser"
	"go/token"
	"slices"
	"testing"
)

// The rules of docs_test.go, shown to fail where they must.
func TestMissingDocs(t *testing.T) {
	const text = `package p

// F does.
func F() {}

func NoDoc() {}

// Does.
func Wrong() {}

// Fx does.
func Fxy() {}

func unexported() {}

type T struct {
	A int
	B int // said
}

// A U has A.
type U struct {
	A, C int
	d    int
}

// M does.
func (U) M() {}

func (*U) N() {}

func (*U) Error() string { return "" }

func (hidden) N() {}

// Said of all.
const (
	C1 = 1
	C2 = 2
)

const C3 = 3

// Not said of each.
var (
	V1 = 1 // said
	V2 = 2
)

// I waits.
type I interface {
	// M is said.
	M()
	Unsaid()
}

// One has one method.
type One interface{ Only() }
`
	parsed, err := parser.ParseFile(token.NewFileSet(), "p.go", text, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, strict := range []bool{false, true} {
		for _, decl := range parsed.Decls {
			for _, m := range missingDocs(decl, strict) {
				got = append(got, m.name)
			}
		}
	}
	want := []string{
		"NoDoc", "Wrong", "Fxy", "T", "U.N", "C3",
		"NoDoc", "Wrong", "Fxy", "T", "T.A", "U.C", "U.N", "C3", "V2", "I.Unsaid",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestUnsaid(t *testing.T) {
	for _, c := range []struct {
		doc, typeDoc string
		want         int
	}{
		{"F waits. It suspends until then; from any goroutine.", "", 0},
		{"F does not\nsuspend. It may be called from any\ngoroutine.", "", 0},
		{"F suspends.", "T is safe for use from any goroutine.", 0},
		{"F suspends.", "", 1},
		{"F may be called in a task only.", "", 1},
		{"F may be called from a loop's own task; it suspends.", "", 0},
		{"F is called in the loop's own task. It suspends.", "", 0},
		{"F takes a task and a goroutine.", "It suspends.", 2},
		{"", "", 2},
	} {
		if got := unsaid(c.doc, c.typeDoc); len(got) != c.want {
			t.Errorf("unsaid(%q, %q) = %q, want %d", c.doc, c.typeDoc, got, c.want)
		}
	}
}
