//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package aionet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/seed8b1f0744/aio/internal/netpoll"
)

const supported = false

var errUnsupported = fmt.Errorf("aio: connections can't be waited for on this system; use package net in aio.Blocking: %w", errors.ErrUnsupported)

const (
	reading = netpoll.In
	writing = netpoll.Out
)

// socket can't be had on this system: whatever makes one says so. The methods are as on other systems;
// nobody gets to call them.
type socket struct {
	stream bool
	local  net.Addr
	remote net.Addr
}

func (*socket) network() string                                         { return "" }
func (*socket) closeWhenDropped()                                       {}
func (*socket) close() bool                                             { return false }
func (*socket) isClosed() bool                                          { return true }
func (*socket) endsShort() bool                                         { return false }
func (*socket) closeRead() error                                        { return errUnsupported }
func (*socket) closeWrite() error                                       { return errUnsupported }
func (*socket) setDeadline(int, time.Time) error                        { return errUnsupported }
func (*socket) control(func(uintptr)) error                             { return errUnsupported }
func (*socket) poll(context.Context, int, func(uintptr) bool) error     { return errUnsupported }
func (*socket) read(context.Context, []byte) (int, error)               { return 0, errUnsupported }
func (*socket) write(context.Context, []byte) (int, error)              { return 0, errUnsupported }
func (*socket) writeBuffers(context.Context, *net.Buffers) (int, error) { return 0, errUnsupported }
func (*socket) receiveFrom(context.Context, []byte) (int, net.Addr, error) {
	return 0, nil, errUnsupported
}
func (*socket) sendTo(context.Context, []byte, net.Addr) error         { return errUnsupported }
func (*socket) accept(context.Context) (*socket, error)                { return nil, errUnsupported }
func (*socket) contextOf(ctx context.Context) (context.Context, error) { return ctx, errUnsupported }
func (*socket) register(context.Context) (netpoll.Watch, error)        { return nil, errUnsupported }
func (*socket) tryRead([]byte) (int, bool, error)                      { return 0, false, errUnsupported }
func (*socket) tryPeek() (bool, error)                                 { return false, errUnsupported }
func (*socket) tryWrite([]byte) (int, bool, error)                     { return 0, false, errUnsupported }
func (*socket) readBorrowed(context.Context) (*[copyBytes]byte, int, error) {
	return nil, 0, errUnsupported
}

func connectSocket(context.Context, target, time.Duration) (*socket, error) {
	return nil, errUnsupported
}

func bound(context.Context, string, string) (*socket, net.Addr, error) {
	return nil, nil, errUnsupported
}
