//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package aio

import (
	"context"
	"errors"
	"syscall"
	"testing"

	"github.com/seed8b1f0744/aio/internal/selector"
)

// withTable runs fn on a loop with its table of descriptors and both ends of a stream.
func withTable(t *testing.T, fn func(d *descriptors, fd, peer int)) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = syscall.Close(fds[0]), syscall.Close(fds[1]) }()
	told := WithHooks(Hooks{Unhandled: func(f Failure) { t.Errorf("unhandled: %v", f.Err) }})
	_, err = Run(t.Context(), Do(func(ctx context.Context) error {
		l, _ := LoopOf(ctx)
		d, err := l.descriptors()
		if err == nil {
			fn(d, fds[0], fds[1])
		}
		return err
	}), told)
	if err != nil {
		t.Error(err)
	}
}

// A connection at rest, for which nobody waits, stays what it is when all that is watched moves into a new set: it is reported
// each time that something comes.
func TestDescriptors_renewRestingEdge(t *testing.T) {
	withTable(t, func(d *descriptors, fd, peer int) {
		w, err := d.loop.watchOwned(fd)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		d.mu.Lock()
		d.renew()
		d.mu.Unlock()
		for range 2 {
			d.sel.Poll(&d.batch) // that there is room to write
			d.deliver(&d.batch)
			w.Clear(reading)
			if _, err := syscall.Write(peer, []byte("x")); err != nil {
				t.Fatal(err)
			}
			d.sel.Poll(&d.batch)
			d.deliver(&d.batch)
			if !w.Known(reading) {
				t.Error("it is not known that something has come")
			}
			if n, err := syscall.Read(fd, make([]byte, 9)); n != 1 || err != nil {
				t.Errorf("read %d, %v", n, err)
			}
		}
	})
}

// What is lost though its descriptor is open, as the system can't watch it any more or it got an owner, leaves the set, too.
func TestDescriptors_loseOpen(t *testing.T) {
	withTable(t, func(d *descriptors, fd, peer int) {
		if _, err := syscall.Write(peer, []byte("x")); err != nil {
			t.Fatal(err)
		}
		d.mu.Lock()
		a, err := d.watch(fd, selector.In)
		if err == nil {
			d.lose(a, errors.New("can't be watched any more"))
		}
		d.mu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		if d.sel.Poll(&d.batch) {
			t.Errorf("it is reported: %+v", d.batch.At(0))
		}
	})
}
