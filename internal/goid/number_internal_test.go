package goid

import "testing"

func TestParseHeader(t *testing.T) {
	for _, c := range []struct {
		dump string
		n    uint64
		ok   bool
	}{
		{"goroutine 1 [running]:\n", 1, true},
		{"goroutine 42 gp=0xc000002380 m=0 mp=0x5", 42, true}, // GOTRACEBACK=system
		{"goroutine 18446744073709551615 [running", 1<<64 - 1, true},
		{"goroutine 18446744073709551616 [running", 0, false}, // overflow
		{"goroutine 184467440737095516150 [runnin", 0, false},
		{"goroutine 123", 0, false}, // cut off
		{"goroutine  [running]", 0, false},
		{"goroutine -1 [running]", 0, false},
		{"goroutine 1x [running]", 0, false},
		{"goroutine", 0, false},
		{"", 0, false},
		{"Goroutine 1 [running]", 0, false},
	} {
		n, ok := parseHeader([]byte(c.dump))
		if ok != c.ok || ok && n != c.n {
			t.Errorf("parseHeader(%q) = %d, %v; want %d, %v", c.dump, n, ok, c.n, c.ok)
		}
	}
}
