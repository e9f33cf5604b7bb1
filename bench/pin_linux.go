package main

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// pin has this thread, and what it becomes, run on one core only: the first one that it may run on, or the
// last.
func pin(last bool) {
	runtime.LockOSThread()
	var may, one unix.CPUSet
	must(unix.SchedGetaffinity(0, &may))
	for core := range len(may) * 64 {
		if !may.IsSet(core) {
			continue
		}
		one.Zero()
		one.Set(core)
		if !last {
			break
		}
	}
	must(unix.SchedSetaffinity(0, &one))
}
