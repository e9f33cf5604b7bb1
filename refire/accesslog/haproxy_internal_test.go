package accesslog

import (
	"math/rand/v2"
	"regexp"
	"testing"
)

// TestHAProxyColumns: the walk takes what the expression takes.
func TestHAProxyColumns(t *testing.T) {
	want := regexp.MustCompile(`^` + haproxyStates)
	parts := []string{"----", "LR--", "-", "sH-N", "a1--", " ", "0", "12", "345", "/", "+", "{", "}", "{a|b}", "{}", "{ x }", "{\"}", "}{", "1/2/3/4/5", "1/2/3/4/+5", "+1/2/3/4/5", "0/0", " 0/+0 "}
	random := rand.New(rand.NewPCG(1, 2))
	check := func(text string) bool {
		match := want.MatchString(text)
		if isHAProxyColumns([]byte(text)) != match {
			t.Errorf("%q: the expression says %t", text, match)
		}
		return match
	}
	taken := 0
	for range 200_000 {
		text := ""
		if random.IntN(3) > 0 { // near to what is right
			text = "---- 1/2/3/4/5 0/0 "
			if at := random.IntN(len(text) + 1); random.IntN(2) == 0 {
				text = text[:at] + parts[random.IntN(len(parts))] + text[at:]
			}
			for range random.IntN(4) {
				text += []string{"{a b} ", "{} ", "{a|b}", "} "}[random.IntN(4)]
			}
		} else {
			for range random.IntN(12) {
				text += parts[random.IntN(len(parts))]
			}
		}
		if check(text) {
			taken++
		}
	}
	if taken < 1000 {
		t.Errorf("only %d were right", taken)
	}
}
