package refire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Pins holds the addresses of every place a request may go to. A connection is made to these and to nothing else: names are looked up once, before anything
// is fired, so that neither a log line nor a name server can lead a later request away.
//
// Places behind a proxy are not looked up: the proxy finds them, by the name it is told, and the address that is pinned is the proxy's.
type Pins struct {
	places  map[string]*place // by "host:port": the only ones to connect to; immutable after Pin
	proxies map[Origin]*Proxy // of the origins that have one; immutable
	origins []Origin          // where requests may go
}

type place struct {
	addrs []netip.AddrPort
	good  atomic.Uint32 // index of the address that worked last
}

// LookupFunc finds the addresses of a name, as (*net.Resolver).LookupNetIP does.
type LookupFunc func(ctx context.Context, network, host string) ([]netip.Addr, error)

// Pin looks up all of hostPorts ("host:port"), which are fired at over http and https.
func Pin(ctx context.Context, lookup LookupFunc, hostPorts []string) (*Pins, error) {
	p := &Pins{places: make(map[string]*place, len(hostPorts))}
	for _, hp := range hostPorts {
		host, port, err := p.pin(ctx, lookup, hp)
		if err != nil {
			return nil, err
		}
		p.origins = append(p.origins, Origin{"http", host, port}, Origin{"https", host, port})
	}
	return p, nil
}

// PinThrough looks up the proxies of origins, and those origins that have none. Only an HTTPClient fires through proxies; for a LoopClient an origin that has
// one is no place to fire at.
func PinThrough(ctx context.Context, lookup LookupFunc, origins []Origin, proxyFor func(Origin) (*Proxy, error)) (*Pins, error) {
	p := &Pins{places: map[string]*place{}, proxies: map[Origin]*Proxy{}, origins: origins}
	for _, o := range origins {
		proxy, err := proxyFor(o)
		if err != nil {
			return nil, fmt.Errorf("refire: the proxy for %v: %w", o, err)
		}
		hp := o.HostPort()
		if proxy != nil {
			p.proxies[o], hp = proxy, proxy.HostPort()
		}
		if _, _, err := p.pin(ctx, lookup, hp); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Proxy is the proxy that requests to o go through; nil: they go straight there.
func (p *Pins) Proxy(o Origin) *Proxy { return p.proxies[o] }

// pin looks hp up, once.
func (p *Pins) pin(ctx context.Context, lookup LookupFunc, hp string) (host string, port uint16, err error) {
	host, digits, err := net.SplitHostPort(hp)
	if err != nil {
		return "", 0, fmt.Errorf("refire: %w", err)
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("refire: port of %s: %w", hp, err)
	}
	if p.places[hp] != nil {
		return host, uint16(n), nil
	}
	addrs, err := addresses(ctx, lookup, host)
	if err != nil {
		return "", 0, fmt.Errorf("refire: cannot find the address of %s: %w", host, err)
	}
	pl := &place{}
	for _, a := range addrs {
		pl.addrs = append(pl.addrs, netip.AddrPortFrom(a.Unmap(), uint16(n)))
	}
	p.places[hp] = pl
	return host, uint16(n), nil
}

func addresses(ctx context.Context, lookup LookupFunc, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	addrs, err := lookup(ctx, "ip", host)
	if err == nil && len(addrs) == 0 {
		err = errors.New("the name has none")
	}
	return addrs, err
}

// place is the pinned one that addr names ("host:port"); names are never looked up here.
func (p *Pins) place(addr string) (*place, error) {
	if pl := p.places[strings.ToLower(addr)]; pl != nil {
		return pl, nil
	}
	return nil, notThere(addr)
}

func notThere(hostPort string) error {
	return fmt.Errorf("refire: %s is no place to fire at", hostPort)
}

// dial connects to a pinned place, in the time that ctx leaves, by package net.
func (p *Pins) dial(ctx context.Context, addr string) (net.Conn, error) {
	pl, err := p.place(addr)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Control: pl.control}
	return pl.dial(func(addr netip.AddrPort, left int) (net.Conn, error) {
		return dialOne(ctx, &d, addr, left)
	}, func() bool { return ctx.Err() == nil })
}

// dial tries the addresses in turn, from the one that worked last, while there is time. one is told how many are left, itself included. The error is that of
// the first.
func (pl *place) dial(one func(addr netip.AddrPort, left int) (net.Conn, error), more func() bool) (net.Conn, error) {
	start := int(pl.good.Load())
	var first error
	for i := range pl.addrs {
		at := (start + i) % len(pl.addrs)
		conn, err := one(pl.addrs[at], len(pl.addrs)-i)
		if err == nil {
			pl.good.Store(uint32(at))
			return conn, nil
		}
		if first == nil {
			first = err
		}
		if !more() {
			break
		}
	}
	return nil, first
}

// dialOne gives an address its share of the time that is left, as package net does.
func dialOne(ctx context.Context, d *net.Dialer, addr netip.AddrPort, left int) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
		defer cancel()
	}
	return d.DialContext(ctx, "tcp", addr.String())
}

// control is the last look before a socket connects: it would take a mistake in this package for it to say no.
func (pl *place) control(network, address string, _ syscall.RawConn) error {
	return pl.controlAddress(network, address)
}

func (pl *place) controlAddress(_, address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	for _, a := range pl.addrs {
		if a == netip.AddrPortFrom(at.Addr().Unmap(), at.Port()) {
			return nil
		}
	}
	return fmt.Errorf("refire: %s is not one of the pinned addresses", address)
}
