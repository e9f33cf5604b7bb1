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
	terminal := updates(term.IsTerminal(fd))
	return &console{
		w:        f,
		terminal: terminal,
		colour:   terminal && os.Getenv("NO_COLOR") == "",
		width: func() int {
			if w, _, err := term.GetSize(fd); err == nil && w > 0 {
				return w
			}
			return 80
		},
	}
}

// updates reports whether a line can be updated: on a terminal that is not a dumb one, and not in what a CI service keeps as a log, although it may give its
// programs a terminal.
func updates(terminal bool) bool {
	return terminal && os.Getenv("TERM") != "dumb" && (os.Getenv("CI") == "" || os.Getenv("CI") == "false")
}

// say prints a line of words.
func (c *console) say(format string, args ...any) {
	c.print(safe(strings.TrimSuffix(fmt.Sprintf(format, args...), "\n")))
}

// hint prints what to do: lines of words, of which those that begin with two spaces are commands to copy.
func (c *console) hint(text string) {
	if text == "" {
		return
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = fmt.Sprintf("%-6s%s", []string{"hint:", ""}[min(i, 1)], safe(line))
	}
	c.print(lines...)
}

// print prints lines, folded on a terminal, out of the way of the status line.
func (c *console) print(lines ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := ""
	for _, line := range lines {
		if !strings.HasPrefix(line, "        ") { // a command of a hint
			line = fold(line, c.room(), hang(line))
		}
		text += line + "\n"
	}
	if c.status == "" {
		io.WriteString(c.w, text)
		return
	}
	io.WriteString(c.w, c.blank()+text+c.status)
}

// room is how wide lines may be; 0: as wide as they are, where it is no terminal.
func (c *console) room() int {
	if !c.terminal {
		return 0
	}
	return c.width()
}

// update replaces the status line by what status makes of the width there is. The cursor stays visible and behind it, so that there is nothing to restore but
// the line itself, however the program ends.
func (c *console) update(status func(width int) string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left {
		return
	}
	text := status(max(c.width()-1-echoed, 0))
	pad := max(len(c.status)-len(text), 0)
	if c.wraps() > 0 {
		io.WriteString(c.w, c.blank())
		pad = 0
	}
	io.WriteString(c.w, "\r"+text+strings.Repeat(" ", pad)+strings.Repeat("\b", pad))
	c.status = text
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

// blank erases the status line: without terminal codes, unless the window has become so narrow that the line takes several rows now.
func (c *console) blank() string {
	if rows := c.wraps(); rows > 0 {
		return fmt.Sprintf("\r\x1b[%dA\x1b[J", rows)
	}
	return "\r" + strings.Repeat(" ", len(c.status)+echoed) + "\r"
}

// echoed is the width of the ^C that a terminal shows behind the status line: it has room there, and is erased with it.
const echoed = len("^C")

// wraps is how many rows the status line takes, beside the first one.
func (c *console) wraps() int {
	if width := c.width(); width > 0 && len(c.status) > 0 {
		return (len(c.status) - 1) / width
	}
	return 0
}

// paint colours text on a terminal, unless NO_COLOR asks not to.
func (c *console) paint(code, text string) string {
	if !c.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
