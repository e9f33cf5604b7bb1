//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestEnding: while a run goes on, after Ctrl-C and after kill -9, a report does not take what has recovered for all there was; another run to the end puts that
// right.
func TestEnding(t *testing.T) {
	for sent, want := range map[syscall.Signal]string{
		syscall.SIGINT:  "not finished: interrupted, 20",
		syscall.SIGKILL: " was killed\n",
	} {
		t.Run(sent.String(), func(t *testing.T) {
			dir := t.TempDir()
			log, out, page := writeLog(t, dir, 9), filepath.Join(dir, "retry.log"), filepath.Join(dir, "out.html")
			started, told, during := make(chan *os.Process, 1), make(chan struct{}), make(chan string, 1)
			report := func() (int, string) {
				text, err := child(t, "report", out).CombinedOutput()
				return exitCode(err), string(text)
			}
			s := newCounter(func(n int) {
				if n != 2 {
					return
				}
				code, text := report()
				if code != exitStillFails {
					t.Errorf("report while it goes on: exit code %d", code)
				}
				during <- text
				(<-started).Signal(sent)
				<-told
			})
			defer s.Close()
			cmd := child(t, "run", "--base", s.URL, "--out", out, "--concurrency", "1", log)
			told2 := watchWords(t, cmd, "ending what is under way", func() { close(told) })
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			started <- cmd.Process
			<-told2
			_ = cmd.Wait()
			if sent == syscall.SIGKILL {
				close(told)
			}
			if text := <-during; !strings.Contains(text, "not finished: the run that began ") || !strings.Contains(text, " goes on (process ") || strings.Contains(text, "hint:") {
				t.Errorf("report while it goes on:\n%s", text)
			}
			code, text := report()
			if code != exitStillFails || !strings.Contains(text, want) || !strings.Contains(text, "hint: the command of that run") {
				t.Errorf("report: exit code %d\n%s", code, text)
			}
			if err := child(t, "report", "--html", page, out).Run(); exitCode(err) != exitStillFails {
				t.Error(err)
			}
			if html, err := os.ReadFile(page); err != nil || !strings.Contains(string(html), "<h1>Not finished: ") {
				t.Errorf("%v; the page's headline does not say it", err)
			}
			if output, err := child(t, "run", "--base", s.URL, "--out", out, log).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, output)
			}
			if code, text := report(); code != exitRecovered || strings.Contains(text, "not finished") {
				t.Errorf("report after a run to the end: exit code %d\n%s", code, text)
			}
		})
	}
}
