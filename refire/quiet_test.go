package refire_test

import (
	"io"
	"log"
	"os"
	"testing"
)

// hush silences what net/http writes by itself, about servers that do what the test makes them do.
func hush(t testing.TB) {
	log.SetOutput(io.Discard)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
}

// quiet is a logger for servers whose complaints are expected.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
