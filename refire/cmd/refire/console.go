package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// console is the side for words: standard error. A line that is being updated (the progress) is put out of the way of others. It is used by the goroutines
// that print, not by the coordinator.
type console struct {
	w        io.Writer
	terminal bool
	colour   bool
	width    func() int

	mu     sync.Mutex
	status string // guarded by mu: the line being updated, on a terminal
	left   bool   // guarded by mu: nothing is updated any more
}

func newConsole(f *os.File) *console {
	fd := int(f.Fd())
	terminal := term.IsTerminal(fd)
	return &console{
		w:        f,
		terminal: terminal,
		colour:   terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		width: func() int {
			if w, _, err := term.GetSize(fd); err == nil && w > 0 {
				return w
			}
			return 80
		},
	}
}

// say prints a line of words.
func (c *console) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	line := safe(strings.TrimSuffix(fmt.Sprintf(format, args...), "\n")) + "\n"
	if c.status == "" {
		io.WriteString(c.w, line)
		return
	}
	io.WriteString(c.w, c.blank()+line+c.status)
}

// update replaces the status line. Empty: takes it away.
func (c *console) update(status string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left {
		return
	}
	if limit := c.width() - 1; len(status) > limit { // ASCII: ours
		status = status[:max(limit, 0)]
	}
	pad := max(len(c.status)-len(status), 0)
	io.WriteString(c.w, "\r"+status+strings.Repeat(" ", pad)+strings.Repeat("\b", pad))
	if c.status = status; status == "" {
		io.WriteString(c.w, "\r")
	}
}

// leave takes the status line away for good.
func (c *console) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.status != "" {
		io.WriteString(c.w, c.blank())
	}
	c.status, c.left = "", true
}

// blank erases the status line without terminal codes.
func (c *console) blank() string { return "\r" + strings.Repeat(" ", len(c.status)) + "\r" }

// paint colours text on a terminal, unless NO_COLOR asks not to.
func (c *console) paint(code, text string) string {
	if !c.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
