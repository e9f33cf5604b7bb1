// Flaky is the server that .ci/e2e fires at. It writes its address to the file
// named by -addr and every request target, as it came, to the one named by
// -seen; what it answers is in the path:
//
//	/ok...    200
//	/fail...  500, until the file named by -mended exists, then 200
//	/slow...  200 after -delay
//
// It serves until it is killed.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"sync"
	"time"
)

var (
	addr   = flag.String("addr", "", "file to write the address to")
	seen   = flag.String("seen", "", "file to append every request target to")
	mended = flag.String("mended", "", "from when this file exists, /fail answers 200")
	delay  = flag.Duration("delay", 20*time.Millisecond, "of /slow")
)

func main() {
	flag.Parse()
	out, err := os.OpenFile(*seen, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		log.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	// Written whole or not at all: the script waits for the file.
	if err := os.WriteFile(*addr+".new", []byte(l.Addr().String()), 0o600); err != nil {
		log.Fatal(err)
	}
	if err := os.Rename(*addr+".new", *addr); err != nil {
		log.Fatal(err)
	}
	var mu sync.Mutex
	for {
		c, err := l.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go serve(c, func(target string) {
			mu.Lock()
			defer mu.Unlock()
			if _, err := fmt.Fprintln(out, target); err != nil {
				log.Fatal(err)
			}
		})
	}
}

// serve reads requests without bodies by hand: net/http would hide what
// exactly stood in the request line.
func serve(c net.Conn, saw func(target string)) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		for header := line; strings.TrimSpace(header) != ""; {
			if header, err = r.ReadString('\n'); err != nil {
				return
			}
		}
		fields := strings.Split(strings.TrimRight(line, "\r\n"), " ")
		if len(fields) != 3 {
			saw("malformed request line " + strings.TrimSpace(line))
			return
		}
		saw(fields[1])
		if _, err := fmt.Fprintf(c, "HTTP/1.1 %d Flaky\r\nContent-Length: 0\r\n\r\n", answer(fields[1])); err != nil {
			return
		}
	}
}

func answer(target string) int {
	switch {
	case strings.HasPrefix(target, "/fail"):
		if _, err := os.Stat(*mended); err != nil {
			return 500
		}
	case strings.HasPrefix(target, "/slow"):
		time.Sleep(*delay)
	}
	return 200
}
