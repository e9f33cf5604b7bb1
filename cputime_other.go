//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package aio

import "time"

// threadID is 0: there is no telling threads apart here.
func threadID() int { return 0 }

// cpuTime is not known here.
func cpuTime(int) (time.Duration, bool) { return 0, false }
