//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package aio_test

import (
	"context"
	"errors"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/internal/doors"
)

func fdDoors() []doors.Door { return nil }

func init() {
	noDoors["Readable"] = "is not supported here"
	noDoors["Writable"] = noDoors["Readable"]
}

func TestReadable_unsupported(t *testing.T) {
	l := start(t)
	for name, wait := range map[string]func(context.Context, int) error{"Readable": aio.Readable, "Writable": aio.Writable} {
		if err := wait(l.Context(), 0); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
