package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	fireConns    = 64
	fireRequests = fireConns * 300
)

// fireRows compare what firing a request costs refire's process with what it costs others. Each is a whole program, start and end included: refire also reads
// the log and writes a line for each outcome. All ask the same server, which is a process on a processor of its own; they share another one. Budgets are those
// of requests for each second of CPU, turned over.
func fireRows(dir, refire string, notBuilt error) []row {
	const name = "refire run, client CPU of each request"
	rows := []row{
		{name: name, peer: "hey", budget: 1 / 2.0, fixed: fireRequests},
		{name: name, peer: "k6", budget: 1 / 2.0, fixed: fireRequests},
		{name: name, peer: "64 goroutines with one http.Client", budget: 1 / 1.6, fixed: fireRequests},
		{name: name, peer: "refire run --client net/http", budget: 1 / 1.6, fixed: fireRequests},
		{name: name, peer: "wrk, one thread", budget: 1 / 0.7, fixed: fireRequests},
	}
	if notBuilt == nil && runtime.GOOS != "linux" {
		notBuilt = fmt.Errorf("no taskset on %s", runtime.GOOS)
	}
	if notBuilt == nil {
		_, notBuilt = exec.LookPath("taskset")
	}
	if notBuilt != nil {
		for i := range rows {
			rows[i].note = notBuilt.Error()
		}
		return rows
	}
	f := &firing{dir: dir, refire: refire}
	for i, theirs := range []func() (func(n int) float64, error){f.hey, f.k6, f.plain, f.threads, f.wrk} {
		run, err := theirs()
		if err != nil {
			rows[i].note = err.Error()
			continue
		}
		rows[i].ours, rows[i].theirs = f.fire("loop"), run
	}
	return rows
}

// firing is what the rows share: the server, which is started when it is first needed.
type firing struct {
	dir, refire string
	server      sync.Once
	base        string
	alive       io.Closer // the server's stdin
}

// client runs a program on the processor that clients have.
func (f *firing) client(env []string, program string, args ...string) *exec.Cmd {
	cmd := exec.Command("taskset", append([]string{"-c", "0", program}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

// cost is the CPU time of a client that must succeed: one whose requests fail is quick.
func (f *firing) cost(cmd *exec.Cmd) float64 {
	cmd.Stderr = new(strings.Builder)
	if err := cmd.Run(); err != nil {
		return broken(strings.Join(cmd.Args, " "), fmt.Errorf("%w: %s", err, cmd.Stderr))
	}
	return cpuSpent(cmd)
}

// at is the server's URL.
func (f *firing) at() string {
	f.server.Do(func() {
		cmd := exec.Command("taskset", "-c", strconv.Itoa(min(1, runtime.NumCPU()-1)), os.Args[0], "child", "fire-server 0")
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe() // ends with this program, and so does the server
		must(err)
		stdout, err := cmd.StdoutPipe()
		must(err)
		must(cmd.Start())
		addr, err := bufio.NewReader(stdout).ReadString('\n')
		must(err)
		f.alive, f.base = in, "http://"+strings.TrimSpace(addr)
	})
	return f.base
}

func (f *firing) fire(client string) func(n int) float64 {
	return func(n int) float64 {
		out := filepath.Join(f.dir, strconv.FormatInt(time.Now().UnixNano(), 10)+".log")
		defer os.Remove(out)
		return f.cost(f.client(nil, f.refire, "run", "--client", client, "--concurrency", strconv.Itoa(fireConns), "--progress", "off",
			"--base", f.at(), "--out", out, logOf(f.dir, n, 1)))
	}
}

func (f *firing) threads() (func(n int) float64, error) { return f.fire("net/http"), nil }

func (f *firing) hey() (func(n int) float64, error) {
	hey, err := build(f.dir, "hey", ".", "github.com/rakyll/hey")
	return func(n int) float64 {
		return f.cost(f.client(nil, hey, "-n", strconv.Itoa(n), "-c", strconv.Itoa(fireConns), f.at()+"/"))
	}, err
}

// k6Script is its documentation's first one, told not to keep what it does not need.
const k6Script = `import http from 'k6/http';
export const options = { vus: %d, iterations: %d, discardResponseBodies: true };
export default function () { http.get('%s/'); }
`

func (f *firing) k6() (func(n int) float64, error) {
	k6, err := exec.LookPath("k6")
	if err != nil {
		return nil, fmt.Errorf("k6 is not on PATH (go install go.k6.io/k6@v1.8.1 takes minutes, so it is not built here)")
	}
	return func(n int) float64 {
		script := filepath.Join(f.dir, "k6.js")
		must(os.WriteFile(script, fmt.Appendf(nil, k6Script, fireConns, n, f.at()), 0o600))
		return f.cost(f.client([]string{"K6_NO_USAGE_REPORT=true"}, k6, "run", "--quiet", "--no-summary", script))
	}, nil
}

func (f *firing) plain() (func(n int) float64, error) {
	return func(n int) float64 {
		return f.cost(f.client([]string{"BENCH_BASE=" + f.at()}, os.Args[0], "child", "fire-plain "+strconv.Itoa(n)))
	}, nil
}

var wrkRequests = regexp.MustCompile(`(\d+) requests in `)

// wrk fires for a time, and not a number of requests.
func (f *firing) wrk() (func(n int) float64, error) {
	wrk, err := exec.LookPath("wrk")
	if err != nil {
		return nil, fmt.Errorf("wrk is not installed")
	}
	return func(n int) float64 {
		cmd := f.client(nil, wrk, "-t", "1", "-c", strconv.Itoa(fireConns), "-d", "1s", f.at()+"/")
		out, err := cmd.Output()
		found := wrkRequests.FindSubmatch(out)
		if err != nil || found == nil {
			return broken("wrk", fmt.Errorf("%w: %s", err, out))
		}
		requests, _ := strconv.ParseFloat(string(found[1]), 64)
		return cpuSpent(cmd) / requests * float64(n)
	}, nil
}

func init() {
	children["fire-server"] = fireServer
	children["fire-plain"] = firePlain
}

// fireServer answers anything with a short body until its stdin ends.
func fireServer(int) float64 {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Println(l.Addr())
	answer := []byte("recovered\n")
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) }))
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

// firePlain is what one writes first.
func firePlain(n int) float64 {
	base := os.Getenv("BENCH_BASE")
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: fireConns}, Timeout: 10 * time.Second}
	var all sync.WaitGroup
	for range fireConns {
		all.Go(func() {
			for range n / fireConns {
				resp, err := client.Get(base + "/")
				must(err)
				_, err = io.Copy(io.Discard, resp.Body)
				must(err)
				must(resp.Body.Close())
			}
		})
	}
	all.Wait()
	return 0
}
