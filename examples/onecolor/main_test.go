package main

import (
	"strings"
	"testing"
	"testing/synctest"
)

// The function works from all sides, holds nobody up but who waits for it, and does its work once.
func TestOnecolor(t *testing.T) {
	const want = `main:          sun over Oslo (told to a goroutine, blocked)
another task:  runs meanwhile
a loop's task: sun over Rome (told to a task, suspended)
a loop's task: sun over Rome (told to a task, suspended)
seven calls, three cities: the service was asked 3 times
`
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		if err := run(&out); err != nil || out.String() != want {
			t.Errorf("%v, got\n%swant\n%s", err, out.String(), want)
		}
	})
}
