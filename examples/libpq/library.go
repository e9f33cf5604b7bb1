//go:build linux

package main

import (
	"bytes"
	"errors"
	"os"
	"syscall"
)

// conn stands for what a C library of a database gives, such as libpq: a descriptor, and calls that never wait. It has
// libpq's way of asking: send, then consume what has come and look whether the answer is still busy to come.
type conn struct {
	fd   int
	come []byte // what has come of the answer, which ends with a newline
}

// open connects to a server, which is told of its end.
func open() (c *conn, server int, err error) {
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, -1, os.NewSyscallError("socketpair", err)
	}
	return &conn{fd: ends[0]}, ends[1], nil
}

// socket is PQsocket: what tells that there is something to consume.
func (c *conn) socket() int { return c.fd }

// sendQuery is PQsendQuery.
func (c *conn) sendQuery(text string) error {
	_, err := syscall.Write(c.fd, []byte(text+"\n"))
	return os.NewSyscallError("write", err)
}

// consumeInput is PQconsumeInput: it takes what has come, be it nothing.
func (c *conn) consumeInput() error {
	var buf [4096]byte
	switch n, err := syscall.Read(c.fd, buf[:]); {
	case err == syscall.EAGAIN || err == syscall.EINTR:
		return nil
	case err != nil:
		return os.NewSyscallError("read", err)
	case n == 0:
		return errors.New("the server has closed the connection")
	default:
		c.come = append(c.come, buf[:n]...)
		return nil
	}
}

// isBusy is PQisBusy: the answer is not there yet.
func (c *conn) isBusy() bool { return bytes.IndexByte(c.come, '\n') < 0 }

// getResult is PQgetResult, for who has seen that it is not busy.
func (c *conn) getResult() string {
	line, rest, _ := bytes.Cut(c.come, []byte("\n"))
	c.come = rest
	return string(line)
}

// finish is PQfinish.
func (c *conn) finish() { _ = syscall.Close(c.fd) }
