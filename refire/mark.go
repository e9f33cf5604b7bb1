package refire

import "strings"

// Marker is the parameter that tells a refired URL from an original one.
const Marker = "retry=True"

// Mark returns target with Marker added to its query, once, and every other byte as it was: before a fragment, after a "?" where there is no query yet, after
// a "&" where there is one that is neither empty nor open at its end. A parameter that is exactly Marker is left alone; another retry=... stays beside it.
//
// Only the first "?" begins a query (RFC 3986, 3.4): in "/a?q=why?" the second one is part of q, so the marked form is "/a?q=why?&retry=True".
func Mark(target string) string {
	fragment := ""
	if i := strings.IndexByte(target, '#'); i >= 0 {
		target, fragment = target[:i], target[i:]
	}
	_, query, found := strings.Cut(target, "?")
	switch {
	case !found:
		return target + "?" + Marker + fragment
	case hasMarker(query):
		return target + fragment
	case query == "" || query[len(query)-1] == '&':
		return target + Marker + fragment
	default:
		return target + "&" + Marker + fragment
	}
}

func hasMarker(query string) bool {
	for p := range strings.SplitSeq(query, "&") {
		if p == Marker {
			return true
		}
	}
	return false
}
