package main

import (
	"os"
	"testing"

	"github.com/seed8b1f0744/aio/procpool"
)

// The measurements that want a process of their own start this program again.
func TestMain(m *testing.M) {
	procpool.Main()
	if ordered(os.Args) {
		return
	}
	os.Exit(m.Run())
}
