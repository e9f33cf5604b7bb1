package procpool_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// gone reports whether a process has ended, be it a zombie.
func gone(pid int) bool {
	state := stateIn(fmt.Sprintf("/proc/%d/stat", pid))
	return state == 0 || state == 'Z' || state == 'X'
}

// halted reports whether a process has stopped with all its threads, which takes a while after SIGSTOP.
func halted(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	return err == nil && len(threads) > 0 && !slices.ContainsFunc(threads, func(name string) bool { return stateIn(name) != 'T' })
}

// stateIn is the state in a stat file, 0 if there is none.
func stateIn(name string) byte {
	stat, _ := os.ReadFile(name)
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	if len(rest) == 0 {
		return 0
	}
	return rest[0]
}

// openFiles is what this process has open, by descriptor.
func openFiles() map[string]string {
	open := map[string]string{}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			open[e.Name()] = target
		}
	}
	return open
}

// limitMemory limits the address space of this process.
func limitMemory(bytes uint64) error {
	return syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: bytes, Max: bytes})
}
