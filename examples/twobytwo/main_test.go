package main

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// printed is what run prints, line by line, in a bubble: there time passes only while everybody waits, so
// no call can take a moment more than it must.
func printed(t *testing.T, workers int) (lines []string) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		if err := run(&out, workers); err != nil {
			t.Error(err)
		}
		lines = strings.Split(strings.TrimSpace(out.String()), "\n")
	})
	return lines
}

func TestTwobytwo(t *testing.T) {
	got := printed(t, 2)
	slices.Sort(got) // both workers are done at the same time
	want := []string{"2s ann measured 1", "2s bob measured 1", "4s ann measured 2", "4s bob measured 2", "four calls of 2s on a pool of 2: 4s"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// It is the second worker that makes the difference.
func TestTwobytwo_withOneWorker(t *testing.T) {
	got := printed(t, 1)
	for i, line := range got[:len(got)-1] {
		got[i], _, _ = strings.Cut(line, " ") // whose turn it is at the one worker is left open
	}
	want := []string{"2s", "4s", "6s", "8s", "four calls of 2s on a pool of 1: 8s"}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
