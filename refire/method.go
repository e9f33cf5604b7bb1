package refire

import (
	"fmt"
	"slices"
	"strings"
)

// Methods is a set of request methods. The zero value is empty.
type Methods struct {
	any   bool
	names []string
}

// ParseMethods reads "GET,HEAD", or "any". Methods are case-sensitive in HTTP and upper case by custom, so "get" means GET.
func ParseMethods(text string) (Methods, error) {
	var m Methods
	for name := range strings.SplitSeq(text, ",") {
		name = strings.ToUpper(strings.TrimSpace(name))
		switch {
		case name == "ANY":
			m.any = true
		case !isToken(name):
			return Methods{}, fmt.Errorf("%q is no method; write a list such as GET,HEAD, or any", name)
		case name == "CONNECT":
			return Methods{}, fmt.Errorf("CONNECT asks for a tunnel and is never fired")
		case !slices.Contains(m.names, name):
			m.names = append(m.names, name)
		}
	}
	return m, nil
}

// Contains reports whether the set holds method.
func (m Methods) Contains(method string) bool { return m.any || slices.Contains(m.names, method) }

// Unsafe reports whether the set holds a method that may change something on the server.
func (m Methods) Unsafe() bool {
	return m.any || slices.ContainsFunc(m.names, func(name string) bool { return !isSafe(name) })
}

// String returns the set as ParseMethods reads it.
func (m Methods) String() string {
	if m.any {
		return "any"
	}
	return strings.Join(m.names, ",")
}

// isSafe is RFC 9110, 9.2.1.
func isSafe(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE":
		return true
	}
	return false
}

// IsIdempotent reports whether a request with method, sent twice, is meant to change no more than sent once: RFC 9110, 9.2.2.
func IsIdempotent(method string) bool { return isIdempotent(method) }

// isIdempotent is RFC 9110, 9.2.2.
func isIdempotent(method string) bool { return isSafe(method) || method == "PUT" || method == "DELETE" }

// Unregistered are the methods in the set, unless it holds all, that are not in IANA's registry (RFC 9110, 16.1.1). Servers may know them all the same, as caches know PURGE.
func (m Methods) Unregistered() (names []string) {
	for _, name := range m.names {
		if !m.any && !slices.Contains(registered, name) {
			names = append(names, name)
		}
	}
	return names
}

// registered is the registry as of 2026, but for "*" and CONNECT.
var registered = []string{
	"ACL", "BASELINE-CONTROL", "BIND", "CHECKIN", "CHECKOUT", "COPY", "DELETE", "GET", "HEAD", "LABEL", "LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR",
	"MKCOL", "MKREDIRECTREF", "MKWORKSPACE", "MOVE", "OPTIONS", "ORDERPATCH", "PATCH", "POST", "PRI", "PROPFIND", "PROPPATCH", "PUT", "QUERY", "REBIND", "REPORT",
	"SEARCH", "TRACE", "UNBIND", "UNCHECKOUT", "UNLINK", "UNLOCK", "UPDATE", "UPDATEREDIRECTREF", "VERSION-CONTROL",
}
