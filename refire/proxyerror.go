package refire

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
)

// ProxyError is why a request did not get past a proxy: it could not be reached, or it would not. The server has not seen the request, and nobody knows about the
// server.
type ProxyError struct {
	Proxy  *Proxy
	Status int   // what it answered; 0: nothing, or nothing that has a status
	Err    error // why, in words
}

// Error implements error. It names the proxy, without user name and password.
func (e *ProxyError) Error() string { return fmt.Sprintf("%v: %v", e.Proxy, e.Err) }

// Unwrap returns why.
func (e *ProxyError) Unwrap() error { return e.Err }

// WantsPassword reports whether the proxy asks for a user name and a password, or takes those that it got for wrong. It will do so with any request.
func (e *ProxyError) WantsPassword() bool { return e.Status == http.StatusProxyAuthRequired }

// refused is for an answer that lets nothing through.
func (p *Proxy) refused(status int, what string) *ProxyError {
	e := &ProxyError{Proxy: p, Status: status, Err: errors.New(what)}
	switch {
	case e.WantsPassword() && p.user == nil:
		e.Err = errors.New(what + ": it wants a user name and a password")
	case e.WantsPassword():
		e.Err = errors.New(what + ": it does not take this user name and password")
	}
	return e
}

// fault is err, with which dialing ended, as a *ProxyError if it is the proxy's doing: all is, until it has connected. What a SOCKS proxy says of the place behind
// it is as good as said by the network; net/http's errors about that have no types, and a test holds these words.
func (to *dialed) fault(err error) error {
	var known *ProxyError
	var socks *net.OpError
	switch {
	case to.proxy == nil:
		return err
	case errors.As(err, &known):
		return known
	case to.proxy.rewrites():
		if to.tunnel || to.origin.Scheme != "https" {
			return err
		}
		return &ProxyError{Proxy: to.proxy, Err: err}
	case !errors.As(err, &socks) || socks.Op != "socks connect":
		return err
	}
	text := socks.Err.Error()
	for said, errno := range map[string]error{
		"connection refused": syscall.ECONNREFUSED, "host unreachable": syscall.EHOSTUNREACH, "network unreachable": syscall.ENETUNREACH,
	} {
		if text == "unknown error "+said {
			return fmt.Errorf("%v says: %w", to.proxy, errno)
		}
	}
	if strings.Contains(text, "authentication") {
		return to.proxy.refused(http.StatusProxyAuthRequired, text)
	}
	return &ProxyError{Proxy: to.proxy, Err: socks.Err}
}
