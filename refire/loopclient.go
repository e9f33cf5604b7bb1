package refire

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/seed8b1f0744/aio"
)

// LoopClient is a Client whose attempts are made in the calling task, over package aionet: no goroutine is started for them, and none is waited for. It
// speaks HTTP/1.1 and nothing else. Close it when no attempt is running any more.
//
// It writes requests itself, so that any well-formed target goes out as it is, and reads answers as net/http does: with http.ReadResponse, but for the
// head of an ordinary answer, which is read by plainHead.
type LoopClient struct {
	sites   map[Origin]*site // immutable
	room    *aio.Semaphore
	timeout time.Duration
	maxBody int64
	veil    veil
}

// NewLoopClient returns a client. It takes no proxy, no cookies, no redirects, no HTTP/2 and no compression. Where LoopClients is
// false its attempts fail.
func NewLoopClient(c HTTPConfig) *LoopClient {
	c.setDefaults()
	client := &LoopClient{
		sites: map[Origin]*site{}, room: aio.NewSemaphore(c.Connections), timeout: c.Timeout, maxBody: c.MaxBodyBytes, veil: newVeil(c.Headers),
	}
	for _, o := range c.Pins.origins {
		if c.Pins.Proxy(o) == nil {
			client.sites[o] = newSite(o, &c)
		}
	}
	return client
}

// Close closes idle connections. Attempts that come later fail.
func (c *LoopClient) Close() error {
	for _, s := range c.sites {
		s.close()
	}
	return nil
}

// CanSendLoop reports whether a LoopClient puts r.Target into the request line as it is: it can, if it is well-formed.
func CanSendLoop(r *Request) bool { return r.WellFormed() }

// Attempt implements Client.
func (c *LoopClient) Attempt(ctx context.Context, r *Request) Answer {
	if !r.WellFormed() {
		return unsent(Other, fmt.Errorf("%s", CannotSend))
	}
	s := c.sites[r.Origin]
	if s == nil {
		return unsent(Other, notThere(r.Origin.HostPort()))
	}
	if err := c.room.Acquire(ctx); err != nil {
		return unsent(Other, err)
	}
	defer c.room.Release()
	start := time.Now()
	answer := c.veil.over(c.roundTrips(ctx, s, r, start.Add(c.timeout)))
	answer.Latency = time.Since(start)
	return answer
}

func unsent(t Trouble, err error) Answer {
	return Answer{Err: &Failure{Trouble: t, Err: err}, Unsent: true}
}

// roundTrips sends the request once. Only where a kept connection took not a single byte of it, another one is taken.
func (c *LoopClient) roundTrips(ctx context.Context, s *site, r *Request, deadline time.Time) Answer {
	for stale := 0; ; stale++ {
		conn, err := s.take(ctx, deadline)
		if err != nil {
			return Answer{Err: classify(c.whyEnded(ctx, err)), Unsent: true}
		}
		answer, err := conn.exchange(r, s, c.maxBody)
		if err == nil && conn.reusable {
			s.keep(conn)
			return answer
		}
		conn.Close()
		if err == nil {
			return answer
		}
		if answer.Unsent && conn.reused && stale < maxStale && ctx.Err() == nil {
			continue
		}
		answer.Err = c.failure(ctx, err, answer)
		return answer
	}
}

// failure is what err means after answer, which is empty if not even its head was there.
func (c *LoopClient) failure(ctx context.Context, err error, answer Answer) *Failure {
	f := classify(c.whyEnded(ctx, err))
	if garbage := (*garbageError)(nil); f.Trouble != Timeout && errors.As(err, &garbage) {
		f.Trouble = Garbage
	}
	if answer.Status != 0 {
		if f.Trouble != Timeout {
			f.Trouble = Cut
		}
		f.Err = fmt.Errorf("after %d bytes of the body: %w", answer.Bytes, f.Err)
	}
	return f
}

// whyEnded prefers the end of ctx and of the attempt's time to what they look like on the connection.
func (c *LoopClient) whyEnded(ctx context.Context, err error) error {
	end := ctx.Err()
	if end == nil && (errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)) {
		end = context.DeadlineExceeded
	}
	switch {
	case end == context.DeadlineExceeded:
		return fmt.Errorf("not within %v: %w", c.timeout, end)
	case end != nil:
		return end
	}
	return err
}
