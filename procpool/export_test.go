package procpool

import (
	"os"
	"sync"
	"time"
)

// What rogue workers are made of.

// Frame is a frame on the wire.
func Frame(kind byte, seq uint64, id string, body []byte) []byte {
	f := frame{kind: frameKind(kind), seq: seq, id: id, body: body}
	return append(f.appendHead(nil), body...)
}

const (
	Hello   = byte(frameHello)
	Outcome = byte(frameOutcome)
)

// WorkerArg is in the arguments of a process that runs as a worker.
const WorkerArg = workerArg

// Build is what the hello of a proper worker says.
func Build() string {
	id, err := build()
	if err != nil {
		panic(err)
	}
	return id
}

// WorkerPipes are the descriptors of a worker.
var WorkerPipes = sync.OnceValues(func() (calls, answers *os.File) {
	return os.NewFile(fdCalls, "calls"), os.NewFile(fdAnswers, "answers")
})

// ReadSeq reads a call and returns its number.
func ReadSeq(calls *os.File) uint64 {
	f, err := newFrameReader(calls, nil, 1<<20).next()
	if err != nil {
		os.Exit(9)
	}
	return f.seq
}

// EndWithin sets how long workers may take to end, and returns what undoes that.
func EndWithin(d time.Duration) (undo func()) {
	was := endWithin
	endWithin = d
	return func() { endWithin = was }
}

// LoopsTurn sets how long an answer is left to a loop, and returns what undoes that.
func LoopsTurn(d time.Duration) (undo func()) {
	was := loopsTurn
	loopsTurn = d
	return func() { loopsTurn = was }
}

// Idle is how many workers have nothing to do.
func Idle(p *Pool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}
