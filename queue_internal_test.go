package aio

import (
	"testing"
)

func queueKinds[T any](less func(a, b T) bool) map[string]*Queue[T] {
	return map[string]*Queue[T]{"fifo": NewQueue[T](0), "lifo": NewLIFOQueue[T](0), "priority": NewPriorityQueue(0, less)}
}

// An item that was taken is held by the queue no more.
func TestQueue_forgetsWhatWasTaken(t *testing.T) {
	for name, q := range queueKinds(func(a, b *int) bool { return *a < *b }) {
		for i := range 20 {
			_ = q.TryPut(&i)
		}
		for q.Len() > 0 {
			_, _ = q.TryGet()
		}
		held := 0
		for _, v := range q.items.buf {
			if v != nil {
				held++
			}
		}
		if q.ranked != nil {
			for _, r := range q.ranked.items[:cap(q.ranked.items)] {
				if r.value != nil {
					held++
				}
			}
		}
		if held > 0 {
			t.Errorf("%s: %d items that were taken are still held", name, held)
		}
	}
}

// What a burst left is given back.
func TestQueue_givesMemoryBack(t *testing.T) {
	for name, q := range queueKinds(func(a, b int) bool { return a < b }) {
		room := func() int {
			if q.ranked != nil {
				return cap(q.ranked.items)
			}
			return len(q.items.buf)
		}
		const burst = 100_000
		for i := range burst {
			_ = q.TryPut(i)
		}
		if room() < burst {
			t.Fatalf("%s: room for %d of %d", name, room(), burst)
		}
		for q.Len() > 100 {
			_, _ = q.TryGet()
			if q.Len() > 1024 && room() > 8*q.Len() {
				t.Fatalf("%s: room for %d, of which %d are in use", name, room(), q.Len())
			}
		}
		if room() > 2048 {
			t.Errorf("%s: room for %d, of which %d are in use", name, room(), q.Len())
		}
	}
}
