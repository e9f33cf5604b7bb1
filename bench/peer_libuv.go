package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// libuvServer is an echo server in C. It is built when the bench runs, so that nothing here needs cgo.
//
//go:embed libuv/echo.c
var libuvServer string

// buildLibuv builds the server into dir, and tells its command and what it is; or what is missing.
func buildLibuv(dir string) (server []string, about string, err error) {
	if _, err := exec.LookPath("cc"); err != nil {
		return nil, "", errors.New("there is no cc on PATH to compile libuv/echo.c")
	}
	source, binary := filepath.Join(dir, "echo.c"), filepath.Join(dir, "libuv-echo")
	if err := os.WriteFile(source, []byte(libuvServer), 0o644); err != nil {
		return nil, "", err
	}
	if out, err := exec.Command("cc", "-O2", "-o", binary, source, "-luv").CombinedOutput(); err != nil {
		first, _, _ := strings.Cut(string(out), "\n")
		return nil, "", fmt.Errorf("libuv/echo.c does not compile, is libuv's header there (Debian: libuv1-dev)? %w: %s", err, first)
	}
	version, err := exec.Command(binary, "version").Output()
	if err != nil {
		return nil, "", fmt.Errorf("what libuv/echo.c compiled to does not run: %w", err)
	}
	return []string{binary}, "libuv " + strings.TrimSpace(string(version)) + " in C", nil
}
