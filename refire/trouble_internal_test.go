package refire

import (
	"errors"
	"strings"
	"testing"
)

// TestFailure_isOneShortLine: no control of any kind, cut between letters, and of bounded length.
func TestFailure_isOneShortLine(t *testing.T) {
	for text, want := range map[string]string{
		"a\x00b\nc\x1b[31m\x7f":               "other: a?b?c?[31m?",
		"\u0080\u009b2J\u009f\u00a0":          "other: ??2J?\u00a0",
		"bad \xff\xfe byte":                   "other: bad ? byte",
		strings.Repeat("x", maxDetail):        "other: " + strings.Repeat("x", maxDetail),
		strings.Repeat("x", maxDetail+1):      "other: " + strings.Repeat("x", maxDetail) + "...",
		strings.Repeat("\u00e4", maxDetail):   "other: " + strings.Repeat("\u00e4", maxDetail/2) + "...",
		"x" + strings.Repeat("\u00e4", 1<<10): "other: x" + strings.Repeat("\u00e4", (maxDetail-1)/2) + "...",
	} {
		if got := (&Failure{Trouble: Other, Err: errors.New(text)}).Error(); got != want {
			t.Errorf("%.40q: %q, want %q", text, got, want)
		}
	}
}
