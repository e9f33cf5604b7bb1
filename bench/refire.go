package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// refireRows are the rows that compare the built refire with other programs. What a machine lacks
// is said in the table.
func refireRows(dir string) []row {
	scan := row{name: "refire scan, each MB of a combined log", peer: "rg -c for the same lines", budget: 1 / 0.7, fixed: 512}
	binary, err := build(dir, "refire", "../refire", "./cmd/refire")
	if err != nil {
		scan.note = err.Error()
	} else if rg, err := exec.LookPath("rg"); err != nil {
		scan.note = "rg is not installed"
	} else {
		scan.ours = scanning(dir, binary, "scan")
		scan.theirs = scanning(dir, rg, "-c", `" 5[0-9]{2} `)
	}
	return append([]row{scan}, fireRows(dir, binary, err)...)
}

// build builds a program that module, a folder, knows into dir.
func build(dir, name, module, program string) (string, error) {
	binary := filepath.Join(dir, name)
	cmd := exec.Command("go", "build", "-o", binary, program)
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build of %s: %v: %s", name, err, out)
	}
	return binary, nil
}

// scanning times a program over a log of n MB, in the page cache.
func scanning(dir, program string, args ...string) func(int) float64 {
	return func(n int) float64 {
		log := logOf(dir, n*(1<<20)/len(line(0, 200)), 1000)
		cmd := exec.Command(program, append(args, log)...)
		start := time.Now()
		must(cmd.Run())
		return float64(time.Since(start))
	}
}

// cpuSpent is the CPU time that a program took which has ended.
func cpuSpent(cmd *exec.Cmd) float64 {
	return float64(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime())
}

// logOf is the name of an access log of n lines, one in every of which ended in a 503.
func logOf(dir string, n, every int) string {
	name := filepath.Join(dir, fmt.Sprintf("%d-%d.log", n, every))
	if _, err := os.Stat(name); err == nil {
		return name
	}
	f, err := os.Create(name)
	must(err)
	w := bufio.NewWriterSize(f, 1<<20)
	for i := range n {
		status := 200
		if i%every == 0 {
			status = 503
		}
		_, _ = w.WriteString(line(i, status))
	}
	must(w.Flush())
	must(f.Close())
	return name
}

func line(i, status int) string {
	return fmt.Sprintf("192.0.2.%d - - [12/Mar/2026:14:%02d:%02d +0000] \"GET /products/%07d?page=%d HTTP/1.1\" %d 5316 \"https://shop.example/\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36\"\n",
		i%250, i/60%60, i%60, i%10_000_000, i%10, status)
}
