package aionet_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "record what CPython prints for the programs of testdata/order; needs 3.13")

// The judge of the order in which a protocol is told what happens is CPython: testdata/order holds programs on asyncio's
// transports, and what CPython 3.13.0 printed for them. Each is written here again, line by line, and must print the
// same. A line says in which turn of the loop something happened, counted by a callback that calls itself soon.
var orderPrograms = map[string]func(*script) error{
	"life":        lifeInOrder,
	"flow":        flowInOrder,
	"reading":     readingInOrder,
	"buffered":    bufferedInOrder,
	"failures":    failuresInOrder,
	"differences": differencesInOrder,
}

func TestOrder_asCPython(t *testing.T) {
	if *update {
		recordOrder(t)
	}
	traces, err := filepath.Glob("testdata/order/*.trace")
	if err != nil || len(traces) != len(orderPrograms) {
		t.Errorf("testdata/order has %d traces, and %d programs are here (%v)", len(traces), len(orderPrograms), err)
	}
	for name, program := range orderPrograms {
		t.Run(name, func(t *testing.T) {
			want := readOrder(t, name+".trace")
			got := runScript(t, program)
			if name == "differences" { // on purpose: what aio does is recorded beside it
				if got == want {
					t.Error("these are no differences any more")
				}
				want = readOrder(t, name+".ours")
			}
			if got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

func readOrder(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata/order", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// CPython still does what is recorded of it. What transports do is the same from 3.11 on; without such a Python the test
// is skipped, which $AIO_NEED_PYTHON, set by CI, forbids.
func TestOrder_recorded(t *testing.T) {
	python := findPython(t, 11)
	for name := range orderPrograms {
		t.Run(name, func(t *testing.T) {
			if got, want := runPython(t, python, name), readOrder(t, name+".trace"); got != want {
				t.Errorf("%s prints\n%swhere this is recorded:\n%s", python, got, want)
			}
		})
	}
}

func recordOrder(t *testing.T) {
	python := findPython(t, 13)
	for name := range orderPrograms {
		if err := os.WriteFile("testdata/order/"+name+".trace", []byte(runPython(t, python, name)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ours := runScript(t, differencesInOrder)
	if err := os.WriteFile("testdata/order/differences.ours", []byte(ours), 0o644); err != nil {
		t.Fatal(err)
	}
}

// findPython is the name of CPython 3.minor or newer: $PYTHON, or one in PATH.
func findPython(t *testing.T, minor int) string {
	t.Helper()
	names := []string{os.Getenv("PYTHON")}
	if names[0] == "" {
		names = []string{"python3.13", "python3"}
	}
	const check = "import socket, sys; socket.socketpair(); sys.exit(sys.version_info < (3, int(sys.argv[1])))"
	for _, name := range names {
		if exec.Command(name, "-I", "-c", check, strconv.Itoa(minor)).Run() == nil {
			return name
		}
	}
	if os.Getenv("AIO_NEED_PYTHON") != "" || *update {
		t.Fatalf("no Python 3.%d or newer that has sockets: put one into PATH, or name it in $PYTHON", minor)
	}
	t.Skipf("no Python 3.%d or newer that has sockets", minor)
	return ""
}

func runPython(t *testing.T, python, name string) string {
	t.Helper()
	cmd := exec.Command(python, "-B", name+".py")
	cmd.Dir = "testdata/order"
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s.py: %v\n%s", python, name, err, said.String())
	}
	return string(out)
}
