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
type Pins struct {
	places map[string]*place // by "host:port"; immutable after Pin
}

type place struct {
	addrs []netip.AddrPort
	good  atomic.Uint32 // index of the address that worked last
}

// LookupFunc finds the addresses of a name, as (*net.Resolver).LookupNetIP does.
type LookupFunc func(ctx context.Context, network, host string) ([]netip.Addr, error)

// Pin looks up all of hostPorts ("host:port").
func Pin(ctx context.Context, lookup LookupFunc, hostPorts []string) (*Pins, error) {
	p := &Pins{places: make(map[string]*place, len(hostPorts))}
	for _, hp := range hostPorts {
		host, digits, err := net.SplitHostPort(hp)
		if err != nil {
			return nil, fmt.Errorf("refire: %w", err)
		}
		port, err := strconv.ParseUint(digits, 10, 16)
		if err != nil {
			return nil, fmt.Errorf("refire: port of %s: %w", hp, err)
		}
		addrs, err := addresses(ctx, lookup, host)
		if err != nil {
			return nil, fmt.Errorf("refire: cannot find the address of %s: %w", host, err)
		}
		pl := &place{}
		for _, a := range addrs {
			pl.addrs = append(pl.addrs, netip.AddrPortFrom(a.Unmap(), uint16(port)))
		}
		p.places[hp] = pl
	}
	return p, nil
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
	return nil, fmt.Errorf("refire: %s is no place to fire at", addr)
}

// dial connects to a pinned place, in the time that ctx leaves, by package net.
func (p *Pins) dial(ctx context.Context, addr string) (net.Conn, error) {
	pl, err := p.place(addr)
	if err != nil {
		return nil, err
	}
	d := net.Dialer{Control: pl.control}
	conn, err := pl.dial(func(addr netip.AddrPort, left int) (net.Conn, error) {
		return dialOne(ctx, &d, addr, left)
	}, func() bool { return ctx.Err() == nil })
	if err != nil {
		return nil, err
	}
	return newWatchedConn(conn), nil
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
