package aio

// fifo is a growing ring of items. The zero value is empty.
type fifo[T any] struct {
	buf  []T
	head int
	n    int
	keep int // no need to give back what is not above this; at least minKeep
}

const minKeep = 1024

func (f *fifo[T]) push(v T) {
	if f.n == len(f.buf) {
		f.resize(max(8, 2*f.n))
	}
	i := f.head + f.n
	if i >= len(f.buf) {
		i -= len(f.buf)
	}
	f.buf[i] = v
	f.n++
}

func (f *fifo[T]) pop() T {
	var none T
	v := f.buf[f.head]
	f.buf[f.head] = none
	f.head++
	if f.head == len(f.buf) {
		f.head = 0
	}
	f.n--
	f.trim()
	return v
}

// trim gives back what a burst left.
func (f *fifo[T]) trim() {
	if len(f.buf) > max(f.keep, minKeep) && f.n < len(f.buf)/4 {
		f.resize(len(f.buf) / 2)
	}
}

func (f *fifo[T]) resize(size int) {
	buf := make([]T, size)
	n := copy(buf, f.buf[f.head:min(f.head+f.n, len(f.buf))])
	copy(buf[n:], f.buf[:f.n-n])
	f.buf, f.head = buf, 0
}

// popLast takes the newest.
func (f *fifo[T]) popLast() T {
	var none T
	f.n--
	i := f.head + f.n
	if i >= len(f.buf) {
		i -= len(f.buf)
	}
	v := f.buf[i]
	f.buf[i] = none
	f.trim()
	return v
}
