package aio_test

import "syscall"

// dup2 is there on all of Linux's architectures.
func dup2(from, to int) error { return syscall.Dup3(from, to, syscall.O_CLOEXEC) }
