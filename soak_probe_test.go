package aio_test

import (
	"context"
	"errors"
	"runtime"
	"testing/synctest"
	"time"

	"github.com/seed8b1f0744/aio"
)

// What becomes of an executor of the bridge after the load. While there is load, a wake-up that gets lost is soon made good by the next one; here there is none.

const probeRounds = 4

// probe is an executor that is full.
type probe struct {
	*place
	ctx   context.Context // of all who wait; it ends only if something is lost
	held  []chan soakEnd  // those that wait to be told how to end, in the order they were accepted
	began chan struct{}
	left  int // those that have not begun
}

// probe fills an idle executor, sees that whoever waits for room gets what there is, and empties it.
func (p *place) probe() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	q, ok := p.fill(ctx)
	defer q.release()
	switch {
	case !ok:
	case p.waitsForRoom():
		for i := 0; i < probeRounds && q.passOn(); i++ {
		}
	case p.config.FailIfFull:
		if _, err := q.submit(ctx); err != aio.ErrFull {
			p.b.t.Errorf("%s is full and says %v", p, err)
		}
		fallthrough
	default:
		for q.left > 0 {
			q.endOne()
		}
	}
}

func (p *place) waitsForRoom() bool { return !p.config.FailIfFull && p.config.Queue >= 0 }

// fill fills an idle executor; it reports whether that was possible.
func (p *place) fill(ctx context.Context) (*probe, bool) {
	room := p.config.Workers + max(p.config.Queue, 0)
	if p.config.Queue < 0 {
		room += 3
	}
	q := &probe{place: p, ctx: ctx, began: make(chan struct{}, room+2*probeRounds)}
	for i := range room {
		err := q.took(q.submit(ctx))
		if p.closing.Load() && err == aio.ErrClosed {
			return q, false
		}
		if err != nil {
			p.b.t.Errorf("%s had nothing to do and did not take call %d: %v", p, i+1, err)
			return q, false
		}
		if i < p.config.Workers {
			<-q.began
			q.left--
		}
	}
	if s := p.stats(); p.pool != nil && (s.Workers != p.config.Workers || s.Busy != s.Workers || s.Waiting != q.left) {
		p.b.t.Errorf("%s is full and has %+v", p, s)
	}
	return q, true
}

// closeFull closes an executor that is full: what it has taken is run, who waits is told.
func (p *place) closeFull() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	q, ok := p.fill(ctx)
	if !ok {
		return
	}
	var waiting []<-chan func() (chan soakEnd, error)
	for i := 0; i < 2 && p.waitsForRoom(); i++ {
		waiting = append(waiting, q.waits(ctx))
	}
	q.sync()
	closed := make(chan error, 1)
	go func() { closed <- p.Close() }()
	for _, result := range waiting {
		if err := q.took((<-result)()); err != aio.ErrClosed {
			p.b.t.Errorf("%s is closed, and who waits for room got %v", p, err)
		}
	}
	for q.left > 0 {
		q.endOne()
	}
	for _, told := range q.held {
		told <- endsWell
	}
	if err := <-closed; err != nil {
		p.b.t.Errorf("closing %s: %v", p, err)
	}
}

// submit hands over a call that ends when it is told to, and how.
func (q *probe) submit(ctx context.Context) (told chan soakEnd, err error) {
	told = make(chan soakEnd, 1)
	return told, q.Submit(ctx, func() {
		q.began <- struct{}{}
		if <-told == endsGone {
			runtime.Goexit()
		}
	})
}

// took notes what became of a submit.
func (q *probe) took(told chan soakEnd, err error) error {
	if err == nil {
		q.held = append(q.held, told)
		q.left++
	}
	return err
}

// endOne ends the call that was accepted first, and sees the next one begin.
func (q *probe) endOne() {
	how := endsWell
	if q.b.random.IntN(2) == 0 {
		how = endsGone
	}
	q.held[0] <- how
	q.held = q.held[1:]
	if q.left > 0 {
		<-q.began
		q.left--
	}
}

// passOn has two wait for room. One gives up, perhaps when it has been given some. It reports whether that went well.
func (q *probe) passOn() bool {
	ctx, giveUp := context.WithCancel(q.ctx)
	defer giveUp()
	first, second := q.waits(ctx), q.waits(q.ctx)
	q.sync()
	if q.b.random.IntN(3) > 0 {
		q.endOne()
		for range q.b.random.IntN(3) {
			runtime.Gosched()
		}
		giveUp()
	} else {
		giveUp()
		q.endOne()
	}
	switch err := q.took((<-first)()); {
	case err == nil:
		q.begun()
		q.endOne()
	case !errors.Is(err, context.Canceled):
		q.b.t.Errorf("%s: who gave up waiting for room got %v", q, err)
	}
	if err := q.took((<-second)()); err != nil {
		q.b.t.Errorf("%s: there is room and nobody before it, and who waits for it got %v", q, err)
		return false
	}
	q.begun()
	return true
}

// begun notes that a call was accepted that may have begun at once.
func (q *probe) begun() {
	if q.config.Queue == 0 {
		<-q.began
		q.left--
	}
}

// waits is a submit in a goroutine or a task.
func (q *probe) waits(ctx context.Context) (result <-chan func() (chan soakEnd, error)) {
	results := make(chan func() (chan soakEnd, error), 1)
	submit := func(context.Context) error {
		told, err := q.submit(ctx)
		results <- func() (chan soakEnd, error) { return told, err }
		return nil
	}
	if l := q.b.loops[q.b.random.IntN(len(q.b.loops))].Load(); l != q.b.early && q.b.random.IntN(2) == 0 {
		q.b.aside[l]++
		aio.Submit(context.Background(), l.Loop, aio.Do(submit))
	} else {
		go func() { _ = submit(ctx) }()
	}
	return results
}

// sync lets others run until they wait, or so it is to be hoped.
func (q *probe) sync() {
	if q.b.bubble {
		synctest.Wait()
		return
	}
	for range 10 {
		runtime.Gosched()
	}
}

// release ends what is left.
func (q *probe) release() {
	for _, told := range q.held {
		told <- endsWell
	}
	q.b.calm()
}
