package refire

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Origin is a place that requests may go to. Two origins that are written differently but mean the same place (case, default port, spelling of an IPv6
// address) are equal as values. The zero Origin is no place.
type Origin struct {
	Scheme string // "http" or "https"
	Host   string // lower case; IPv6 without brackets
	Port   uint16 // never 0: the scheme's default is filled in
}

// ParseOrigin reads "http://host:port", as the operator writes it. Whatever a request could be led astray by is an error: userinfo, a zone id, a path other
// than "/", a query, a fragment.
func ParseOrigin(s string) (Origin, error) {
	scheme, rest, ok := cutScheme(s)
	if !ok || (scheme != "http" && scheme != "https") {
		return Origin{}, errors.New("must begin with http:// or https://")
	}
	authority, tail := cutAuthority(rest)
	switch {
	case strings.Contains(authority, "@"):
		return Origin{}, errors.New("has a user name or password in it; refire sends none")
	case tail != "" && tail != "/":
		return Origin{}, fmt.Errorf("goes on after the host (%q); give scheme, host and port only: targets are fired as they were logged, and a path in front would not hold one that begins with /../", tail)
	}
	return newOrigin(scheme, authority)
}

func newOrigin(scheme, authority string) (Origin, error) {
	host, port, err := splitHostPort(authority)
	if err != nil {
		return Origin{}, err
	}
	if port == 0 {
		port = defaultPort(scheme)
	}
	return Origin{Scheme: scheme, Host: host, Port: port}, nil
}

// IsZero reports whether o is no place.
func (o Origin) IsZero() bool { return o == Origin{} }

// Authority is what stands between "//" and the path, and in the Host header: the port only where it is not the scheme's own.
func (o Origin) Authority() string {
	if o.Port == defaultPort(o.Scheme) {
		return o.bracketed()
	}
	return o.HostPort()
}

// HostPort is the host and the port, always both.
func (o Origin) HostPort() string { return o.bracketed() + ":" + strconv.Itoa(int(o.Port)) }

// String is the origin as a URL begins with it.
func (o Origin) String() string {
	if o.IsZero() {
		return ""
	}
	return o.Scheme + "://" + o.Authority()
}

func (o Origin) bracketed() string {
	if strings.Contains(o.Host, ":") {
		return "[" + o.Host + "]"
	}
	return o.Host
}

func defaultPort(scheme string) uint16 {
	if scheme == "https" {
		return 443
	}
	return 80
}

// cutScheme splits "Scheme://rest"; the scheme comes back in lower case.
func cutScheme(s string) (scheme, rest string, ok bool) {
	scheme, rest, ok = strings.Cut(s, "://")
	if !ok || scheme == "" {
		return "", s, false
	}
	for i := range len(scheme) {
		c := scheme[i] | 0x20
		letter := 'a' <= c && c <= 'z'
		other := '0' <= scheme[i] && scheme[i] <= '9' || strings.IndexByte("+-.", scheme[i]) >= 0
		if !letter && (i == 0 || !other) {
			return "", s, false
		}
	}
	return strings.ToLower(scheme), rest, true
}

// cutAuthority splits what follows "://" before the path, query or fragment.
func cutAuthority(s string) (authority, tail string) {
	if i := strings.IndexAny(s, "/?#"); i >= 0 {
		return s[:i], s[i:]
	}
	return s, ""
}

// splitHostPort takes only plain hosts: names of letters, digits, "-", "_" and ".", IPv4, and IPv6 in brackets. port is 0 where none is given.
func splitHostPort(s string) (host string, port uint16, err error) {
	host, digits, hasPort := s, "", false
	if strings.HasPrefix(s, "[") {
		inside, after, closed := strings.Cut(s[1:], "]")
		if !closed || (after != "" && after[0] != ':') {
			return "", 0, fmt.Errorf("%q is no host", s)
		}
		if strings.Contains(inside, "%") {
			return "", 0, errors.New("has a zone id in its address; give the address without it")
		}
		addr, perr := netip.ParseAddr(inside)
		if perr != nil || !addr.Is6() {
			return "", 0, fmt.Errorf("%q is no IPv6 address", inside)
		}
		host = addr.String()
		if hasPort = after != ""; hasPort {
			digits = after[1:]
		}
	} else {
		host, digits, hasPort = strings.Cut(s, ":")
		if !plainName(host) {
			return "", 0, fmt.Errorf("%q is no plain host name (letters, digits, - _ .; IPv6 in brackets; international names in their xn-- form)", host)
		}
		host = strings.ToLower(host)
	}
	if !hasPort {
		return host, 0, nil
	}
	n, perr := strconv.ParseUint(digits, 10, 16)
	if perr != nil || n == 0 {
		return "", 0, fmt.Errorf("%q is no port", digits)
	}
	return host, uint16(n), nil
}

func plainName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return true
}
