//go:build !cgo

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "cthread: "+why)
	os.Exit(1)
}

const why = "built without cgo, and what it shows is a C library: install a C compiler, and set CGO_ENABLED=1"
