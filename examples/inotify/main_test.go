//go:build linux

package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

// On virtual time: who waits reads twice, once for nothing and once for the file; who polls, each 10
// ms until 100.
func TestInotify(t *testing.T) {
	const want = `awaited: ["news"], after 2 reads
polled: ["news"], after 11 reads
`
	dir := t.TempDir()
	aiotest.Run(t, func(ctx context.Context) error {
		var out strings.Builder
		err := run(ctx, dir, &out)
		if out.String() != want {
			t.Errorf("got\n%swant\n%s", out.String(), want)
		}
		return err
	})
}

// One function for all callers: here a plain goroutine, with the context of a loop.
func TestInotify_goroutine(t *testing.T) {
	dir := t.TempDir()
	fd, err := watch(dir)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "inotify")
	defer file.Close()
	loop := aio.Start()
	defer loop.Close()
	go func() {
		for _, name := range []string{"one", "two"} {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Error(err)
			}
		}
	}()
	var names []string
	for len(names) < 2 {
		more, _, err := awaited(loop.Context(), fd)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, more...)
	}
	if want := []string{"one", "two"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}
