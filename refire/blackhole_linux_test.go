package refire_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
)

// blackHole is an address of this machine that takes no more connections and refuses none: its queue is full.
func blackHole(t *testing.T) (port int) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port = name.(*syscall.SockaddrInet4).Port
	for range 10 {
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", port), 100*time.Millisecond)
		if err != nil {
			return port
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Skip("the queue does not fill")
	return 0
}

// TestFirstAddressIsSilent: of two addresses the first gives no answer, not even a refusal; the attempt has time left for the second. It waits for real: half
// of the timeout.
func TestFirstAddressIsSilent(t *testing.T) {
	for name, make := range clients() {
		t.Run(name, func(t *testing.T) {
			testFirstAddressIsSilent(t, func(c refire.HTTPConfig) closingClient { return kept(t, make, c) })
		})
	}
}

func testFirstAddressIsSilent(t *testing.T, newClient func(refire.HTTPConfig) closingClient) {
	port := blackHole(t)
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.2:%d", port))
	if err != nil {
		t.Skip(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
	go s.Serve(l)
	defer s.Close()
	lookup := func(context.Context, string, string) ([]netip.Addr, error) {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")}, nil
	}
	origin := refire.Origin{Scheme: "http", Host: "shop.test", Port: uint16(port)}
	pins, err := refire.Pin(t.Context(), lookup, []string{origin.HostPort()})
	if err != nil {
		t.Fatal(err)
	}
	client := newClient(refire.HTTPConfig{Pins: pins, Timeout: time.Second})
	for range 2 {
		r := refire.Request{Method: "GET", Origin: origin, Target: "/"}
		if a := client.Attempt(t.Context(), &r); a.Status != 200 {
			t.Errorf("%+v", a)
		}
	}
}
