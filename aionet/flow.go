package aionet

import "github.com/seed8b1f0744/aio/internal/netpoll"

// SetWriteLimits sets when the protocol is told to pause and to resume writing; if more than High waits already, it
// is told to pause. It panics if Low is above High.
func (t *Transport) SetWriteLimits(w WriteLimits) {
	if w.High != 0 && w.Low > max(w.High, 0) {
		panic("aio: WriteLimits: Low is above High")
	}
	t.here(func() {
		t.setLimits(w)
		t.maybePause()
	})
}

func (t *Transport) setLimits(w WriteLimits) {
	switch {
	case w.High > 0 && w.Low <= 0:
		w.Low = w.High / 4
	case w.High == 0 && w.Low > 0:
		w.High = 4 * w.Low
	case w.High == 0:
		t.limits = nil
		return
	}
	t.limits = &WriteLimits{Low: max(w.Low, 0), High: max(w.High, 0)}
}

// usualLimits are those of who has set none.
var usualLimits = WriteLimits{Low: 16 << 10, High: 64 << 10}

func (t *Transport) writeLimits() *WriteLimits {
	if t.limits != nil {
		return t.limits
	}
	return &usualLimits
}

func (t *Transport) maybePause() {
	if !t.flow || t.held || t.waiting() <= t.writeLimits().High {
		return
	}
	t.held = true
	if err := t.guarded(t.protocol.(FlowControlled).PauseWriting); err != nil {
		netpoll.Report(t.loop.Context(), nil, err)
	}
}

func (t *Transport) maybeResume() {
	if !t.flow || !t.held || t.waiting() > t.writeLimits().Low {
		return
	}
	t.held = false
	if err := t.guarded(t.protocol.(FlowControlled).ResumeWriting); err != nil {
		netpoll.Report(t.loop.Context(), nil, err)
	}
}
