package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// netRows are the rows about connections: what a server's process on one processor takes, while another
// one loads it. dir is for a server that must be built.
func netRows(dir string) []row {
	tasks, protocol := echoOf(itself("echo-tasks")), echoOf(itself("echo-protocol"))
	uv := row{name: "TCP echo, 64 connections, 64 B, server CPU of each", peer: "libuv in C", budget: 1 / 0.95, fixed: 100_000, ours: tasks}
	if server, about, err := buildLibuv(dir); err != nil {
		uv.note = err.Error()
	} else {
		uv.peer = about
		uv.theirs = echoOf(server)
	}
	return []row{
		{name: "TCP echo, 64 connections, 64 B, server CPU of each", key: "echo", peer: "goroutine per connection of net", budget: 1 / 1.1, fixed: 100_000, ours: tasks, theirs: echoOf(itself("echo-goroutines"))},
		uv,
		{name: "TCP echo as a Protocol, 64 connections, 64 B, server CPU of each", peer: "a task per connection", budget: 1, fixed: 100_000, ours: protocol, theirs: tasks},
	}
}

func init() {
	children["echo-tasks"] = echoServer(serveTasks)
	children["echo-protocol"] = echoServer(serveProtocol)
	children["echo-goroutines"] = echoServer(serveGoroutines)
}

// echoServer serves until its stdin ends, and tells what CPU time that took.
func echoServer(serve func(started func(net.Addr))) func(int) float64 {
	return func(int) float64 {
		var before float64
		go serve(func(a net.Addr) {
			before = cpuTime()
			fmt.Println(a)
		})
		_, _ = io.Copy(io.Discard, os.Stdin)
		return cpuTime() - before
	}
}

func serveTasks(started func(net.Addr)) {
	serveWith(started, func(c *aionet.Conn) error { return echoAll(c) })
}

func serveProtocol(started func(net.Addr)) {
	_, _ = aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		must(err)
		started(l.Addr())
		return aionet.ServeProtocol(ctx, l, func() aionet.Protocol { return new(echoProtocol) })
	}))
}

type echoProtocol struct{ transport *aionet.Transport }

func (e *echoProtocol) ConnectionMade(t *aionet.Transport) { e.transport = t }
func (e *echoProtocol) DataReceived(p []byte)              { e.transport.Write(p) }
func (e *echoProtocol) EOFReceived() bool                  { return false }
func (e *echoProtocol) ConnectionLost(error)               {}

func serveGoroutines(started func(net.Addr)) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	started(l.Addr())
	for {
		c, err := l.Accept()
		must(err)
		go func() {
			defer c.Close()
			_ = echoAll(c)
		}()
	}
}

func echoAll(c net.Conn) error {
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return err
		}
	}
}
