package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/procpool"
)

func TestMain(m *testing.M) {
	procpool.Main()
	os.Exit(m.Run())
}

// The same three digests each way, in their order; the last way in other processes, one of which has crashed.
func TestLeaving(t *testing.T) {
	const want = `the loop's pool  fd382af4 in this process
the loop's pool  2c16b8b8 in this process
the loop's pool  a52b76e3 in this process
a pool of two    fd382af4 in this process
a pool of two    2c16b8b8 in this process
a pool of two    a52b76e3 in this process
two processes    fd382af4 in another process
two processes    2c16b8b8 in another process
two processes    a52b76e3 in another process
one call crashed there, with exit status 134: its last words were "libchain: assertion failed: times > 0"; the others went on
`
	var out strings.Builder
	_, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error { return leave(ctx, &out) }))
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil || out.String() != want {
		t.Errorf("%v, got\n%swant\n%s", err, out.String(), want)
	}
}
