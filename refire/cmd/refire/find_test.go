package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestBesides: what cannot be opened, is empty or no file is not named.
func TestBesides(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{"a.log": "x\n", "b.log": "x\n", "empty.log": ""} {
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := besides([]string{path("a.log"), path("gone.log"), dir, path("empty.log"), path("b.log")}), "; the others, by name: "+path("a.log")+", "+path("b.log"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := besides([]string{path("gone.log"), dir}); got != "" {
		t.Errorf("%q", got)
	}
}
