package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// refireRows are the rows that compare the built refire with other programs. What a machine lacks
// is said in the table.
func refireRows(dir string) []row {
	binary, err := build(dir, "refire", "../refire", "./cmd/refire")
	rows := []row{
		scanRow(dir, binary, err, row{name: "refire scan, each MB of a combined log", peer: "rg -c for the same lines", budget: 1 / 0.7, fixed: 512},
			plainLog, "rg", "-c", `" 5[0-9]{2} `),
		scanRow(dir, binary, err, row{name: "refire scan, each MB in a gzip of it", peer: "rg -z -c for the same lines", budget: 1, fixed: 256},
			packedLog, "rg", "-z", "-c", `" 5[0-9]{2} `),
		scanRow(dir, binary, err, row{name: "refire scan, each MB of JSON lines (Caddy)", peer: "jq for the same lines", budget: 0.1, fixed: 128},
			jsonLog, "jq", "-c", "select(.status >= 500) | .request.uri"),
	}
	return append(rows, fireRows(dir, binary, err)...)
}

// scanRow completes a row about logs that write makes, each of n MB, with the program that does the same.
func scanRow(dir, refire string, err error, r row, write func(dir string, n int) string, program string, args ...string) row {
	if err != nil {
		r.note = err.Error()
	} else if theirs, err := exec.LookPath(program); err != nil {
		r.note = program + " is not installed"
	} else {
		r.ours = scanning(dir, write, refire, "scan")
		r.theirs = scanning(dir, write, theirs, args...)
	}
	return r
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
func scanning(dir string, write func(dir string, n int) string, program string, args ...string) func(int) float64 {
	return func(n int) float64 {
		cmd := exec.Command(program, append(args, write(dir, n))...)
		start := time.Now()
		must(cmd.Run())
		return float64(time.Since(start))
	}
}

// cpuSpent is the CPU time that a program took which has ended.
func cpuSpent(cmd *exec.Cmd) float64 {
	return float64(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime())
}

func plainLog(dir string, megabytes int) string {
	return logOf(dir, megabytes*(1<<20)/len(line(0, 200)), 1000)
}

func packedLog(dir string, megabytes int) string {
	plain := plainLog(dir, megabytes)
	return fileOf(plain+".gz", func(w io.Writer) {
		z := gzip.NewWriter(w)
		f, err := os.Open(plain)
		must(err)
		defer f.Close()
		_, err = io.Copy(z, f)
		must(err)
		must(z.Close())
	})
}

func jsonLog(dir string, megabytes int) string {
	n := megabytes * (1 << 20) / len(jsonLine(0, 200))
	return linesOf(filepath.Join(dir, fmt.Sprintf("%d.json", n)), n, 1000, jsonLine)
}

// logOf is the name of an access log of n lines, one in every of which ended in a 503.
func logOf(dir string, n, every int) string {
	return linesOf(filepath.Join(dir, fmt.Sprintf("%d-%d.log", n, every)), n, every, line)
}

func linesOf(name string, n, every int, line func(i, status int) string) string {
	return fileOf(name, func(w io.Writer) {
		for i := range n {
			status := 200
			if i%every == 0 {
				status = 503
			}
			_, _ = io.WriteString(w, line(i, status))
		}
	})
}

// fileOf makes a file, if it is not there yet.
func fileOf(name string, write func(w io.Writer)) string {
	if _, err := os.Stat(name); err == nil {
		return name
	}
	f, err := os.Create(name)
	must(err)
	w := bufio.NewWriterSize(f, 1<<20)
	write(w)
	must(w.Flush())
	must(f.Close())
	return name
}

func line(i, status int) string {
	return fmt.Sprintf("192.0.2.%d - - [12/Mar/2026:14:%02d:%02d +0000] \"GET /products/%07d?page=%d HTTP/1.1\" %d 5316 \"https://shop.example/\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36\"\n",
		i%250, i/60%60, i%60, i%10_000_000, i%10, status)
}

// jsonLine is a line of Caddy's access log.
func jsonLine(i, status int) string {
	return fmt.Sprintf(`{"level":"info","ts":%d.25,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"192.0.2.%d","remote_port":"51234","client_ip":"192.0.2.%d","proto":"HTTP/2.0","method":"GET","host":"shop.example","uri":"/products/%07d?page=%d","headers":{"User-Agent":["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36"],"Accept":["*/*"]},"tls":{"resumed":false,"version":772,"cipher_suite":4865,"proto":"h2","server_name":"shop.example"}},"bytes_read":0,"user_id":"","duration":0.001929675,"size":5316,"status":%d,"resp_headers":{"Server":["Caddy"],"Content-Type":["text/html; charset=utf-8"]}}`+"\n",
		1773324000+i/60, i%250, i%250, i%10_000_000, i%10, status)
}
