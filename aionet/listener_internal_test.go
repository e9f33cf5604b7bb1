package aionet

import (
	"net"
	"testing"
)

// Connections that came to the same address share it; what only looks like it is another one.
func TestListener_shared(t *testing.T) {
	address := func() *net.TCPAddr { return &net.TCPAddr{IP: net.IP{192, 0, 2, 1}, Port: 80} }
	for name, c := range map[string]struct {
		next   net.Addr
		shared bool
	}{
		"the same":             {address(), true},
		"in the longer form":   {&net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}, true},
		"another IP":           {&net.TCPAddr{IP: net.IP{192, 0, 2, 2}, Port: 80}, false},
		"another port":         {&net.TCPAddr{IP: net.IP{192, 0, 2, 1}, Port: 81}, false},
		"another zone":         {&net.TCPAddr{IP: net.IP{192, 0, 2, 1}, Port: 80, Zone: "eth0"}, false},
		"of another network":   {&net.UnixAddr{Name: "s", Net: "unix"}, false},
		"one that has no name": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			l, first := &Listener{}, address()
			if l.shared(first) != net.Addr(first) {
				t.Fatal("the first one's is not its own")
			}
			want := c.next
			if c.shared {
				want = first
			}
			for range 2 { // the second time c.next itself is the last one's
				if got := l.shared(c.next); got != want {
					t.Errorf("it is %v (%p), want %v (%p)", got, got, want, want)
				}
			}
		})
	}
}
