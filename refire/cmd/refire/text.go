package main

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// safe returns s as one line without anything that a terminal might act on: controls, newlines included, are escaped as Go writes them.
func safe(s string) string {
	plain := true
	for _, r := range s {
		if !strconv.IsPrint(r) || r == '\uFFFD' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	quoted := strconv.Quote(s)
	return strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
}

// maxShown is how much of a stranger's text is shown, in bytes.
const maxShown = 300

// quoted is a stranger's text in quotes, ASCII only, cut where it is long.
func quoted(s string) string {
	if len(s) > maxShown {
		return strconv.QuoteToASCII(s[:maxShown]) + "..."
	}
	return strconv.QuoteToASCII(s)
}

// number writes 1234567 as 1,234,567.
func number[N int | int64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// plural is "1 line", "2 lines".
func plural[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	switch {
	case strings.HasSuffix(noun, "y"):
		noun = noun[:len(noun)-1] + "ies"
	default:
		noun += "s"
	}
	return number(n) + " " + noun
}

// span writes a duration as people read it: 340ms, 2.5s, 3m20s, 1h05m.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Second).String()
	}
}

// minFolded is how much of a line must stand beside its indent: in a window narrower than that the terminal breaks it.
const minFolded = 12

// fold breaks a line at spaces where it is wider than width, and indents what follows. Words that are too long stay whole, for they are to be copied. width 0:
// as it is.
func fold(line string, width, indent int) string {
	if width < indent+minFolded {
		return line
	}
	var b strings.Builder
	for from := indent; utf8.RuneCountInString(line) > width; {
		at := foldAt(line, width, from)
		if at < 0 {
			break
		}
		b.WriteString(strings.TrimRight(line[:at], " ") + "\n")
		line = strings.Repeat(" ", indent) + line[at+1:]
	}
	return b.String() + line
}

// foldAt is the last space within width and after from, or else the first one behind; -1: there is none.
func foldAt(line string, width, from int) int {
	column, found := 0, -1
	for i, r := range line {
		if r == ' ' && i > from {
			if column > width && found >= 0 {
				return found
			}
			found = i
			if column > width {
				return i
			}
		}
		column++
	}
	return found
}

// hang is how far the lines that follow a line of words are indented: below its words.
func hang(line string) int {
	for _, label := range []string{"refire: ", "hint: ", "      "} {
		if strings.HasPrefix(line, label) {
			return len(label)
		}
	}
	return 2
}
