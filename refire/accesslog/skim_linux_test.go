package accesslog

import (
	"os"
	"syscall"
	"testing"
)

// TestSkimStaysInside walks logs that end directly before a page that must not be touched.
func TestSkimStaysInside(t *testing.T) {
	page := os.Getpagesize()
	memory, err := syscall.Mmap(-1, 0, 2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(memory)
	if err := syscall.Mprotect(memory[page:], syscall.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	var selected [1024]bool
	var byStatus [1000]int64
	log := usualLines(12)
	for i := range log {
		if log[i] == '\n' || i < 400 { // whole lines, and lines cut off at any byte
			lines := memory[page-i-1 : page]
			copy(lines, log[:i])
			lines[i] = '\n'
			if size, _ := skim(lines, &selected, &byStatus, 1000); size > len(lines) {
				t.Fatalf("passed over %d of %d bytes", size, len(lines))
			}
		}
	}
}
