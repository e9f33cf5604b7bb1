package shell_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire/internal/shell"
)

var words = []string{
	"", "plain", "/a/b.log", "http://h:80/x?a=b&c", "it's", "'", "''", "a b", "$(date)", "`date`", `back\slash`, "*", "~", "#", "!x", "\t", "a\nb", "-x", "é", "\x01\xff", "{a,b}", ";", "=",
}

func TestWord(t *testing.T) {
	for in, want := range map[string]string{"": "''", "plain": "plain", "a b": "'a b'", "it's": `'it'\''s'`, "a,b@c_%+=.-:/9": "a,b@c_%+=.-:/9", "~": "'~'", "a*": "'a*'"} {
		if got := shell.Word(in); got != want {
			t.Errorf("%q is %s, want %s", in, got, want)
		}
	}
}

// TestWord_read: a shell reads them as they were.
func TestWord_read(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	var quoted []string
	for _, word := range words {
		quoted = append(quoted, shell.Word(word))
	}
	out, err := exec.Command(sh, "-c", `printf '%s\0' `+strings.Join(quoted, " ")).Output()
	if want := strings.Join(words, "\x00") + "\x00"; err != nil || string(out) != want {
		t.Errorf("%v, %q, want %q", err, out, want)
	}
}
