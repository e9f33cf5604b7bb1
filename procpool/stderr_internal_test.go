package procpool

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// writes notes each call of Write.
type writes []string

func (w *writes) Write(p []byte) (int, error) {
	*w = append(*w, string(p))
	return len(p), nil
}

func copied(r io.Reader) (writes, string) {
	var w writes
	s := stderrCopy{to: &lines{to: &w}, done: make(chan struct{})}
	s.copy(r)
	return w, s.last()
}

func TestStderr_wholeLines(t *testing.T) {
	long := strings.Repeat("x", maxLine+100)
	binary := "\xff\xfe\x00\x1b[31m\n"
	for _, c := range []struct{ in, out, last string }{
		{"", "", ""},
		{"one\ntwo\n", "one\ntwo\n", "one\ntwo"},
		{"unfinished", "unfinished\n", "unfinished"},
		{"a\r\nb", "a\r\nb\n", "a\nb"},
		{long + "\nb\n", long[:maxLine] + "\n" + long[maxLine:] + "\nb\n", long[maxLine:] + "\nb"},
		{"a\tb \u00e9\u200b", "a\tb \u00e9\u200b\n", "a\tb \u00e9\uFFFD"},
		{binary, binary, "\uFFFD\uFFFD\uFFFD\uFFFD[31m"},
	} {
		for _, r := range []io.Reader{strings.NewReader(c.in), iotest.HalfReader(strings.NewReader(c.in)), iotest.DataErrReader(strings.NewReader(c.in))} {
			got, last := copied(r)
			for _, line := range got {
				if !strings.HasSuffix(line, "\n") {
					t.Errorf("%.40q: a Write of %.40q, which is no whole line", c.in, line)
				}
			}
			if out := strings.Join(got, ""); out != c.out {
				t.Errorf("%.40q: passed on %d bytes %.40q, want %d", c.in, len(out), out, len(c.out))
			}
			if last != c.last {
				t.Errorf("%.40q: last lines are %.80q, want %.80q", c.in, last, c.last)
			}
		}
	}
}

func TestStderr_keepsTheLastLines(t *testing.T) {
	var in bytes.Buffer
	for in.Len() < 40*maxTail {
		in.WriteString("a line of a worker that has much to say\n")
	}
	in.WriteString("the last one\n")
	s := stderrCopy{to: &lines{to: io.Discard}, done: make(chan struct{})}
	s.copy(&in)
	if cap(s.tail) > 16*maxTail {
		t.Errorf("%d bytes are held for the last %d", cap(s.tail), maxTail)
	}
	last := s.last()
	if len(last) > maxTail || len(last) < maxTail/2 || !strings.HasPrefix(last, "a line") || !strings.HasSuffix(last, "\nthe last one") {
		t.Errorf("kept %d bytes, from %.20q to %q", len(last), last, last[len(last)-20:])
	}
}

// Of a line that does not fit there is what does.
func TestStderr_keepsTheEndOfALine(t *testing.T) {
	line := strings.Repeat("x", 2*maxTail)
	for in, want := range map[string]string{
		line:             line[:maxTail-1],
		line + "\n":      line[:maxTail-1],
		line + "\nend\n": "end",
	} {
		if _, last := copied(strings.NewReader(in)); last != want {
			t.Errorf("of %d bytes %d were kept, from %.20q, want %d", len(in), len(last), last, len(want))
		}
	}
}

func TestLastWords(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "",
		"one\ntwo\n\n":                      "two",
		"log\npanic: boom\n\ngoroutine 1\n": "panic: boom",
		"fatal error: all asleep\nmore\n":   "fatal error: all asleep",
		"panic: old\nok\npanic: new\ngo 1":  "panic: new",
		"SIGSEGV: segmentation\nPC=0x1":     "SIGSEGV: segmentation",
		"SIGNUP of a user\nno licence":      "no licence",
		strings.Repeat("x", 240):            strings.Repeat("x", 240),
		strings.Repeat("x", 241):            strings.Repeat("x", 240) + "...",
		strings.Repeat("é", 200):            strings.Repeat("é", 120) + "...",
	} {
		if got := lastWords(in, true); got != want || !utf8.ValidString(got) {
			t.Errorf("%.20q: got %q, want %q", in, got, want)
		}
	}
	if got := lastWords("panic: one that was recovered\nno licence\n", false); got != "no licence" {
		t.Errorf("of one that has not crashed: %q", got)
	}
}

// A line of a worker must not stop others.
func TestStderr_writerThatFails(t *testing.T) {
	s := stderrCopy{to: &lines{to: fails{}}, done: make(chan struct{})}
	s.copy(strings.NewReader("one\ntwo"))
	if got := s.last(); got != "one\ntwo" {
		t.Errorf("last lines are %q", got)
	}
}

type fails struct{}

func (fails) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
