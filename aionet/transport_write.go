package aionet

// Write writes p, at once or, what the system does not take, as soon as it does: it never blocks.
// How much waits is the protocol's business, see [FlowControlled]. p is the caller's again when Write
// returns. After WriteEOF it panics. As in asyncio, what is written after Close follows what still waits; if nothing
// does, or the connection is lost, p is dropped.
func (t *Transport) Write(p []byte) {
	if t.watch.OnLoop() {
		t.write(p)
		return
	}
	p = append([]byte(nil), p...)
	t.loop.CallSoon(func() { t.write(p) })
}

func (t *Transport) write(p []byte) {
	if t.eof {
		panic("aio: Write after WriteEOF")
	}
	if len(p) == 0 || t.state == isLost {
		return
	}
	if t.size == 0 {
		n, again, err := t.socket.tryWrite(p[:min(len(p), atOnce)])
		if err != nil {
			t.fatal(err)
			return
		}
		if p = p[n:]; len(p) == 0 {
			return
		}
		t.watch.OnReady(writing, t.writeReady)
		if !again {
			t.watch.Again()
		}
	}
	t.keep(p)
	t.maybePause()
}

// atOnce bounds what a transport writes in one iteration, so that a peer that takes whatever it gets does not hold the
// loop; reading is one piece in each, too.
const atOnce = 1 << 20

// keepTogether bounds what is made one piece of, as otherwise each byte could be one.
const keepTogether = 64 << 10

// keep copies p to the end of what is still to be written. All in one piece would have to be moved each time that it grows.
func (t *Transport) keep(p []byte) {
	t.size += len(p)
	if last := len(t.rest) - 1; last >= 0 && len(t.rest[last])+len(p) <= keepTogether {
		t.rest[last] = append(t.rest[last], p...)
		return
	}
	t.rest = append(t.rest, append([]byte(nil), p...))
}

// sendSome writes what the system takes of what is kept. If there is more, writeReady is called again in the next iteration
// in which it takes some.
func (t *Transport) sendSome() error {
	for room := atOnce; room > 0 && t.size > 0; {
		first := &t.rest[0]
		p := (*first)[:min(len(*first), room)]
		n, again, err := t.socket.tryWrite(p)
		if err != nil {
			return err
		}
		if again {
			return nil // and is told of when there is room
		}
		room -= n
		t.size -= n
		if *first = (*first)[n:]; len(*first) == 0 {
			*first = nil
			t.rest = t.rest[1:]
		} else if n < len(p) {
			break
		}
	}
	if t.size > 0 {
		t.watch.Again()
	}
	return nil
}

// waiting is how many bytes are to be written.
func (t *Transport) waiting() int { return t.size }

func (t *Transport) writeReady() {
	if t.state == isLost || t.size == 0 {
		return
	}
	if err := t.sendSome(); err != nil {
		t.fatal(err)
		return
	}
	if t.size == 0 {
		t.rest = nil
		t.watch.OnReady(writing, nil)
	}
	t.maybeResume()
	if t.size > 0 || t.state == isLost {
		return
	}
	switch {
	case t.state == isClosing:
		t.state = isLost
		t.lost(nil) // in this very step, as in asyncio
	case t.eof:
		_ = t.socket.closeWrite()
	}
}

// WriteEOF tells the other side, once all is written, that no more will come. Reading goes on.
func (t *Transport) WriteEOF() {
	t.here(func() {
		if t.state != isOpen || t.eof {
			return
		}
		t.eof = true
		if t.size == 0 {
			_ = t.socket.closeWrite()
		}
	})
}
