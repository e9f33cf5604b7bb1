package aionet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio"
	"github.com/seed8b1f0744/aio/internal/netpoll"
)

// Dialer has the ways in which [Dial] may be changed. The zero value dials as that does. It may be used
// from any goroutine, several at a time.
type Dialer struct {
	// Timeout is how long it may take in all; 0: as long as the system and ctx let it.
	Timeout time.Duration

	// KeepAlive is how often an idle TCP connection is probed; 0: every 15 seconds, negative: never.
	KeepAlive time.Duration

	// Control is asked for each address, once names are resolved and before it is connected to, with
	// a network of "tcp4", "tcp6", "udp4", "udp6", "unix" or "unixgram". Its error refuses that address, and the next one is tried.
	// It is called where the dialing goes on, in a task of the loop or in a goroutine, and must not block.
	Control func(network, address string) error
}

// Dial connects to an address: asyncio's open_connection and open_unix_connection. network is "tcp", "tcp4", "tcp6",
// "unix", or one of datagrams, see [Conn]: "udp", "udp4", "udp6" or "unixgram". It suspends a task and blocks any
// other goroutine. Names are resolved off the loop; of
// several addresses the next one is begun with after 250 ms, or once the one before has failed, IPv6
// and IPv4 in turns, and the first that answers is taken (RFC 8305).
//
// When ctx ends first its error is returned, and whatever had begun is closed; later ctx has no effect on
// the connection. Errors are *net.OpError; in a callback it is aio.ErrWouldDeadlock. The caller closes
// the connection.
func Dial(ctx context.Context, network, address string) (*Conn, error) {
	var d Dialer
	return d.dial(ctx, network, address)
}

// DialContext is [Dial], in the form that http.Transport and the like ask for; the net.Conn is a
// *[Conn]. It suspends a task and blocks any other goroutine.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (d *Dialer) dial(ctx context.Context, network, address string) (*Conn, error) {
	mustContext(ctx, "Dial")
	if d.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = aio.WithTimeout(ctx, d.Timeout)
		defer cancel()
	}
	s, addr, err := d.connect(ctx, network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Addr: addr, Err: err}
	}
	s.closeWhenDropped()
	return &Conn{socket: s}, nil
}

// mustContext panics where a nil would have it done later, by somebody whom users do not know.
func mustContext(ctx context.Context, who string) {
	if ctx == nil {
		panic("aio: " + who + " needs a context, got nil")
	}
}

// connect is dial, and the address that its error is about.
func (d *Dialer) connect(ctx context.Context, network, address string) (*socket, net.Addr, error) {
	if err := netpoll.Ended(ctx); err != nil {
		return nil, nil, err
	}
	if err := mayWait(); err != nil { // also where it would not have to: the network decides that
		return nil, nil, err
	}
	if !supported {
		return nil, nil, errUnsupported
	}
	if network == "unix" || network == "unixgram" {
		a := target{network: network, name: address}
		s, err := d.connectTo(ctx, a)
		return s, a.addr(), err
	}
	targets, err := resolve(ctx, network, address)
	if err != nil {
		return nil, nil, err
	}
	if len(targets) == 1 {
		s, err := d.connectTo(ctx, targets[0])
		return s, targets[0].addr(), err
	}
	return d.race(ctx, targets)
}

// target is one address.
type target struct {
	network string // "tcp4", "tcp6", "udp4", "udp6", "unix", "unixgram"
	ip      netip.AddrPort
	name    string // of a unix socket
}

func (a target) addr() net.Addr {
	if a.local() {
		return &net.UnixAddr{Name: a.name, Net: a.network}
	}
	return ipAddr(a.network, a.ip)
}

// local reports whether it is that of a unix socket.
func (a target) local() bool { return !a.ip.IsValid() }

// ipAddr is an address in the form that is network's.
func ipAddr(network string, ip netip.AddrPort) net.Addr {
	if ofDatagrams(network) {
		return net.UDPAddrFromAddrPort(ip)
	}
	return net.TCPAddrFromAddrPort(ip)
}

// ofDatagrams reports whether network is one of datagrams.
func ofDatagrams(network string) bool {
	return network == "unixgram" || strings.HasPrefix(network, "udp")
}

func (d *Dialer) connectTo(ctx context.Context, a target) (*socket, error) {
	if d.Control != nil {
		if err := d.Control(a.network, a.addr().String()); err != nil {
			return nil, err
		}
	}
	return connectSocket(ctx, a, d.KeepAlive)
}

// nextAfter is how long an address has before the next one is begun with.
const nextAfter = 250 * time.Millisecond

// race tries several addresses, and takes the first that answers.
func (d *Dialer) race(ctx context.Context, targets []target) (*socket, net.Addr, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type outcome struct {
		s   *socket
		at  target
		err error
	}
	results := aio.NewQueue[outcome](0)
	begun, over := 0, 0
	next := func() {
		at := targets[begun]
		begun++
		alongside(ctx, func(ctx context.Context) {
			s, err := d.connectTo(ctx, at)
			if results.TryPut(outcome{s, at, err}) != nil && s != nil {
				s.close() // another one was quicker
			}
		})
	}
	defer func() {
		results.Close()
		for {
			late, err := results.TryGet()
			if err != nil {
				return
			}
			if late.s != nil {
				late.s.close()
			}
		}
	}()
	var first outcome
	next()
	for {
		wait, stop := ctx, func() {}
		if begun < len(targets) {
			wait, stop = aio.WithTimeout(ctx, nextAfter)
		}
		got, err := results.Get(wait)
		stop()
		switch {
		case err == nil && got.err == nil:
			return got.s, got.at.addr(), nil
		case err == nil:
			if over++; over == 1 {
				first = got
			}
			if over == len(targets) {
				return nil, first.at.addr(), first.err
			}
			if begun < len(targets) {
				next()
			}
		case netpoll.Ended(ctx) != nil:
			return nil, targets[0].addr(), netpoll.Ended(ctx)
		case errors.Is(err, context.DeadlineExceeded):
			next()
		default:
			return nil, nil, err
		}
	}
}

// alongside runs fn beside the caller: in a task if that is one, else in a goroutine.
func alongside(ctx context.Context, fn func(context.Context)) {
	if l, ok := aio.LoopOf(ctx); ok && aio.InTask() {
		aio.Submit(ctx, l, aio.Do(func(ctx context.Context) error { fn(ctx); return nil }), aio.Named("dial"))
		return
	}
	go fn(ctx)
}

// resolve is what address names, IPv6 and IPv4 in turns, at least one.
func resolve(ctx context.Context, network, address string) ([]target, error) {
	switch network {
	case "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6":
	default:
		return nil, net.UnknownNetworkError(network)
	}
	if at, err := netip.ParseAddrPort(address); err == nil {
		return pick([]netip.Addr{at.Addr()}, network, address, at.Port())
	}
	host, service, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	type found struct {
		ips  []netip.Addr
		port int
	}
	f, err := aio.Blocking(ctx, func(ctx context.Context) (f found, err error) {
		if f.port, err = net.DefaultResolver.LookupPort(ctx, network, service); err != nil || host == "" {
			return f, err
		}
		f.ips, err = net.DefaultResolver.LookupNetIP(ctx, "ip"+network[len("tcp"):], host)
		return f, err
	})
	if err != nil {
		return nil, err
	}
	if host == "" {
		f.ips = []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	}
	return pick(f.ips, network, address, uint16(f.port))
}

// pick sorts addresses in turns, and leaves out what network does not allow.
func pick(ips []netip.Addr, network, address string, port uint16) ([]target, error) {
	var of [2][]target // of the kind that comes first, and the other
	for _, ip := range ips {
		kind := network[:len("tcp")]
		a := target{network: kind + "6", ip: netip.AddrPortFrom(ip.Unmap(), port)}
		if ip.Unmap().Is4() {
			a.network = kind + "4"
		}
		if network != kind && network != a.network {
			continue
		}
		i := 0
		if len(of[0]) > 0 && of[0][0].network != a.network {
			i = 1
		}
		of[i] = append(of[i], a)
	}
	var all []target
	for i := range max(len(of[0]), len(of[1])) {
		for _, list := range of {
			if i < len(list) {
				all = append(all, list[i])
			}
		}
	}
	if len(all) == 0 {
		return nil, &net.AddrError{Err: fmt.Sprintf("no address that suits %s", network), Addr: address}
	}
	return all, nil
}
