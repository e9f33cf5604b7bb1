package refire

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
)

// TestPlace_dial: the address that worked last comes first, each is told its share, there is an end, and the error is the first one's.
func TestPlace_dial(t *testing.T) {
	addr := netip.MustParseAddrPort
	pl := &place{addrs: []netip.AddrPort{addr("192.0.2.1:80"), addr("192.0.2.2:80"), addr("192.0.2.3:80")}}
	var asked []string
	var left []int
	works := "192.0.2.2:80"
	conn, _ := net.Pipe()
	defer conn.Close()
	first := errors.New("of the first")
	dial := func(more bool) error {
		asked, left = nil, nil
		_, err := pl.dial(func(a netip.AddrPort, n int) (net.Conn, error) {
			asked, left = append(asked, a.String()), append(left, n)
			if a.String() == works {
				return conn, nil
			}
			if len(asked) == 1 {
				return nil, first
			}
			return nil, errors.New("of another")
		}, func() bool { return more })
		return err
	}
	if err := dial(true); err != nil || !slices.Equal(asked, []string{"192.0.2.1:80", "192.0.2.2:80"}) || !slices.Equal(left, []int{3, 2}) {
		t.Errorf("%v: %v, %v", err, asked, left)
	}
	if err := dial(true); err != nil || !slices.Equal(asked, []string{"192.0.2.2:80"}) || !slices.Equal(left, []int{3}) {
		t.Errorf("again: %v: %v, %v", err, asked, left)
	}
	works = ""
	if err := dial(true); err != first || !slices.Equal(asked, []string{"192.0.2.2:80", "192.0.2.3:80", "192.0.2.1:80"}) {
		t.Errorf("none: %v: %v", err, asked)
	}
	if err := dial(false); err != first || len(asked) != 1 {
		t.Errorf("out of time: %v: %v", err, asked)
	}
}

// TestPlace_control lets a socket connect to what is pinned and to nothing else.
func TestPlace_control(t *testing.T) {
	pl := &place{addrs: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:80"), netip.MustParseAddrPort("[2001:db8::1]:443")}}
	for address, want := range map[string]bool{
		"192.0.2.1:80": true, "[::ffff:192.0.2.1]:80": true, "[2001:db8::1]:443": true,
		"192.0.2.1:81": false, "192.0.2.2:80": false, "[2001:db8::1]:80": false, "[::1]:80": false, "h:80": false, "": false,
	} {
		if err := pl.control("tcp", address, nil); (err == nil) != want {
			t.Errorf("%q: %v", address, err)
		}
	}
}
