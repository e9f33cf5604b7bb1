package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// netRows are the rows about connections: what a server's process on one processor takes, while another
// one loads it.
func netRows() []row {
	return []row{
		{name: "TCP echo, 64 connections, 64 B, server CPU of each", key: "echo", peer: "goroutine per connection of net", budget: 1 / 1.1, fixed: 200_000, ours: echoOf("echo-tasks"), theirs: echoOf("echo-goroutines")},
		{name: "TCP echo as a Protocol, 64 connections, 64 B, server CPU of each", peer: "a task per connection", budget: 1, fixed: 200_000, ours: echoOf("echo-protocol"), theirs: echoOf("echo-tasks")},
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

const (
	echoConns = 64
	echoSize  = 64
)

// echoOf has a server in a process of its own answer n requests.
func echoOf(server string) func(n int) float64 {
	return func(n int) float64 {
		cmd := exec.Command(os.Args[0], "child", server+" "+strconv.Itoa(n))
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		must(err)
		stdout, err := cmd.StdoutPipe()
		must(err)
		must(cmd.Start())
		out := bufio.NewReader(stdout)
		addr, err := out.ReadString('\n')
		must(err)
		load(strings.TrimSpace(addr), n)
		must(in.Close())
		took, err := out.ReadString('\n')
		must(err)
		must(cmd.Wait())
		cost, err := strconv.ParseFloat(strings.TrimSpace(took), 64)
		must(err)
		return cost
	}
}

// load asks n times, on all connections at the same time.
func load(addr string, n int) {
	var all sync.WaitGroup
	for range echoConns {
		all.Go(func() {
			c, err := net.Dial("tcp", addr)
			must(err)
			defer c.Close()
			buf := make([]byte, echoSize)
			for range n / echoConns {
				_, err := c.Write(buf)
				must(err)
				_, err = io.ReadFull(c, buf)
				must(err)
			}
		})
	}
	all.Wait()
}
