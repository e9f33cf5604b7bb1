//go:build linux

package aionet

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aiotest"
)

// hanging is an address that does not answer: a listener that takes nobody, and whose queue is full.
func hanging(t *testing.T) target {
	t.Helper()
	fd, err := newDescriptor(syscall.AF_INET, syscall.SOCK_STREAM)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	sa, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // which fill it
		one, err := newDescriptor(syscall.AF_INET, syscall.SOCK_STREAM)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = syscall.Close(one) })
		if err := syscall.Connect(one, sa); err != nil && err != syscall.EINPROGRESS {
			t.Fatal(err)
		}
	}
	return ip4(sa.(*syscall.SockaddrInet4).Port)
}

// refusing is an address that nobody listens at.
func refusing(t *testing.T) target {
	a := answering(t)
	return target{network: "tcp4", ip: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 2}), a.ip.Port())}
}

func answering(t *testing.T) target {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return ip4(l.Addr().(*net.TCPAddr).Port)
}

func ip4(port int) target {
	return target{network: "tcp4", ip: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))}
}

// An address that hangs holds up the next one for 250 ms and no longer, one that fails not at all; the first that
// answers is taken, and what else has begun is over when the dial is. On the test's clock.
func TestDialer_race(t *testing.T) {
	hang, refuse, answer := hanging(t), refusing(t), answering(t)
	for name, c := range map[string]struct {
		targets []target
		asked   int // how many are begun with
		takes   time.Duration
		err     error
		at      target
	}{
		"the first answers":       {[]target{answer, hang}, 1, 0, nil, answer},
		"the first hangs":         {[]target{hang, answer}, 2, nextAfter, nil, answer},
		"two hang":                {[]target{hang, hang, answer, hang}, 3, 2 * nextAfter, nil, answer},
		"the first fails":         {[]target{refuse, answer}, 2, 0, nil, answer},
		"one hangs, one fails":    {[]target{hang, refuse, answer}, 3, nextAfter, nil, answer},
		"all fail":                {[]target{refuse, refuse}, 2, 0, syscall.ECONNREFUSED, refuse},
		"all hang until its time": {[]target{hang, hang}, 2, time.Second, context.DeadlineExceeded, hang},
	} {
		t.Run(name, func(t *testing.T) {
			aiotest.Run(t, func(ctx context.Context) error {
				l, _ := aio.LoopOf(ctx)
				began, asked := l.Now(), 0
				limited, stop := aio.WithTimeout(ctx, time.Second)
				defer stop()
				d := Dialer{Control: func(string, string) error { asked++; return nil }}
				s, at, err := d.race(limited, c.targets)
				if took := l.Now().Sub(began); took != c.takes {
					t.Errorf("it took %v, want %v", took, c.takes)
				}
				if asked != c.asked {
					t.Errorf("%d addresses were begun with, want %d", asked, c.asked)
				}
				if !errors.Is(err, c.err) || at.String() != c.at.addr().String() {
					t.Errorf("got %v, %v, want %v, %v", at, err, c.at.addr(), c.err)
				}
				if (s != nil) != (c.err == nil) {
					t.Errorf("the connection is %v, with %v", s, err)
				}
				if s != nil {
					s.close()
				}
				for dialing(l) { // for ever, if nobody ended it
					if err := aio.Yield(ctx); err != nil {
						return err
					}
				}
				return nil
			})
		})
	}
}

// dialing reports whether an address is still tried.
func dialing(l *aio.Loop) bool {
	return slices.ContainsFunc(l.Tasks(), func(i aio.TaskInfo) bool { return strings.HasPrefix(i.Name, "dial") })
}

// When the dial's ctx ends so does all that has begun, in a task and in a goroutine.
func TestDialer_raceCancelled(t *testing.T) {
	hang := hanging(t)
	if _, err := aio.Run(t.Context(), aio.Do(func(ctx context.Context) error {
		race := func(ctx context.Context) error {
			inner, cancel := context.WithCancelCause(ctx)
			defer cancel(nil)
			enough := errors.New("enough")
			d := Dialer{Control: func(string, string) error { cancel(enough); return nil }}
			s, _, err := d.race(inner, []target{hang, hang})
			if s != nil || !errors.Is(err, context.Canceled) || !errors.Is(err, enough) {
				t.Errorf("got %v, %v", s, err)
			}
			return nil
		}
		if err := race(ctx); err != nil {
			return err
		}
		_, err := aio.Blocking(ctx, aio.Do(race))
		return err
	})); err != nil {
		t.Error(err)
	}
}
