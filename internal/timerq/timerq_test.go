package timerq_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/seed8b1f0744/aio/internal/timerq"
)

type timer struct {
	when int64
	id   int
}

// model is the queue as one would write it without caring for speed: kept in order by a stable sort.
type model []timer

func (m *model) push(t timer) {
	*m = append(*m, t)
	slices.SortStableFunc(*m, func(a, b timer) int { return int(a.when - b.when) })
}

func FuzzAgainstModel(f *testing.F) {
	f.Add([]byte{1, 1, 1, 0, 0, 0})
	f.Add([]byte{9, 3, 255, 200, 7, 0, 0, 254, 4, 0})
	f.Fuzz(func(t *testing.T, ops []byte) { runOps(t, ops) })
}

func TestRandomOperations(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		ops := make([]byte, r.IntN(3000))
		for i := range ops {
			ops[i] = byte(r.IntN(256))
		}
		runOps(t, ops)
	}
}

// runOps pops on a small byte, compacts on the largest one, and else pushes with the byte as the deadline.
func runOps(t *testing.T, ops []byte) {
	var q timerq.Queue[timer]
	var m model
	for id, op := range ops {
		switch {
		case op < 100 && len(m) > 0:
			if got := q.Pop(); got != m[0] {
				t.Fatalf("Pop = %+v, want %+v", got, m[0])
			}
			m = m[1:]
		case op == 255:
			odd := func(x timer) bool { return x.id%3 == 1 }
			q.Compact(odd)
			m = slices.DeleteFunc(m, odd)
		default:
			x := timer{int64(op % 16), id}
			q.Push(x.when, x)
			m.push(x)
		}
		if q.Len() != len(m) {
			t.Fatalf("Len = %d, want %d", q.Len(), len(m))
		}
		when, ok := q.Next()
		if ok != (len(m) > 0) || ok && when != m[0].when {
			t.Fatalf("Next = %d, %t; want the head of %v", when, ok, m)
		}
	}
	var all []int
	q.Each(func(when int64, x timer) {
		if when != x.when {
			t.Fatalf("Each gives %+v with deadline %d", x, when)
		}
		all = append(all, x.id)
	})
	slices.Sort(all)
	if len(all) != len(m) || len(slices.Compact(all)) != len(m) {
		t.Fatalf("Each gives %d values, not each of %d once", len(all), len(m))
	}
	for _, want := range m {
		if got := q.Pop(); got != want {
			t.Fatalf("draining: Pop = %+v, want %+v", got, want)
		}
	}
}
