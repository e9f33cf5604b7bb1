package main

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

const (
	echoConns = 64
	echoSize  = 64
)

// itself is a server that is one of this program's children.
func itself(child string) []string { return []string{os.Args[0], "child", child + " 0"} }

// echoOf has a server, in a process of its own, answer n requests, and tells what CPU time that took it. The
// server prints its address; when its stdin ends it prints that time.
func echoOf(server []string) func(n int) float64 {
	return func(n int) float64 {
		cost, err := echoing(server, n)
		if err != nil {
			return broken(server[0], err)
		}
		return cost
	}
}

func echoing(server []string, n int) (float64, error) {
	cmd := pinned(serverCore, server)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(err)
	stdout, err := cmd.StdoutPipe()
	must(err)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	defer func() {
		_ = in.Close()
		_ = cmd.Wait()
	}()
	out := bufio.NewReader(stdout)
	addr, err := out.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("it told no address: %w", err)
	}
	client := pinned(clientCore, []string{os.Args[0], "load", strings.TrimSpace(addr), strconv.Itoa(n)})
	client.Stderr = os.Stderr
	if err := client.Run(); err != nil {
		return 0, fmt.Errorf("its client failed: %w", err)
	}
	must(in.Close())
	took, err := out.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("it told no time: %w", err)
	}
	return strconv.ParseFloat(strings.TrimSpace(took), 64)
}

// pinned is a command that runs on one core, as far as the system can be told so, and uses only one.
func pinned(core string, args []string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], slices.Concat([]string{"pinned", core}, args)...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	return cmd
}

const (
	serverCore = "first"
	clientCore = "last"
)

// runPinned becomes the program args, on that core.
func runPinned(core string, args []string) {
	pin(core == clientCore)
	name, err := exec.LookPath(args[0])
	must(err)
	must(syscall.Exec(name, args, os.Environ()))
}

// load asks n times, at least once on each connection. All connections are in turn: the answer of one is read and
// its next request written before those of the next one. So there are always requests for the server to
// answer, as many as there are connections, and the client does no more than two system calls for each of
// them, fewer than the server: that is never left waiting by a client slower than itself.
func load(addr string, n int) {
	at := netip.MustParseAddrPort(addr)
	var fds [echoConns]int
	buf := make([]byte, echoSize)
	for i := range fds {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
		must(err)
		must(syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}))
		must(syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1))
		fds[i] = fd
	}
	for _, fd := range fds {
		must(ask(fd, buf))
	}
	rounds := max(n/echoConns, 1)
	for round := range rounds {
		for _, fd := range fds {
			must(hear(fd, buf))
			if round < rounds-1 {
				must(ask(fd, buf))
			}
		}
	}
	for _, fd := range fds {
		must(syscall.Close(fd))
	}
}

func ask(fd int, p []byte) error {
	n, err := syscall.Write(fd, p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return err
}

func hear(fd int, p []byte) error {
	for len(p) > 0 {
		n, err := syscall.Read(fd, p)
		switch {
		case err == syscall.EINTR:
		case err != nil:
			return err
		case n == 0:
			return io.ErrUnexpectedEOF
		default:
			p = p[n:]
		}
	}
	return nil
}
