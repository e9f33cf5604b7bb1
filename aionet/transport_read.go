package aionet

import "errors"

// PauseReading has DataReceived not be called until ResumeReading: the other side is slowed down, once the system's
// buffers are full.
func (t *Transport) PauseReading() {
	t.here(func() {
		if t.state == isOpen && !t.paused {
			t.paused = true
			t.stopReading()
		}
	})
}

// ResumeReading undoes PauseReading.
func (t *Transport) ResumeReading() {
	t.here(func() {
		if t.state == isOpen && t.paused {
			t.paused = false
			t.beginReading()
		}
	})
}

func (t *Transport) beginReading() {
	if t.state != isOpen || t.paused || t.reads || t.ended {
		return
	}
	t.reads = true
	t.watch.OnReady(reading, func() {
		if !t.queued && t.watch.Known(reading) { // and has not been read since it was told of
			t.readReady(true)
		}
	})
	t.watch.Again() // what has come before
}

func (t *Transport) stopReading() {
	if t.reads {
		t.reads = false
		t.watch.OnReady(reading, nil)
	}
}

// readSoon has another piece read in the next iteration.
func (t *Transport) readSoon() {
	if !t.queued {
		t.queued = true
		t.loop.CallSoon(func() {
			t.queued = false
			t.readReady(false)
		})
	}
}

// readReady reads a piece: one in each iteration, so that no connection keeps others waiting. sure: there is something.
func (t *Transport) readReady(sure bool) {
	if !t.reads {
		return
	}
	var p []byte
	if !t.buffered {
		lent := copyBuffers.Get().(*[copyBytes]byte)
		defer copyBuffers.Put(lent)
		p = lent[:]
	} else if p = t.getBuffer(sure); p == nil {
		return
	}
	n, again, err := t.socket.tryRead(p)
	switch {
	case again:
		t.watch.Clear(reading)
		return
	case err != nil:
		t.fatal(err)
		return
	case n == 0:
		t.gotEOF()
		return
	}
	switch {
	case n == len(p):
	case t.socket.endsShort():
		t.watch.Drained()
	default: // if there is more, that is told once more
		t.watch.Clear(reading)
		t.watch.Again()
	}
	if n == len(p) || t.watch.Known(reading) {
		t.readSoon()
	}
	if err := t.guarded(func() { t.give(p[:n]) }); err != nil {
		t.fail(err)
	}
}

// getBuffer is where to read to: nil if there is nothing to read, for which no buffer is asked for, or if the protocol
// failed.
func (t *Transport) getBuffer(sure bool) (p []byte) {
	if !sure {
		if again, err := t.socket.tryPeek(); again {
			t.watch.Clear(reading)
			return nil
		} else if err != nil {
			t.fatal(err)
			return nil
		}
	}
	err := t.guarded(func() { p = t.protocol.(Buffered).GetBuffer(-1) })
	if err == nil && len(p) == 0 {
		err = errors.New("aio: GetBuffer returned an empty buffer, in which nothing can be read; it must have room for a byte at least")
	}
	if err != nil {
		t.fail(err)
		return nil
	}
	return p
}

func (t *Transport) give(p []byte) {
	if t.buffered {
		t.protocol.(Buffered).BufferUpdated(len(p))
		return
	}
	t.protocol.DataReceived(p)
}

func (t *Transport) gotEOF() {
	t.ended = true
	keep := false
	if err := t.guarded(func() { keep = t.protocol.EOFReceived() }); err != nil {
		t.fail(err)
		return
	}
	if keep {
		t.stopReading()
		return
	}
	t.close()
}
