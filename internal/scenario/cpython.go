package scenario

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

//go:embed judge.py
var judge string

// CPython is a python3 that runs scenarios. One goroutine at a time may use it.
type CPython struct {
	Version [3]int // 3.13.0

	cmd    *exec.Cmd
	in     *json.Encoder
	stdin  io.Closer
	out    *json.Decoder
	errors *strings.Builder
	last   int
}

// ErrNoPython says that there is no python3 to judge.
var ErrNoPython = errors.New("scenario: no python3: put one into PATH, best 3.13 or newer, or name it in $PYTHON")

// StartPython starts the judge: $PYTHON, or the first in PATH that works and knows all that 3.13
// does, or else any python3. Whoever calls it must Close it.
func StartPython() (*CPython, error) {
	if name := os.Getenv("PYTHON"); name != "" {
		return startPython(name)
	}
	var old *CPython
	for _, name := range []string{"python3.13", "python3.14", "python3"} {
		if _, err := exec.LookPath(name); err != nil {
			continue
		}
		p, err := startPython(name)
		switch {
		case err != nil: // a name that only says which versions it could stand for
		case p.AtLeast(13):
			return p, nil
		default:
			old = p
		}
	}
	if old == nil {
		return nil, ErrNoPython
	}
	return old, nil
}

func startPython(name string) (*CPython, error) {
	p := &CPython{errors: new(strings.Builder)}
	p.cmd = exec.Command(name, "-I", "-c", judge)
	p.cmd.Stderr = p.errors
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("scenario: %s: %w", name, err)
	}
	p.in, p.stdin, p.out = json.NewEncoder(stdin), stdin, json.NewDecoder(bufio.NewReader(stdout))
	var hello struct{ Version [3]int }
	if err := p.out.Decode(&hello); err != nil {
		ended := p.Close() // first, so that all it said is there
		return nil, errors.Join(p.broken(err), ended)
	}
	p.Version = hello.Version
	return p, nil
}

// Close ends the process.
func (p *CPython) Close() error {
	_ = p.stdin.Close() // it reads until here
	return p.cmd.Wait()
}

// AtLeast reports whether the judge is Python 3.minor or newer.
func (p *CPython) AtLeast(minor int) bool {
	return p.Version[0] > 3 || p.Version[0] == 3 && p.Version[1] >= minor
}

func (p *CPython) broken(err error) error {
	return fmt.Errorf("scenario: python does not answer: %w\n%s", err, p.errors)
}

// Compiles reports what is wrong with a Python program, which is not run.
func (p *CPython) Compiles(program string) error {
	p.last++
	if err := p.in.Encode(struct {
		ID      int    `json:"id"`
		Compile string `json:"compile"`
	}{p.last, program}); err != nil {
		return p.broken(err)
	}
	var answer struct{ Error string }
	if err := p.out.Decode(&answer); err != nil {
		return p.broken(err)
	}
	if answer.Error != "" {
		return fmt.Errorf("scenario: python: %s", answer.Error)
	}
	return nil
}

type request struct {
	ID       int      `json:"id"`
	Uses     []Object `json:"uses"`
	Body     []Step   `json:"body"`
	Faithful bool     `json:"faithful"`
	Limit    int      `json:"limit"`
}

// Ask has CPython run scenarios and returns their traces. A trace that ends with a line "stop: ..."
// is to be compared only that far; faithful: what asyncio does also where aio differs on purpose.
func (p *CPython) Ask(faithful bool, list ...*Scenario) ([][]string, error) {
	first := p.last + 1
	p.last += len(list)
	for _, s := range list {
		texts(s.Body)
	}
	go func() { // the answers must be read meanwhile
		for i, s := range list {
			if p.in.Encode(request{first + i, append([]Object{}, s.Uses...), append([]Step{}, s.Body...), faithful, Limit}) != nil {
				return // it ended: Decode tells
			}
		}
	}()
	traces := make([][]string, len(list))
	for i, s := range list {
		var answer struct {
			ID    int
			Trace []string
			Error string
		}
		if err := p.out.Decode(&answer); err != nil {
			return nil, p.broken(err)
		}
		if answer.ID != first+i {
			return nil, fmt.Errorf("scenario: python answered %d, asked was %d", answer.ID, first+i)
		}
		if answer.Error != "" {
			return nil, fmt.Errorf("scenario: python could not run %s: %s\n%s", s.Name, answer.Error, s.Program())
		}
		traces[i] = answer.Trace
	}
	return traces, nil
}
