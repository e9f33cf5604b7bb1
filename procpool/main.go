package procpool

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/seed8b1f0744/aio/job"
)

// Main must be the first statement of main, and of TestMain where tests use a pool. In a worker it
// serves calls and never returns; elsewhere it does nothing, and does not suspend. It may be called
// from any goroutine, but jobs run on the one that calls it.
//
// What stands before Main is run in every worker too. So are initialisers of packages; the variables
// that define jobs belong there.
func Main() {
	mainCalled.Store(true)
	if !ordered {
		return
	}
	if orders.maxFrameBytes <= 0 {
		giveUp("it was started as a worker, but not by a pool of this version, or its environment was changed on the way")
	}
	nameProcess()
	go endWithParent()
	finish(serve(orders))
}

// finish ends a worker that has no more to do.
func finish(err error) {
	if err != nil {
		giveUp(err.Error())
	}
	os.Exit(0)
}

// giveUp ends a worker that cannot go on. The pool reads its stderr.
func giveUp(why string) {
	fmt.Fprintln(os.Stderr, "aio: procpool worker:", why)
	os.Exit(2)
}

// endWithParent ends the worker when the pool's end of a pipe is closed, which nothing but the end of
// the pool or of its process does.
func endWithParent() {
	_, err := os.NewFile(fdParent, "parent").Read(make([]byte, 1))
	if errors.Is(err, io.EOF) {
		os.Exit(0)
	}
	giveUp(fmt.Sprintf("it cannot see whether its parent lives: %v", err))
}

// server is what a worker does.
type server struct {
	orders  workerOrders
	calls   *frameReader
	answers *os.File
	buf     []byte
}

// serve runs calls, one at a time, until there are no more. The files block: the thread that waits
// for a call is the one that runs it.
func serve(o workerOrders) error {
	id, err := build()
	if err != nil {
		return fmt.Errorf("it cannot read its own program: %w", err)
	}
	s := &server{
		orders:  o,
		calls:   newFrameReader(os.NewFile(fdCalls, "calls"), o.maxFrameBytes),
		answers: os.NewFile(fdAnswers, "answers"),
		buf:     make([]byte, 0, oneWrite),
	}
	if err := s.answer(&frame{kind: frameHello, id: id}); err != nil {
		return err
	}
	return s.loop()
}

func (s *server) loop() error {
	for {
		f, err := s.calls.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if f.kind != frameCall {
			return fmt.Errorf("the pool sent a frame of kind %d", f.kind)
		}
		outcome := s.run(&f)
		answer := frame{kind: frameOutcome, seq: f.seq, body: outcome}
		if limit := s.orders.maxFrameBytes; len(outcome) > limit {
			answer.kind = frameRefused
			answer.body = []byte(tooLarge("result", len(outcome), limit))
		}
		if err := s.answer(&answer); err != nil {
			return err
		}
	}
}

func (s *server) answer(f *frame) error {
	if s.orders.tellMemory {
		f.memory = uint64(residentBytes())
	}
	return f.writeTo(s.answers, s.buf)
}

// run runs one call. One that goes by runtime.Goexit would end the goroutine of main, and nobody
// would serve any more, so the others are served while that unwinds.
func (s *server) run(f *frame) []byte {
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			panic(v)
		}
		err := s.answer(&frame{kind: frameGoexit, seq: f.seq})
		if err == nil {
			err = s.loop()
		}
		finish(err)
	}()
	outcome := job.Serve(context.Background(), job.Call{ID: f.id, Name: f.name, Payload: f.body})
	returned = true
	return outcome
}
