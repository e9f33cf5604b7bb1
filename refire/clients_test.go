package refire_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/refire"
)

// closingClient is what both clients are.
type closingClient interface {
	refire.Client
	Close() error
}

// newClientFunc returns a client that may connect to the origins. "base.test" is this machine.
type newClientFunc func(t testing.TB, c refire.HTTPConfig, origins ...refire.Origin) closingClient

// eachClient runs test on every client: what a request and its answer come to does not depend on which one is chosen.
func eachClient(t *testing.T, test func(t *testing.T, newClient newClientFunc)) {
	for name, make := range clients() {
		t.Run(name, func(t *testing.T) {
			test(t, func(t testing.TB, c refire.HTTPConfig, origins ...refire.Origin) closingClient {
				t.Helper()
				return pinned(t, make, c, origins)
			})
		})
	}
}

func clients() map[string]func(testing.TB, refire.HTTPConfig) closingClient {
	all := map[string]func(testing.TB, refire.HTTPConfig) closingClient{
		"net/http": func(_ testing.TB, c refire.HTTPConfig) closingClient { return refire.NewHTTPClient(c) },
	}
	if refire.LoopClients {
		all["loop"] = newTaskClient
		all["loop in goroutines"] = func(_ testing.TB, c refire.HTTPConfig) closingClient { return refire.NewLoopClient(c) }
	}
	return all
}

func pinned(t testing.TB, make func(testing.TB, refire.HTTPConfig) closingClient, c refire.HTTPConfig, origins []refire.Origin) closingClient {
	t.Helper()
	var places []string
	for _, o := range origins {
		places = append(places, o.HostPort())
	}
	lookup := func(_ context.Context, _, host string) ([]netip.Addr, error) {
		if host != "base.test" {
			t.Errorf("%s is looked up", host)
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	var err error
	if c.Pins, err = refire.Pin(t.Context(), lookup, places); err != nil {
		t.Fatal(err)
	}
	if c.Timeout == 0 {
		c.Timeout = 20 * time.Second
	}
	return kept(t, make, c)
}

// kept is a client that is closed at the test's end.
func kept(t testing.TB, make func(testing.TB, refire.HTTPConfig) closingClient, c refire.HTTPConfig) closingClient {
	t.Helper()
	client := make(t, c)
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return client
}

// taskClient makes each attempt in a task of a loop, as a Firing does.
type taskClient struct {
	*refire.LoopClient
	loop *aio.Loop
}

func newTaskClient(t testing.TB, c refire.HTTPConfig) closingClient {
	return &taskClient{refire.NewLoopClient(c), aio.Start()}
}

func (c *taskClient) Attempt(ctx context.Context, r *refire.Request) refire.Answer {
	answer, err := aio.Submit(context.WithoutCancel(ctx), c.loop, func(context.Context) (refire.Answer, error) {
		return c.LoopClient.Attempt(ctx, r), nil
	}).Await(context.WithoutCancel(ctx))
	if err != nil {
		return refire.Answer{Err: &refire.Failure{Trouble: refire.Other, Err: err}}
	}
	return answer
}

func (c *taskClient) Close() error {
	if err := c.LoopClient.Close(); err != nil {
		return err
	}
	return c.loop.Close()
}

// canSend reports whether the client sends r as it is.
func canSend(c closingClient, r *refire.Request) bool {
	if _, http := c.(*refire.HTTPClient); http {
		return refire.CanSendHTTP(r)
	}
	return refire.CanSendLoop(r)
}
