//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
)

// TestLogOfTheTarget: the log that is read is the one that the server under fire appends to, and all fails again. What was there when the run began is
// fired once each, what the run itself has caused is not; else a run would never end.
func TestLogOfTheTarget(t *testing.T) {
	const entries = 6000
	for _, from := range []string{"file", "standard input"} {
		t.Run(from, func(t *testing.T) {
			dir := t.TempDir()
			log := filepath.Join(dir, "access.log")
			var text strings.Builder
			for i := range entries { // longer than what is read at once
				text.WriteString(failedEntry("/" + strconv.Itoa(i) + strings.Repeat("x", 300)))
			}
			appendTo(t, log, text.String())
			var mu sync.Mutex
			asked := 0 // guarded by mu
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				if asked++; asked <= 2*entries { // it must end some time
					appendTo(t, log, failedEntry(r.RequestURI))
				}
				w.WriteHeader(http.StatusInternalServerError)
			}))
			defer s.Close()
			cmd := child(t, "run", "--base", s.URL, "--out", filepath.Join(dir, "retry.log"), log)
			if from != "file" {
				f, err := os.Open(log)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				cmd.Args[len(cmd.Args)-1], cmd.Stdin = "-", f
			}
			out, err := cmd.CombinedOutput()
			mu.Lock()
			defer mu.Unlock()
			if code := exitCode(err); code != 1 || asked != entries || bytes.Contains(out, []byte("bad lines")) {
				t.Errorf("exit code %d, %d requests; want 1, %d\n%s", code, asked, entries, out)
			}
		})
	}
}

// TestFollowLogOfTheTarget: the log that is followed is that of the server that is fired at, where all fails again. What others asked for is fired once, by
// this run and by the next, with a User-Agent in the log; without one refire says what is going on.
func TestFollowLogOfTheTarget(t *testing.T) {
	const entries = 40
	for _, agents := range []bool{true, false} {
		dir := t.TempDir()
		log := filepath.Join(dir, "access.log")
		write := func(target, agent string) {
			end := ""
			if agents {
				end = fmt.Sprintf(" \"-\" %q", agent)
			}
			appendTo(t, log, fmt.Sprintf("192.0.2.1 - - [%s] \"GET %s HTTP/1.1\" 500 0%s\n", time.Now().Format("02/Jan/2006:15:04:05 -0700"), target, end))
		}
		for i := range entries {
			write("/"+strconv.Itoa(i%7), "a client")
		}
		var mu sync.Mutex
		asked := 0 // guarded by mu
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			write(r.RequestURI, r.UserAgent())
			asked++
			w.WriteHeader(http.StatusInternalServerError)
		}))
		runs := []string{"--follow-for=3s", "--follow-for=300ms", "--progress=off"} // the last one does not follow
		if !agents {
			runs = []string{"--follow"} // until --max
		}
		for _, how := range runs {
			args := []string{"run", "--base", s.URL, "--breaker", "0", "--max", "400", "--out", filepath.Join(dir, "retry.log"), how, log}
			out, err := child(t, args...).CombinedOutput()
			mu.Lock()
			n, text := asked, string(out)
			mu.Unlock()
			warned := strings.Contains(text, "just like what this run has sent")
			switch {
			case exitCode(err) != 1:
				t.Errorf("%s: exit code %d\n%s", how, exitCode(err), text)
			case agents && (n != entries || warned || !strings.Contains(text, string(refire.OwnRequest))):
				t.Errorf("%s: %d requests, want %d\n%s", how, n, entries, text)
			case !agents && !warned:
				t.Errorf("%s: %d requests, and no warning\n%s", how, n, text)
			}
		}
		s.Close()
	}
}
