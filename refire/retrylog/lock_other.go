//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package retrylog

import "os"

// lock does nothing here: Journal.Locked says so, and the program says it to its user.
func lock(*os.File) (locked bool, err error) { return false, nil }

// InUse is not known here.
func InUse(string) (used, known bool) { return false, false }
