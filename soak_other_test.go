//go:build !linux

package aio_test

func threadID() int { return 1 }
