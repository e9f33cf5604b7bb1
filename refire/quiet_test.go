package refire_test

import (
	"io"
	"log"
)

// quiet is a logger for servers whose complaints are expected.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
