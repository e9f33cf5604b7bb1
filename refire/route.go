package refire

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Routes says where requests may go. Log lines are written by strangers; nothing in one reaches a place that is not named here.
type Routes struct {
	Base    Origin              // where targets without a host go; zero: nowhere
	aliases map[Origin]struct{} // what clients called Base
	allowed map[string]struct{} // "host:port" of other places that an entry may name
}

// AddAlias makes o another name of Base: an absolute target there is fired at Base.
func (r *Routes) AddAlias(o Origin) {
	if r.aliases == nil {
		r.aliases = map[Origin]struct{}{}
	}
	r.aliases[o] = struct{}{}
}

// Allow lets entries that name hostPort be fired there. The port must be given: a scheme decides it for the entry, not for the operator.
func (r *Routes) Allow(hostPort string) error {
	host, port, err := splitHostPort(hostPort)
	if err != nil {
		return err
	}
	if port == 0 {
		return fmt.Errorf("%q has no port; give HOST:PORT", hostPort)
	}
	if r.allowed == nil {
		r.allowed = map[string]struct{}{}
	}
	r.allowed[Origin{Host: host, Port: port}.HostPort()] = struct{}{}
	return nil
}

// HostPorts lists every place that a request can go to, Base first.
func (r *Routes) HostPorts() []string {
	var list []string
	if !r.Base.IsZero() {
		list = append(list, r.Base.HostPort())
	}
	for hp := range r.allowed {
		if len(list) == 0 || hp != list[0] {
			list = append(list, hp)
		}
	}
	return list
}

// Origins lists every place with its scheme, Base first; places that an entry may name with either.
func (r *Routes) Origins() []Origin {
	var list []Origin
	if !r.Base.IsZero() {
		list = append(list, r.Base)
	}
	for _, hp := range slices.Sorted(maps.Keys(r.allowed)) {
		for _, scheme := range []string{"http", "https"} {
			if o, err := newOrigin(scheme, hp); err == nil && o != r.Base {
				list = append(list, o)
			}
		}
	}
	return list
}

// Permits reports whether a request may go to o at all.
func (r *Routes) Permits(o Origin) bool {
	_, allowed := r.allowed[o.HostPort()]
	return allowed || !o.IsZero() && o == r.Base
}

// Place finds out where a target goes and what stands in the request line there. vhost is the host that the log named beside the request, if any, and
// scheme how the request had come there, if it tells.
func (r *Routes) Place(method, target, vhost, scheme string) (at Origin, path string, why Reason) {
	switch {
	case target == "" || target == "-":
		return Origin{}, "", NoRequestLine
	case method == "CONNECT":
		return Origin{}, "", NoTunnel
	case target == "*":
		return Origin{}, "", NoAsterisk
	case !isToken(method):
		return Origin{}, "", NoSense
	case target[0] == '/':
		at, why = r.placeOrigin(vhost, scheme)
		return at, target, why
	}
	if scheme, rest, ok := cutScheme(target); ok {
		return r.placeAbsolute(scheme, rest)
	}
	return Origin{}, "", NoSense
}

func (r *Routes) placeOrigin(vhost, scheme string) (Origin, Reason) {
	if vhost != "" && len(r.allowed) > 0 {
		if o, ok := r.named(vhost, scheme); ok {
			return o, ""
		}
	}
	if r.Base.IsZero() {
		return Origin{}, NoBase
	}
	return r.Base, ""
}

// named is the allowed place that a log names as the host. Where it does not tell the scheme, it is http, but https on port 443.
func (r *Routes) named(vhost, scheme string) (Origin, bool) {
	host, port, err := splitHostPort(vhost)
	if err != nil {
		return Origin{}, false
	}
	o := Origin{Scheme: scheme, Host: host, Port: port}
	switch {
	case scheme == "" && port == 443:
		o.Scheme = "https"
	case scheme == "":
		o.Scheme = "http"
	}
	switch {
	case port == 0 && o.Scheme == "https":
		o.Port = 443
	case port == 0:
		o.Port = 80
	}
	_, ok := r.allowed[o.HostPort()]
	return o, ok
}

func (r *Routes) placeAbsolute(scheme, rest string) (Origin, string, Reason) {
	if scheme != "http" && scheme != "https" {
		return Origin{}, "", OtherScheme
	}
	authority, path := cutAuthority(rest)
	named, err := newOrigin(scheme, authority)
	if err != nil {
		return Origin{}, "", OddHost
	}
	if path == "" || path[0] != '/' {
		path = "/" + path // RFC 9112, 3.2.1: an empty path is sent as "/"
	}
	if !r.Base.IsZero() {
		if _, alias := r.aliases[named]; alias || named == r.Base {
			return r.Base, path, ""
		}
	}
	if _, ok := r.allowed[named.HostPort()]; ok {
		return named, path, ""
	}
	return Origin{}, "", OtherHost
}

// Named is the place that a target names, as those do that proxies and some caches log (RFC 9112, 3.2.2); ok is false if it names none, or none that could be
// fired at.
func Named(target string) (at Origin, ok bool) {
	scheme, rest, ok := cutScheme(target)
	if !ok || scheme != "http" && scheme != "https" {
		return Origin{}, false
	}
	authority, _ := cutAuthority(rest)
	at, err := newOrigin(scheme, authority)
	return at, err == nil
}

// isToken is RFC 9110's rule for methods.
func isToken(s string) bool {
	for i := range len(s) {
		if !tokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func tokenByte(c byte) bool {
	return ' ' < c && c < 0x7F && strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) < 0
}
