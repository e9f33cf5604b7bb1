package goid

import (
	"fmt"
	"runtime"
	"sync"
)

// headerBytes holds "goroutine 18446744073709551615 ", the longest beginning
// of a stack dump that Number has to see.
const headerBytes = 40

// headers lends out buffers: runtime.Stack makes its argument escape.
var headers = sync.Pool{New: func() any { return new([headerBytes]byte) }}

// Number returns the number of the running goroutine as stack dumps print it:
// never reused, but read out of a formatted dump, so it takes some
// microseconds. Use it to match goroutines with dumps; Get is for everything
// else. It does not suspend and may be called from any goroutine.
func Number() uint64 {
	buf := headers.Get().(*[headerBytes]byte)
	defer headers.Put(buf)
	dump := buf[:runtime.Stack(buf[:], false)]
	n, ok := parseHeader(dump)
	if !ok {
		panic(fmt.Sprintf("aio: stack dump begins with %q, want \"goroutine <number> \"; this version of Go prints another form", dump))
	}
	return n
}

// parseHeader reads N from "goroutine N ". The space behind the number is
// wanted too: without it the number may have been cut off.
func parseHeader(dump []byte) (n uint64, ok bool) {
	const prefix = "goroutine "
	if len(dump) < len(prefix) || string(dump[:len(prefix)]) != prefix {
		return 0, false
	}
	digits := dump[len(prefix):]
	for i, c := range digits {
		if c == ' ' {
			return n, i > 0
		}
		d := uint64(c - '0')
		if c < '0' || c > '9' || n > (1<<64-1-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return 0, false
}
