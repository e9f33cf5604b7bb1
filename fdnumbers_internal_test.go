package aio

import (
	"math"
	"slices"
	"testing"
)

func TestByNumber(t *testing.T) {
	var table byNumber
	if table.at(-1) != nil || table.at(0) != nil || table.at(math.MaxInt) != nil {
		t.Error("an empty table has entries")
	}
	table.remove(7)
	numbers := []int{0, 255, 256, 70_000}
	for _, fd := range slices.Backward(numbers) {
		table.set(fd, &descriptor{fd: int32(fd)})
	}
	for _, fd := range []int{-1, 1, 257, 512, 69_999, math.MaxInt} {
		if table.at(fd) != nil {
			t.Errorf("%d has an entry", fd)
		}
	}
	var seen []int
	for fd, a := range table.all {
		if int(a.fd) != fd || table.at(fd) != a {
			t.Errorf("at %d stands the entry of %d", fd, a.fd)
		}
		seen = append(seen, fd)
		table.remove(fd)
	}
	if !slices.Equal(seen, numbers) {
		t.Errorf("all yields %v, want %v", seen, numbers)
	}
	for fd := range table.all {
		t.Errorf("%d was taken out, and is still there", fd)
	}
}

// A break must end the walk.
func TestByNumber_break(t *testing.T) {
	var table byNumber
	table.set(1, &descriptor{})
	table.set(2, &descriptor{})
	n := 0
	for range table.all {
		n++
		break
	}
	if n != 1 {
		t.Errorf("walked over %d, want 1", n)
	}
}
