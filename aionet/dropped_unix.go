//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet

import (
	"os"
	"runtime"
	"slices"
	"sync"
	"syscall"

	"github.com/seed8b1f0744/aio/internal/netpoll"
)

// estate is what is left of a socket that was dropped without being closed: it does not refer to it, and neither does
// a loop, whose table knows the descriptor only.
type estate struct {
	forget runtime.Cleanup
	fd     int // immutable

	mu      sync.Mutex
	watches []netpoll.Watch // guarded by mu, as this
	file    *os.File        // that the descriptor was handed over to; nil: to none
}

// closeWhenDropped has the socket closed when nobody can reach it any more, as package net's are. It takes some memory, so
// what somebody closes for certain goes without: Serve's connections, and those of transports that it made.
func (s *socket) closeWhenDropped() {
	e := &estate{fd: int(s.fd)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.extra().estate = e
	if first := s.first.Load(); first != nil {
		e.watches = append(e.watches, first.Watch)
	}
	if b := s.handedOver(); b != nil { // by a goroutine that had to wait for the connection
		e.file = b.file
	}
	e.forget = runtime.AddCleanup(s, (*estate).close, e)
}

// close closes what a socket has left.
func (e *estate) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, w := range e.watches {
		w.Close()
	}
	if e.file != nil {
		_ = e.file.Close()
		return
	}
	_ = syscall.Close(e.fd)
}

// inherit notes what a dropped socket would leave. e may be nil.
func (e *estate) inherit(w netpoll.Watch, file *os.File) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if w != nil {
		e.watches = append(slices.DeleteFunc(e.watches, netpoll.Watch.Over), w)
	}
	if file != nil {
		e.file = file
	}
}
