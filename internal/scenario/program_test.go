package scenario_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/internal/scenario"
)

// What a difference is printed as compiles.
func TestGoProgram_compiles(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", fmt.Sprintf("module programs\n\ngo 1.26\n\nrequire github.com/seed8b1f0744/aio v0.0.0\n\nreplace github.com/seed8b1f0744/aio => %s\n", root))
	var b strings.Builder
	b.WriteString("package programs\n\nimport (\n\t\"context\"\n\t\"errors\"\n\t\"fmt\"\n\t\"time\"\n\n\t\"github.com/seed8b1f0744/aio\"\n)\n\n" +
		"var _ = errors.New\nvar _ = fmt.Sprint\nvar _ time.Duration\n\nfunc tell(string) func(...any) { return func(...any) {} }\n" +
		"func within(context.Context, time.Duration, func(context.Context) error) error { return nil }\n\n")
	for i, s := range generated(80) {
		b.WriteString(s.GoFunction(fmt.Sprintf("f%d", i)) + "\n")
	}
	write("programs.go", b.String())
	cmd := exec.CommandContext(t.Context(), "go", "vet", "-bools", "./...") // checks the types, and makes no code
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// generated is some random scenarios, without what a compiler refuses.
func generated(n int) (list []*scenario.Scenario) {
	for seed := range uint64(n) {
		list = append(list, scenario.Generate(seed))
	}
	return list
}

func TestPythonProgram_compiles(t *testing.T) {
	p := python(t, 11)
	for _, s := range generated(80) {
		if err := p.Compiles(s.PythonProgram()); err != nil {
			t.Fatalf("%v\n%s", err, s.PythonProgram())
		}
	}
}
