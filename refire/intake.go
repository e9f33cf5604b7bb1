package refire

import (
	"context"

	"github.com/seed8b1f0744/aio"
)

// readAhead is how many requests may wait to be fired. A log is read far faster than any server answers, so few are enough; each may be as long as a line.
const readAhead = 16

// found is a request that a source yielded; without a method: there are no more.
type found struct {
	request Request
	read    int64
}

// intake hands requests from the goroutine that reads to the task that admits them. The task takes all that are there: so the two wake each other up once for
// many requests while the log is ahead of the server, and at once for each where it is not (a log that is still being written).
type intake struct {
	room chan struct{}        // holds one when the reader may go on
	more *aio.Queue[struct{}] // holds one when there may be something to take
	here chan []found         // holds what the reader has read, unless one of the two has it in hand; only the reader puts it there

	taken []found // the task's: not yet yielded
}

func newIntake() *intake {
	return &intake{room: make(chan struct{}, 1), more: aio.NewQueue[struct{}](1), here: make(chan []found, 1)}
}

// put is called by the reader. It blocks while there is no room, and fails when ctx has ended.
func (in *intake) put(ctx context.Context, f found) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var all []found
	select {
	case all = <-in.here:
	default:
		all = make([]found, 0, readAhead)
	}
	all = append(all, f)
	n := len(all)
	in.here <- all
	_ = in.more.TryPut(struct{}{}) // full: the task has not looked yet
	if n < readAhead {
		return nil
	}
	select {
	case <-in.room:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// get is called by the task. It suspends while there is nothing.
func (in *intake) get(ctx context.Context) (found, error) {
	if ctx.Err() != nil {
		return found{}, context.Cause(ctx)
	}
	for len(in.taken) == 0 {
		select {
		case in.taken = <-in.here:
			if len(in.taken) == readAhead { // the reader waits, or is about to
				in.room <- struct{}{}
			}
		default:
			if _, err := in.more.Get(ctx); err != nil {
				return found{}, err
			}
		}
	}
	f := in.taken[0]
	in.taken[0] = found{} // its strings are the line's
	in.taken = in.taken[1:]
	return f, nil
}
