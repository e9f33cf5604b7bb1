package procpool_test

import (
	"bytes"
	"fmt"
	"os"
)

// gone reports whether a process has ended, be it a zombie.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return len(rest) == 0 || rest[0] == 'Z' || rest[0] == 'X'
}
