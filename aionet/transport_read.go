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
	t.watch.OnReady(reading, t.readReady)
	t.readSoon() // what has come before is not told of again
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
			t.readReady()
		})
	}
}

// readReady reads a piece: one in each iteration, so that no connection keeps others waiting.
func (t *Transport) readReady() {
	if !t.reads || t.queued {
		return
	}
	var p []byte
	if !t.buffered {
		lent := copyBuffers.Get().(*[copyBytes]byte)
		defer copyBuffers.Put(lent)
		p = lent[:]
	} else if err := t.guarded(func() { p = t.protocol.(Buffered).GetBuffer(-1) }); err != nil {
		t.fatal(err)
		return
	} else if len(p) == 0 {
		t.fatal(errors.New("aio: GetBuffer returned an empty buffer"))
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
	if n < len(p) {
		t.watch.Drained()
	}
	if n == len(p) || t.watch.Ready(reading) {
		t.readSoon()
	}
	if err := t.guarded(func() { t.give(p[:n]) }); err != nil {
		t.fatal(err)
	}
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
		t.fatal(err)
		return
	}
	if keep {
		t.stopReading()
		return
	}
	t.close()
}
