package policy

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// documented are the folders whose exported names all need a doc comment. true:
// so do fields and the methods of interfaces, and each name in a group of
// variables, where elsewhere the group's comment will do.
var documented = map[string]bool{".": true, "job": true, "procpool": true, "refire": false, "refire/accesslog": false, "refire/retrylog": false}

// wellKnown are methods whose meaning an interface of std fixes.
var wellKnown = []string{"Error", "String", "Unwrap"}

// contextDocs are the folders where a function with a ctx must say where it
// may be called and whether it suspends: that is what a reader of code on a
// loop has to know about every line.
var contextDocs = []string{".", "job", "procpool"}

// Both exceptions tables: name as in the failure -> reason.
var (
	undocumented       = map[string]string{}
	contextDocsExcused = map[string]string{
		"Run": "it is the way from outside into a loop: it blocks, and in a task it is refused",
	}
)

var (
	saysSuspends = regexp.MustCompile(`\bsuspend(s|ed|ing)?\b`)
	saysWhere    = regexp.MustCompile(`\bany( other)? goroutine\b|\b(in|from) (a|any|the) (\w+'s )?(own )?task\b|\b(in|from) tasks\b|\bon the loop\b`)
)

func TestExportedNamesHaveDocs(t *testing.T) {
	tr := theTree(t)
	used := map[string]bool{}
	for dir, strict := range documented {
		sources := tr.in(dir, false)
		if len(sources) == 0 {
			t.Errorf("%s has no Go files: has the package vanished? Then its row goes too", dir)
		}
		for _, s := range sources {
			for _, decl := range s.ast.Decls {
				for _, m := range missingDocs(decl, strict) {
					if undocumented[m.name] != "" {
						used[m.name] = true
						continue
					}
					t.Errorf("%s: %s %s", s.at(m.node), m.name, m.what)
				}
			}
		}
	}
	reportUnused(t, undocumented, used)
}

type missing struct {
	node       ast.Node
	name, what string
}

// missingDocs returns the exported names of decl that nothing is said about.
func missingDocs(decl ast.Decl, strict bool) []missing {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if name, ok := exportedFunc(d); ok && (d.Recv == nil || !slices.Contains(wellKnown, d.Name.Name)) {
			return missingIf(d, name, d.Name.Name, d.Doc)
		}
	case *ast.GenDecl:
		return missingSpecs(d, strict)
	}
	return nil
}

func missingIf(node ast.Node, name, first string, doc *ast.CommentGroup) []missing {
	text := strings.TrimSpace(doc.Text())
	if text == "" {
		return []missing{{node, name, "has no doc comment"}}
	}
	for _, article := range []string{"", "A ", "An ", "The "} {
		if rest, ok := strings.CutPrefix(text, article+first); ok && (rest == "" || !token.IsIdentifier(rest[:1])) {
			return nil
		}
	}
	return []missing{{node, name, "has a doc comment that does not begin with its name, so go doc cannot show it well"}}
}

func missingSpecs(d *ast.GenDecl, strict bool) []missing {
	var found []missing
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if !spec.Name.IsExported() {
				continue
			}
			doc := spec.Doc
			if doc == nil {
				doc = d.Doc
			}
			found = append(found, missingIf(spec, spec.Name.Name, spec.Name.Name, doc)...)
			if strict {
				found = append(found, missingMembers(spec, doc.Text())...)
			}
		case *ast.ValueSpec:
			if spec.Doc != nil || spec.Comment != nil {
				continue
			}
			for _, name := range spec.Names {
				// Constants of a group belong together; variables need not.
				if name.IsExported() && (d.Doc == nil || strict && d.Lparen.IsValid() && d.Tok == token.VAR) {
					found = append(found, missing{spec, name.Name, "has no doc comment"})
				}
			}
		}
	}
	return found
}

// missingMembers: a field or a method of an interface has a comment of its own
// or is spoken of in the type's. The only method of an interface is the type's.
func missingMembers(spec *ast.TypeSpec, typeDoc string) []missing {
	var list []*ast.Field
	switch u := spec.Type.(type) {
	case *ast.StructType:
		list = u.Fields.List
	case *ast.InterfaceType:
		if list = u.Methods.List; len(list) == 1 {
			return nil
		}
	}
	var found []missing
	for _, member := range list {
		if member.Doc != nil || member.Comment != nil {
			continue
		}
		for _, name := range member.Names {
			if name.IsExported() && !regexp.MustCompile(`\b`+name.Name+`\b`).MatchString(typeDoc) {
				found = append(found, missing{member, spec.Name.Name + "." + name.Name, "has no comment, and the type's does not speak of it"})
			}
		}
	}
	return found
}

// exportedFunc returns "Gather" or "Queue.Put" for what users can call.
func exportedFunc(d *ast.FuncDecl) (name string, ok bool) {
	if !d.Name.IsExported() {
		return "", false
	}
	if d.Recv == nil {
		return d.Name.Name, true
	}
	recv := strings.TrimPrefix(receiver(d), "*")
	return recv + "." + d.Name.Name, ast.IsExported(recv)
}

func TestContextFunctionsSayHowTheyWait(t *testing.T) {
	tr := theTree(t)
	used := map[string]bool{}
	checked := 0
	for _, dir := range contextDocs {
		types := typeDocs(tr.in(dir, false))
		for _, s := range tr.in(dir, false) {
			for _, decl := range s.ast.Decls {
				d, ok := decl.(*ast.FuncDecl)
				if !ok || !takesContext(d) {
					continue
				}
				name, exported := exportedFunc(d)
				if !exported {
					continue
				}
				checked++
				if contextDocsExcused[name] != "" {
					used[name] = true
					continue
				}
				typeName, _, _ := strings.Cut(name, ".")
				for _, what := range unsaid(d.Doc.Text(), types[typeName]) {
					t.Errorf("%s: the comment of %s does not say %s", s.at(d), name, what)
				}
			}
		}
	}
	if checked == 0 {
		t.Error("no exported function with a ctx was found: the test looks in the wrong place")
	}
	reportUnused(t, contextDocsExcused, used)
}

// unsaid returns what a comment leaves open. Where its methods may be called,
// a type may say once for all.
func unsaid(doc, typeDoc string) []string {
	var open []string
	if !saysSuspends.MatchString(oneLine(doc)) {
		open = append(open, `whether it suspends ("suspends until ...", "does not suspend")`)
	}
	if !saysWhere.MatchString(oneLine(doc)) && !saysWhere.MatchString(oneLine(typeDoc)) {
		open = append(open, `where it may be called ("from any goroutine", "in a task", "on the loop")`)
	}
	return open
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func typeDocs(sources []*source) map[string]string {
	docs := map[string]string{}
	for _, s := range sources {
		for _, decl := range s.ast.Decls {
			d, ok := decl.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, spec := range d.Specs {
				if ts, ok := spec.(*ast.TypeSpec); ok {
					docs[ts.Name.Name] = d.Doc.Text() + ts.Doc.Text()
				}
			}
		}
	}
	return docs
}

// takesContext reports whether the first parameter is a context.Context.
func takesContext(d *ast.FuncDecl) bool {
	params := d.Type.Params.List
	if len(params) == 0 {
		return false
	}
	sel, ok := params[0].Type.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := sel.X.(*ast.Ident)
	return ok && pkg.Name == "context" && sel.Sel.Name == "Context"
}

func reportUnused(t *testing.T, table map[string]string, used map[string]bool) {
	t.Helper()
	for name, why := range table {
		if !used[name] {
			t.Errorf("the exception for %s is not needed any more: take it out", name)
		}
		if why == "" {
			t.Errorf("the exception for %s has no reason", name)
		}
	}
}

// Every package says what it is, once, in a comment that begins as go doc
// wants it.
func TestPackagesHaveDocs(t *testing.T) {
	tr := theTree(t)
	docs := map[string][]string{}
	for _, s := range tr.sources {
		if s.test {
			continue
		}
		docs[s.dir] = append(docs[s.dir], "")
		if s.ast.Doc == nil {
			continue
		}
		docs[s.dir] = append(docs[s.dir], s.path)
		want := "Package " + s.ast.Name.Name + " "
		if s.ast.Name.Name == "main" {
			want = "" // a program begins with its own name, or "The"
		}
		if !strings.HasPrefix(s.ast.Doc.Text(), want) {
			t.Errorf("%s: the package's comment does not begin with %q", s.path, want)
		}
	}
	for dir, paths := range docs {
		paths = slices.DeleteFunc(paths, func(p string) bool { return p == "" })
		if len(paths) != 1 {
			t.Errorf("%s: want one package comment, have %d: %v", dir, len(paths), paths)
		}
	}
}
