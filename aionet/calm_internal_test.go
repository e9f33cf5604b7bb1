//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
)

func kick(b *blocked, s *socket, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.kick(s, reading, n)
}

// While the context of one goroutine has ended, which has not left yet, the others of its side stand aside. There, too,
// each has to be reached by its own context, by Close, and by what it waits for once the one has left. In a bubble, where
// a goroutine that stands aside is told from one that waits for the descriptor, and one that is never reached is a
// deadlock at once.
func TestBlocked_standsAside(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(b *blocked, s *socket, peer int, cancel context.CancelFunc)
		want error
	}{
		"its context ends": {func(_ *blocked, _ *socket, _ int, cancel context.CancelFunc) { cancel() }, context.Canceled},
		"its context ends, then the other leaves": {func(b *blocked, s *socket, _ int, cancel context.CancelFunc) {
			cancel()
			kick(b, s, -1)
		}, context.Canceled},
		"Close": {func(_ *blocked, s *socket, _ int, _ context.CancelFunc) { s.close() }, net.ErrClosed},
		"the other leaves": {func(b *blocked, s *socket, peer int, _ context.CancelFunc) {
			if _, err := syscall.Write(peer, []byte("x")); err != nil {
				panic(err)
			}
			kick(b, s, -1)
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
				if err != nil {
					t.Fatal(err)
				}
				defer syscall.Close(fds[1])
				if err := syscall.SetNonblock(fds[0], true); err != nil {
					t.Fatal(err)
				}
				s := newSocket(fds[0], "unix")
				defer s.close()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				b, err := s.forGoroutines()
				if err != nil {
					t.Fatal(err)
				}
				kick(b, s, 1) // another's context, as far as anybody can tell
				read := make(chan error)
				go func() {
					_, err := s.read(ctx, make([]byte, 1))
					read <- err
				}()
				synctest.Wait()
				c.end(b, s, fds[1], cancel)
				if err := <-read; !errors.Is(err, c.want) {
					t.Errorf("the read: %v, want %v", err, c.want)
				}
			})
		})
	}
}
