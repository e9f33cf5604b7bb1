package refire_test

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
)

func TestPinFails(t *testing.T) {
	noSuch := errors.New("no such host")
	for name, lookup := range map[string]refire.LookupFunc{
		"error":   func(context.Context, string, string) ([]netip.Addr, error) { return nil, noSuch },
		"nothing": func(context.Context, string, string) ([]netip.Addr, error) { return nil, nil },
	} {
		_, err := refire.Pin(t.Context(), lookup, []string{"127.0.0.1:80", "[::1]:80", "shop.test:80"})
		if err == nil || !strings.Contains(err.Error(), "cannot find the address of shop.test") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPinIsOnce: a name that later means another address does not lead there, and an address where nobody listens does not hide one where somebody does.
func TestPinIsOnce(t *testing.T) {
	for name, make := range clients() {
		t.Run(name, func(t *testing.T) {
			testPinIsOnce(t, func(c refire.HTTPConfig) closingClient { return kept(t, make, c) })
		})
	}
}

func testPinIsOnce(t *testing.T, newClient func(refire.HTTPConfig) closingClient) {
	s := newRawServer(t, nil)
	port := s.origin(t).Port
	looked := 0
	lookup := func(context.Context, string, string) ([]netip.Addr, error) {
		looked++
		return []netip.Addr{netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.1")}, nil
	}
	origin := refire.Origin{Scheme: "http", Host: "shop.test", Port: port}
	pins, err := refire.Pin(t.Context(), lookup, []string{origin.HostPort()})
	if err != nil {
		t.Fatal(err)
	}
	client := newClient(refire.HTTPConfig{Pins: pins})
	for range 3 {
		r := refire.Request{Method: "GET", Origin: origin, Target: "/"}
		if a := client.Attempt(t.Context(), &r); a.Status != 200 {
			t.Errorf("%+v", a)
		}
	}
	if looked != 1 {
		t.Errorf("looked up %d times", looked)
	}
}
