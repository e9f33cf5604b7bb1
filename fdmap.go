package aio

// fdMap finds descriptors by number. Numbers are small, for the system gives the lowest one that is free, and only
// those of open files get here: a slice takes a third of what a map would, and each report looks into it.
type fdMap []*descriptor

// at is nil if there is none of number fd, whatever that is.
func (m fdMap) at(fd int) *descriptor {
	if uint(fd) < uint(len(m)) {
		return m[fd]
	}
	return nil
}

func (m *fdMap) put(fd int, a *descriptor) {
	for fd >= len(*m) {
		*m = append(*m, nil)
		*m = (*m)[:cap(*m)]
	}
	(*m)[fd] = a
}

func (m fdMap) remove(fd int) {
	if uint(fd) < uint(len(m)) {
		m[fd] = nil
	}
}
