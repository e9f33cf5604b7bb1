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
		w.High, w.Low = 64<<10, 16<<10
	}
	t.low, t.high = max(w.Low, 0), max(w.High, 0)
}

func (t *Transport) maybePause() {
	if t.flow == nil || t.held || t.waiting() <= t.high {
		return
	}
	t.held = true
	if err := t.guarded(t.flow.PauseWriting); err != nil {
		netpoll.Report(t.loop.Context(), nil, err)
	}
}

func (t *Transport) maybeResume() {
	if t.flow == nil || !t.held || t.waiting() > t.low {
		return
	}
	t.held = false
	if err := t.guarded(t.flow.ResumeWriting); err != nil {
		netpoll.Report(t.loop.Context(), nil, err)
	}
}
