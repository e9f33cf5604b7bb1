package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/aionet"
)

// idleConns is how many connections rest; the descriptors of either side must suffice.
const idleConns = 10_000

// idleRows are the rows about connections on which nothing happens: heap and stacks of the server, after each has been
// answered once.
func idleRows() []row {
	const unit, peer = "bytes", "goroutine of net in Read, 4 KiB buffer"
	return []row{
		{name: "memory of an idle connection, Protocol", unit: unit, peer: peer, budget: 0.1, fixed: idleConns, ours: idleOf("idle-protocol"), theirs: idleOf("idle-goroutines")},
		{name: "memory of an idle connection, task in io.Copy", unit: unit, peer: peer, budget: 0.6, fixed: idleConns, ours: idleOf("idle-tasks"), theirs: idleOf("idle-goroutines")},
		{name: "memory of an idle connection, task in Read, 4 KiB buffer", unit: unit, peer: peer, budget: 1.1, fixed: idleConns, ours: idleOf("idle-readers"), theirs: idleOf("idle-goroutines")},
	}
}

func init() {
	children["idle-protocol"] = idleServer(serveProtocol)
	children["idle-tasks"] = idleServer(func(started func(net.Addr)) { serveWith(started, copyAll) })
	children["idle-readers"] = idleServer(serveTasks)
	children["idle-goroutines"] = idleServer(serveGoroutines)
}

// copyAll is echoAll without a buffer while there is nothing to read.
func copyAll(c *aionet.Conn) error {
	_, err := io.Copy(c, c)
	return err
}

func serveWith(started func(net.Addr), handle func(*aionet.Conn) error) {
	_, _ = aio.Run(context.Background(), aio.Do(func(ctx context.Context) error {
		l, err := aionet.Listen(ctx, "tcp", "127.0.0.1:0")
		must(err)
		started(l.Addr())
		return aionet.Serve(ctx, l, func(_ context.Context, c *aionet.Conn) error { return handle(c) })
	}))
}

// idleServer serves, and tells what memory that takes when asked to: before there are connections, and with them.
func idleServer(serve func(started func(net.Addr))) func(int) float64 {
	return func(int) float64 {
		debug.SetGCPercent(-1)
		go serve(func(a net.Addr) { fmt.Println(a) })
		in := bufio.NewReader(os.Stdin)
		before := inUse(in)
		return inUse(in) - before
	}
}

// inUse is heap and stacks when the next line is asked for.
func inUse(in *bufio.Reader) float64 {
	_, err := in.ReadString('\n')
	must(err)
	var m runtime.MemStats
	for range 3 { // what pools hold goes with the second
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse + m.StackInuse)
}

// idleOf has a server in a process of its own hold n connections.
func idleOf(server string) func(n int) float64 {
	return func(n int) float64 {
		cmd := exec.Command(os.Args[0], "child", server+" "+strconv.Itoa(n))
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		must(err)
		stdout, err := cmd.StdoutPipe()
		must(err)
		must(cmd.Start())
		out := bufio.NewReader(stdout)
		addr, err := out.ReadString('\n')
		must(err)
		dialAndAsk(strings.TrimSpace(addr)).Close() // what is made for the first one only
		_, err = fmt.Fprintln(in, "before")
		must(err)
		all := make([]net.Conn, n)
		for i := range all {
			all[i] = dialAndAsk(strings.TrimSpace(addr))
		}
		_, err = fmt.Fprintln(in, "after")
		must(err)
		took, err := out.ReadString('\n')
		must(err)
		for _, c := range all {
			must(c.Close())
		}
		must(cmd.Wait())
		cost, err := strconv.ParseFloat(strings.TrimSpace(took), 64)
		must(err)
		return cost
	}
}

// ask is a connection that was answered once.
func dialAndAsk(addr string) net.Conn {
	c, err := net.Dial("tcp", addr)
	must(err)
	buf := make([]byte, echoSize)
	_, err = c.Write(buf)
	must(err)
	_, err = io.ReadFull(c, buf)
	must(err)
	return c
}
