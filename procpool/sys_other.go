//go:build !unix

package procpool

import (
	"errors"
	"os"
	"syscall"
)

// New refuses, so nothing of this is ever called.
const supported = false

func program() (string, error)                       { return os.Executable() }
func workerAttr() *syscall.SysProcAttr               { return nil }
func keepThread()                                    {}
func nameProcess()                                   {}
func awaitExit(int) bool                             { return false }
func killGroup(int)                                  {}
func closeOnExec(uintptr)                            {}
func residentBytes() int64                           { return 0 }
func readNow(int, []byte) (int, error)               { return 0, errors.ErrUnsupported }
func writeNow(int, []byte) (int, error)              { return 0, errors.ErrUnsupported }
func socketPair() (ours, theirs *os.File, err error) { return nil, nil, errors.ErrUnsupported }
