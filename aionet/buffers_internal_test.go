//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package aionet

import (
	"net"
	"syscall"
	"testing"
)

// Several small buffers are one call to the system.
func TestOperation_writev(t *testing.T) {
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_DGRAM, 0) // which keeps apart what is written apart
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = syscall.Close(ends[0]), syscall.Close(ends[1]) }()
	o := operation{kind: opWritev, vec: &net.Buffers{nil, []byte("one "), []byte("two "), nil, []byte("three"), nil}}
	if errno := o.try(ends[0]); errno != 0 || !o.over || len(*o.vec) != 0 {
		t.Errorf("after one try: %v, over %v, %d buffers left", errno, o.over, len(*o.vec))
	}
	var got [64]byte
	n, err := syscall.Read(ends[1], got[:])
	if err != nil || string(got[:n]) != "one two three" {
		t.Errorf("one read got %q, %v", got[:n], err)
	}
}
