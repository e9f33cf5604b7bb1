package refire

import (
	"context"
	"errors"

	"github.com/seed8b1f0744/aio"
)

// Announcer is a Sink that can be told of requests before they are fired, so that what is under way when a run is killed is known to the next one, which
// does not fire it again. Its methods block (they are run on an executor), are called by one goroutine at a time, and concurrently with Append.
type Announcer interface {
	Sink

	// Announce writes down that these requests of that round are about to be fired. With an error none of them is, nothing else is begun, and it is not called
	// any more; what was announced before and is under way ends, and is appended.
	Announce(requests []Request, round int) error

	// Withdraw takes back what was announced, and was then not fired: not a byte of it was sent. It is called after an error, too.
	Withdraw(requests []Request, round int) error
}

// announcement is a request to be announced or, without a promise, withdrawn; without a request, too: there are no more.
type announcement struct {
	request *Request
	written *aio.Promise[struct{}]
}

// onlyOnce reports whether req must not be sent again once a byte of it was.
func (r *run) onlyOnce(req *Request) bool { return r.Once != nil && r.Once(req) }

// announce returns when req may be fired. An error means that it is not, and that nothing else is.
func (r *run) announce(ctx context.Context, req *Request) error {
	if _, ok := r.Sink.(Announcer); !ok || !r.onlyOnce(req) {
		return nil
	}
	a := announcement{req, aio.NewPromise[struct{}]()}
	if err := r.announcements.TryPut(a); err != nil {
		return err
	}
	_, err := a.written.Await(context.WithoutCancel(ctx))
	return err
}

// announced reports whether req may be fired: it is announced if it must be, and the run has not been stopped meanwhile.
func (r *run) announced(work, intake context.Context, req *Request) bool {
	if r.announce(work, req) != nil {
		return false
	}
	if intake.Err() != nil {
		r.withdraw(req)
		return false
	}
	return true
}

// withdraw says that req was announced in vain.
func (r *run) withdraw(req *Request) {
	if _, ok := r.Sink.(Announcer); ok && r.onlyOnce(req) {
		_ = r.announcements.TryPut(announcement{request: req}) // without a limit: it always takes it
	}
}

// writeAnnouncements writes what is there, in one go, until there are no more. After a failure it refuses the rest, and nothing new is begun; what is under
// way has its line, and goes on.
func (r *run) writeAnnouncements(ctx context.Context, stop func(error)) (failure error) {
	sink, _ := r.Sink.(Announcer)
	for last := false; !last; {
		var fire, leave []Request
		var waiting []*aio.Promise[struct{}]
		a, err := r.announcements.Get(context.WithoutCancel(ctx))
		if err != nil {
			return err
		}
		for ; err == nil; a, err = r.announcements.TryGet() {
			switch {
			case a.request == nil:
				last = true
			case a.written == nil:
				leave = append(leave, *a.request)
			default:
				fire, waiting = append(fire, *a.request), append(waiting, a.written)
			}
		}
		if failure != nil {
			fire = nil
		}
		if len(fire)+len(leave) > 0 {
			if err := r.writeDown(ctx, sink, fire, leave); err != nil && failure == nil {
				failure = err
				stop(failure)
			}
		}
		for _, w := range waiting {
			if failure != nil {
				w.Reject(failure)
			} else {
				w.Resolve(struct{}{})
			}
		}
	}
	return failure
}

func (r *run) writeDown(ctx context.Context, sink Announcer, fire, leave []Request) error {
	round := r.Ledger.Round()
	err := blocking(ctx, func() (err error) {
		if len(fire) > 0 {
			err = sink.Announce(fire, round)
		}
		if len(leave) > 0 {
			err = errors.Join(err, sink.Withdraw(leave, round))
		}
		return err
	})
	if err != nil {
		return &SinkError{err}
	}
	return nil
}
