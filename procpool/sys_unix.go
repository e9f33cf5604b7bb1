//go:build unix

package procpool

import "syscall"

const supported = true

// killGroup kills what pid leads.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

func closeOnExec(fd uintptr) { syscall.CloseOnExec(int(fd)) }
