package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// pythonScript measures asyncio and uvloop; it says how we talk with it.
//
//go:embed peer_python.py
var pythonScript string

// pythonCases are the rows that the script knows. The fresh ones want a process that has done
// nothing yet.
var pythonCases = []struct {
	key   string
	fresh bool
}{
	{"spawn", false}, {"gather", false}, {"hop", false}, {"yield", false}, {"callsoon", false},
	{"post", false}, {"idle", false}, {"blocking", false}, {"executor1000", false}, {"blocking1000", false},
	{"process", false}, {"process1m", false}, {"process64m", false},
	{"memory", true}, {"timers", true},
}

// pythonPeers are asyncio and, where some python3 can import it, uvloop: on the same interpreter,
// so that the loop is the only difference. absent says why one or both are left out. The
// interpreters wait for orders until stop.
func pythonPeers() (peers []peer, absent []string, stop func()) {
	var running []*python
	stop = func() {
		for _, p := range running {
			p.stop()
		}
	}
	found := interpreters(os.Getenv("PATH"))
	if len(found) == 0 {
		return nil, []string{"asyncio and uvloop are left out: there is no python3 on PATH."}, stop
	}
	add := func(p *python, about string) {
		running = append(running, p)
		peers = append(peers, p.peer(about))
	}
	chosen := found[0]
	var fast *python
	for _, path := range found {
		if p, err := startPython(path, "uvloop"); err == nil {
			chosen, fast = path, p
			break
		}
	}
	plain, err := startPython(chosen, "asyncio")
	if err != nil {
		return nil, []string{fmt.Sprintf("asyncio and uvloop are left out: %s does not run: %v.", chosen, err)}, stop
	}
	add(plain, ": blocking calls are on the default ThreadPoolExecutor, the bounded ones on one of as many threads as cores; processes are a ProcessPoolExecutor of two; the echo is a Protocol; memory is the growth of the process.")
	if fast == nil {
		return peers, []string{"uvloop is left out: no python3 on PATH can import it."}, stop
	}
	add(fast, ": the same script. Its tasks, futures and queues are asyncio's.")
	return peers, nil, stop
}

// interpreters are the programs called python3 in the folders of path, each once.
func interpreters(path string) []string {
	var found []string
	seen := map[string]bool{}
	for _, dir := range filepath.SplitList(path) {
		name, err := exec.LookPath(filepath.Join(dir, "python3"))
		if err != nil {
			continue
		}
		real, err := filepath.EvalSymlinks(name)
		if err != nil || seen[real] {
			continue
		}
		seen[real] = true
		found = append(found, name)
	}
	return found
}

// A python is an interpreter that runs the script.
type python struct {
	path, loop string // "asyncio" or "uvloop"
	version    string
	cmd        *exec.Cmd
	orders     io.WriteCloser
	answers    *bufio.Reader
}

func startPython(path, loop string) (*python, error) {
	p := &python{path: path, loop: loop, cmd: exec.Command(path, "-c", pythonScript, loop)}
	p.cmd.Stderr = os.Stderr
	orders, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.orders, p.answers = orders, bufio.NewReader(answers)
	first, err := p.answer()
	if err != nil {
		p.stop()
		return nil, err
	}
	p.version = first.Version
	return p, nil
}

// stop ends the interpreter by ending what it reads. How it ends does not matter any more.
func (p *python) stop() {
	_ = p.orders.Close()
	_ = p.cmd.Wait()
}

func (p *python) peer(about string) peer {
	cases := map[string]func(int) float64{}
	for _, c := range pythonCases {
		cases[c.key] = func(n int) float64 {
			of := p
			if c.fresh {
				fresh, err := startPython(p.path, p.loop)
				if err != nil {
					return broken(p.loop+" "+c.key, err)
				}
				defer fresh.stop()
				of = fresh
			}
			cost, err := of.measure(c.key, n)
			if err != nil {
				return broken(p.loop+" "+c.key, err)
			}
			return cost
		}
	}
	cases["echo"] = echoOf([]string{p.path, "-c", pythonScript, p.loop, "echo"})
	return peer{name: p.loop, about: p.version + about, cases: cases}
}

func (p *python) measure(key string, n int) (float64, error) {
	if _, err := fmt.Fprintln(p.orders, key, n); err != nil {
		return 0, err
	}
	a, err := p.answer()
	if err != nil {
		return 0, err
	}
	if a.Cost == nil {
		return 0, fmt.Errorf("it told no cost of %s", key)
	}
	return *a.Cost, nil
}

// An answer is a line that the script writes.
type answer struct {
	Version string
	Cost    *float64
	Error   string
}

func (p *python) answer() (answer, error) {
	line, err := p.answers.ReadBytes('\n')
	if err != nil {
		return answer{}, fmt.Errorf("it has ended: %w", err)
	}
	return parseAnswer(line)
}

func parseAnswer(line []byte) (answer, error) {
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return answer{}, fmt.Errorf("it wrote %q: %w", line, err)
	}
	switch {
	case a.Error != "":
		return answer{}, errors.New(a.Error)
	case a.Cost == nil && a.Version == "":
		return answer{}, fmt.Errorf("it wrote %q, which is no answer", line)
	}
	return a, nil
}
