package aiotest

import (
	"bytes"
	"regexp"
	"runtime"
	"strings"
)

// Which goroutines there are is only in the text of their stacks.

var bubbleOf = regexp.MustCompile(`^goroutine .*synctest bubble (\d+)`)

// goroutinesHere is the stacks of the other goroutines in the bubble of the one that calls it, or of
// all where it is in none; except for those of package testing.
func goroutinesHere() (found []string) {
	stacks := strings.Split(allStacks(), "\n\n")
	here := bubbleOf.FindStringSubmatch(stacks[0]) // the caller's
	for _, s := range stacks[1:] {
		m := bubbleOf.FindStringSubmatch(s)
		if here != nil && (m == nil || m[1] != here[1]) {
			continue
		}
		if !strings.Contains(s, "testing.tRunner(") && !strings.Contains(s, "testing/synctest.testingSynctestTest(") {
			found = append(found, s)
		}
	}
	return found
}

func allStacks() string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			return string(buf[:n])
		}
		buf = make([]byte, 2*len(buf))
	}
}

// goroutineID is which goroutine a stack is of.
func goroutineID(stack string) string {
	id, _, _ := strings.Cut(stack, " [")
	return id
}

// inBubble reports whether the calling goroutine is in a testing/synctest bubble. The header of its
// stack says so.
func inBubble() bool {
	var buf [128]byte
	header, _, _ := bytes.Cut(buf[:runtime.Stack(buf[:], false)], []byte("\n"))
	return bytes.Contains(header, []byte("synctest bubble"))
}
