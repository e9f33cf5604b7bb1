//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package aio_test

import (
	"bytes"
	"context"
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/internal/doors"
)

// fdDoors are those that wait for a descriptor.
func fdDoors() []doors.Door {
	return []doors.Door{
		{Name: "Readable", Loop: true, Make: func(t testing.TB) doors.Trial {
			r, w := pipe(t)
			return doors.Trial{
				Call: func(ctx context.Context) error { return aio.Readable(ctx, r) },
				Let:  func() { _, _ = syscall.Write(w, []byte{1}) },
			}
		}},
		{Name: "Writable", Loop: true, Make: func(t testing.TB) doors.Trial {
			r, w := pipe(t)
			n := fill(t, w)
			return doors.Trial{
				Call: func(ctx context.Context) error { return aio.Writable(ctx, w) },
				Let:  func() { _, _ = syscall.Read(r, bytes.Repeat([]byte{0}, n)) },
			}
		}},
	}
}

// Not in bubbles: in one, who waits for a descriptor does not count as waiting, as the other end may be anybody's.
func TestDoors_descriptors(t *testing.T) {
	for _, d := range fdDoors() {
		t.Run(d.Name, func(t *testing.T) { doors.Try(t, d, func(t *testing.T, body func(*testing.T)) { body(t) }, func() {}) })
	}
}
