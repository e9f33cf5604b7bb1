package aio

// ring is the ready queue: first in, first out, in a slice whose length is a power of two. The zero
// value is empty.
type ring struct {
	buf  []runnable
	head uint // of the next to pop, modulo len(buf)
	n    uint
}

func (q *ring) push(r runnable) {
	if q.n == uint(len(q.buf)) {
		q.grow()
	}
	q.buf[(q.head+q.n)&uint(len(q.buf)-1)] = r
	q.n++
}

// peek is what pop will take.
func (q *ring) peek() runnable { return q.buf[q.head&uint(len(q.buf)-1)] }

// pop takes the oldest; the ring must not be empty.
func (q *ring) pop() runnable {
	i := q.head & uint(len(q.buf)-1)
	r := q.buf[i]
	q.buf[i] = nil
	q.head++
	q.n--
	return r
}

func (q *ring) grow() {
	bigger := make([]runnable, max(64, 2*len(q.buf)))
	for i := range q.n {
		bigger[i] = q.buf[(q.head+i)&uint(len(q.buf)-1)]
	}
	q.buf, q.head = bigger, 0
}

// shrink gives back what a burst left; the ring must be empty.
func (q *ring) shrink() {
	if len(q.buf) > maxSpare {
		*q = ring{}
	}
}
