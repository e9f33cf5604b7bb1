package aio

import (
	"slices"
	"testing"
)

// The containers of the core against naive models: each byte of the input is an operation.

type numbered int

func (numbered) run() {}

func FuzzRing(f *testing.F) {
	f.Add([]byte{1, 1, 0, 1, 0, 0})
	f.Add(slices.Repeat([]byte{7}, 40))
	f.Add(append(slices.Repeat([]byte{9}, 30), slices.Repeat([]byte{0}, 80)...))
	f.Fuzz(func(t *testing.T, ops []byte) {
		var q ring
		var model []numbered
		next := numbered(0)
		for _, op := range ops {
			if op%4 == 0 && len(model) > 0 {
				if got := q.pop(); got != runnable(model[0]) {
					t.Fatalf("pop gave %v, want %v", got, model[0])
				}
				model = model[1:]
			} else {
				for range op {
					next++
					q.push(next)
					model = append(model, next)
				}
			}
			if int(q.n) != len(model) {
				t.Fatalf("the ring holds %d, want %d", q.n, len(model))
			}
			if len(model) == 0 {
				q.shrink()
			}
		}
		for _, want := range model {
			if got := q.pop(); got != runnable(want) {
				t.Fatalf("pop gave %v, want %v", got, want)
			}
		}
		for i, r := range q.buf {
			if r != nil {
				t.Fatalf("an empty ring holds on to %v in place %d", r, i)
			}
		}
	})
}

func TestRing_givesBackABurst(t *testing.T) {
	var q ring
	for range maxSpare + 1 {
		q.push(numbered(1))
	}
	for range maxSpare + 1 {
		q.pop()
	}
	q.shrink()
	if len(q.buf) > maxSpare {
		t.Errorf("an empty ring keeps room for %d", len(q.buf))
	}
}

func FuzzFifo(f *testing.F) {
	f.Add([]byte{1, 0, 200, 0, 0, 3})
	f.Add(append(slices.Repeat([]byte{255}, 20), slices.Repeat([]byte{0}, 255)...))
	f.Fuzz(func(t *testing.T, ops []byte) {
		var q fifo[*int]
		var model []*int
		for _, op := range ops {
			if op%3 == 0 {
				for range min(int(op)+1, len(model)) {
					if got := q.pop(); got != model[0] {
						t.Fatal("pop gave another item")
					}
					model = model[1:]
				}
			} else {
				for range op {
					v := new(int)
					q.push(v)
					model = append(model, v)
				}
			}
			if q.n != len(model) {
				t.Fatalf("the queue holds %d, want %d", q.n, len(model))
			}
		}
		held := 0
		for _, v := range q.buf {
			if v != nil {
				held++
			}
		}
		if held != len(model) {
			t.Fatalf("the queue holds on to %d items and has %d", held, len(model))
		}
		if len(q.buf) > 1024 && len(q.buf) > 8*(len(model)+256) {
			t.Fatalf("%d items in room for %d", len(model), len(q.buf))
		}
	})
}

type listener struct {
	node
	deaf, told bool
}

func (l *listener) notify() bool { l.told = true; return !l.deaf }

func FuzzNodeList(f *testing.F) {
	f.Add([]byte{0, 0, 5, 2, 0, 3, 1})
	f.Add([]byte{0, 4, 0, 4, 0, 2, 2, 3})
	f.Fuzz(func(t *testing.T, ops []byte) {
		var list nodeList
		var model, out []*listener
		for _, op := range ops {
			switch op % 6 {
			case 0, 4: // one that wants to know, one that no longer does
				l := &listener{deaf: op%6 == 4}
				l.owner = l
				list.push(&l.node)
				model = append(model, l)
			case 1, 5: // take one out of the middle
				if len(model) > 0 {
					i := int(op) % len(model)
					list.remove(&model[i].node)
					list.remove(&model[i].node) // twice is harmless
					out = append(out, model[i])
					model = slices.Delete(model, i, i+1)
				}
			case 2:
				want := slices.IndexFunc(model, func(l *listener) bool { return !l.deaf })
				if got := list.notifyFirst(); got != (want >= 0) {
					t.Fatalf("notifyFirst reported %v", got)
				}
				told := want + 1
				if want < 0 {
					told = len(model)
				}
				for i, l := range model {
					if l.told != (i < told) {
						t.Fatalf("listener %d of %d: told %v", i, len(model), l.told)
					}
				}
				model = model[told:]
			case 3:
				list.notifyAll()
				for i, l := range model {
					if !l.told {
						t.Fatalf("notifyAll left out %d", i)
					}
				}
				model = nil
			}
		}
		for _, l := range out {
			if l.told {
				t.Fatal("one that was taken out was told")
			}
		}
		list.notifyAll()
		for _, l := range model {
			if !l.told {
				t.Fatal("one was lost")
			}
		}
	})
}
