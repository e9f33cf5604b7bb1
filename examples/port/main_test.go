package main

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
)

// The program prints what its original printed: port.txt is the output of port.py, from CPython 3.13.0.
func TestPort_printsWhatTheOriginalPrints(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out")
	printed, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = printed
	defer func() { os.Stdout = stdout }()
	synctest.Test(t, func(*testing.T) { main() })
	if err := printed.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("port.txt")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("got\n%swant, as CPython printed it,\n%s", got, want)
	}
}
