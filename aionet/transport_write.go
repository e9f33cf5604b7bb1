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
	if len(t.buf) == 0 {
		n, err := t.send(p)
		if err != nil {
			t.fatal(err)
			return
		}
		if p = p[n:]; len(p) == 0 {
			return
		}
		t.watch.OnReady(writing, t.writeReady)
	}
	t.buf = append(t.buf, p...)
	t.maybePause()
}

// send writes what the system takes of p.
func (t *Transport) send(p []byte) (n int, err error) {
	for n < len(p) {
		m, again, err := t.socket.tryWrite(p[n:])
		if again || err != nil {
			return n, err
		}
		n += m
	}
	return n, nil
}

// waiting is how many bytes are to be written.
func (t *Transport) waiting() int { return len(t.buf) - t.written }

func (t *Transport) writeReady() {
	if t.state == isLost || len(t.buf) == 0 {
		return
	}
	n, err := t.send(t.buf[t.written:])
	if err != nil {
		t.fatal(err)
		return
	}
	if t.written += n; t.written == len(t.buf) {
		t.buf, t.written = nil, 0
		t.watch.OnReady(writing, nil)
	} else if t.written > len(t.buf)/2 {
		t.buf = append([]byte(nil), t.buf[t.written:]...)
		t.written = 0
	}
	t.maybeResume()
	if len(t.buf) > 0 || t.state == isLost {
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
		if len(t.buf) == 0 {
			_ = t.socket.closeWrite()
		}
	})
}
