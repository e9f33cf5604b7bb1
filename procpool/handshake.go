package procpool

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
)

const (
	// handshakeName is the environment variable that makes a process a worker. Its value is what the
	// worker has to know, see workerOrders.
	handshakeName = "AIO_PROCPOOL_WORKER"

	// workerArg is a worker's only argument: for people who look at a list of processes, and a second
	// sign, by which a worker whose environment was lost finds out that it is none of the others.
	workerArg = "aio-procpool-worker"

	// A worker's descriptors, behind the standard ones.
	fdCalls   = 3 // from the pool
	fdAnswers = 4 // to the pool
	fdParent  = 5 // nothing is ever written to it; it ends with the pool, or its process
	fdBulk    = 6 // a socket: large bodies, both ways
)

// orders are taken before main, and before the initialisation of what imports this package: nothing
// in the program can spoil them, and no process that it starts takes itself for a worker.
var orders, ordered = takeOrders()

// mainCalled is whether Main was called in this process.
var mainCalled atomic.Bool

// workerOrders is what a pool tells a worker when it starts it.
type workerOrders struct {
	maxFrameBytes int
	tellMemory    bool // after each call
}

const ordersFormat = "1 %d %t"

func (o workerOrders) String() string {
	return fmt.Sprintf(ordersFormat, o.maxFrameBytes, o.tellMemory)
}

// takeOrders reports whether this process is a worker. maxFrameBytes is 0 if its orders make no
// sense.
func takeOrders() (o workerOrders, ok bool) {
	text, ok := os.LookupEnv(handshakeName)
	if !ok {
		if len(os.Args) > 1 && os.Args[1] == workerArg {
			return workerOrders{}, true
		}
		return workerOrders{}, false
	}
	_ = os.Unsetenv(handshakeName)
	for _, fd := range []uintptr{fdCalls, fdAnswers, fdParent, fdBulk} {
		closeOnExec(fd)
	}
	if len(os.Args) > 1 && os.Args[1] == workerArg {
		os.Args = os.Args[:1]
	}
	if _, err := fmt.Sscanf(text, ordersFormat, &o.maxFrameBytes, &o.tellMemory); err != nil {
		return workerOrders{}, true
	}
	return o, true
}

// build tells this build of the program from others: a hash of how its file begins, where a linker
// notes its build id and the sizes of all sections.
var build = sync.OnceValues(func() (string, error) {
	path, err := program()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	start := make([]byte, 64<<10)
	n, err := io.ReadFull(f, start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", err
	}
	sum := sha256.Sum256(fmt.Appendf(start[:n], " %d", info.Size()))
	return hex.EncodeToString(sum[:16]), nil
})
