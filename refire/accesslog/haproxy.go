package accesslog

import (
	"bytes"
	"regexp"
)

// haproxy is the grammar of HAProxy's "HTTP log format" and "HTTPS log format" ("option httplog", "option httpslog"; HAProxy Configuration Manual, section
// 8.2.3 and 8.2.4), with any header before it that "log ... format" (section 3.1) or a syslog daemon writes, or none:
//
//	client:port [date] frontend backend/server times status bytes cookie cookie state connections queues {headers} {headers} "request" ...
//
// A quote in a captured header and in the request is written #22, as every byte that is not printable is written "#" with two hex digits (section 8.6,
// "Non-printable characters"; the maps hdr_encode_map and url_encode_map in src/log.c). A captured cookie is written as it came, NAME=, quotes, spaces and
// all, of at most 63 bytes (tune.http.cookielen); so is the TLS server name, behind the request of httpslog (%[ssl_fc_sni]). So a line whose cookies are both "-"
// has its request where the columns before it end; of any other one, all columns must be as they should, and there must be no quote beside the request's
// two: else it is Ambiguous. The status comes before anything that a client wrote.
//
// A request that came over HTTP/2 or later is logged with scheme and host. "~" after the frontend's name says that it came over TLS. <BADREQ> is no
// request. A line that HAProxy has cut off in the request ("len") is no entry, and neither is one whose request it has cut (tune.http.logurilen, section
// 3.2): the quotes are there then, but what it was that the client asked for is not.
type haproxy struct{}

// haproxyURILength is how much of a request HAProxy logs, unless it is told to log more; before bytes are escaped.
const haproxyURILength = 1023

var haproxyTimes = layouts("02/Jan/2006:15:04:05", clfLayout)

func (haproxy) read(line []byte, f *fields) Reason {
	if inner, ok := cutSyslog(line); ok {
		line = inner
	} else { // HAProxy's own "short", "timed" and "iso" have no host and no tag
		line = cutStamp(cutPriority(line))
	}
	client, rest, _ := bytes.Cut(line, []byte(" ["))
	if bytes.IndexByte(client, ':') < 0 || bytes.IndexByte(client, ' ') >= 0 {
		return Misfit
	}
	when, rest, found := bytes.Cut(rest, []byte("] "))
	if !found {
		return Misfit
	}
	frontend, rest, _ := bytes.Cut(rest, []byte{' '})
	server, rest, _ := bytes.Cut(rest, []byte{' '})
	times, rest, _ := bytes.Cut(rest, []byte{' '})
	if bytes.IndexByte(server, '/') < 0 || bytes.Count(times, []byte{'/'}) != 4 {
		return Misfit
	}
	status, rest, _ := bytes.Cut(rest, []byte{' '})
	var ok bool
	if f.status, ok = statusOf(status); !ok {
		return NoStatus
	}
	_, rest, _ = bytes.Cut(rest, []byte{' '}) // bytes
	request, why := haproxyRequest(rest)
	if why != 0 {
		return why
	}
	f.request, f.undo = request, unhash
	if len(f.request) >= haproxyURILength && !endsWithVersion(f.request) {
		return RequestCut
	}
	f.time, f.layout = when, haproxyTimes
	if bytes.HasSuffix(frontend, []byte{'~'}) {
		f.scheme = []byte("https")
	}
	if _, _, proto, ok := splitRequest(f.request); ok {
		f.composed = bytes.HasPrefix(proto, []byte("HTTP/2")) || bytes.HasPrefix(proto, []byte("HTTP/3"))
	}
	return 0
}

// isHAProxyColumns reports whether b is state, connections, queues and captured headers, each with a space behind it: haproxyStates, without what an
// expression costs on every line.
func isHAProxyColumns(b []byte) bool {
	if len(b) < 5 || b[4] != ' ' {
		return false
	}
	for _, c := range b[:4] {
		if letter := c | 0x20; c != '-' && (letter < 'a' || letter > 'z') {
			return false
		}
	}
	b = b[5:]
	for i, end := range []byte("//// / ") {
		if i == 4 && len(b) > 0 && b[0] == '+' { // retries, after which it went to another server
			b = b[1:]
		}
		n := 0
		for n < len(b) && '0' <= b[n] && b[n] <= '9' {
			n++
		}
		if n == 0 || n == len(b) || b[n] != end {
			return false
		}
		b = b[n+1:]
	}
	for headers := 0; headers < 2 && len(b) > 0; headers++ {
		n := bytes.IndexByte(b, '}')
		if b[0] != '{' || n < 0 || n+1 == len(b) || b[n+1] != ' ' || bytes.IndexByte(b[1:n], '{') >= 0 || bytes.IndexByte(b[1:n], '"') >= 0 {
			return false
		}
		b = b[n+2:]
	}
	return len(b) == 0
}

// haproxyRequest finds the request in what follows the bytes: cookies, state, connections, queues, captured headers, request.
func haproxyRequest(b []byte) (request []byte, why Reason) {
	open := bytes.IndexByte(b, '"')
	if open < 0 {
		return nil, NoRequestField
	}
	columns, none := bytes.CutPrefix(b[:open], []byte("- - "))
	if none {
		if !isHAProxyColumns(columns) {
			return nil, Misfit
		}
		shut := bytes.IndexByte(b[open+1:], '"')
		if shut < 0 {
			return nil, RequestUnclosed
		}
		request, b = b[open+1:open+1+shut], b[open+1+shut+1:]
		if len(b) > 0 && b[0] != ' ' {
			return nil, Ambiguous
		}
		return request, 0
	}
	request, b, closed := bytes.Cut(b[open+1:], []byte{'"'})
	switch {
	case !closed:
		return nil, RequestUnclosed
	case bytes.IndexByte(b, '"') >= 0, !haproxyAfterCookies.Match(columns):
		return nil, Ambiguous
	case len(b) > 0 && !haproxyTail.Match(b): // the columns may be a cookie's, and the line cut off before the request
		return nil, Ambiguous
	}
	return request, 0
}

const haproxyStates = `[-A-Za-z]{4} \d+/\d+/\d+/\d+/\+?\d+ \d+/\d+ (?:\{[^{}"]*\} ){0,2}$`

var (
	haproxyAfterCookies = regexp.MustCompile(`^\S.* \S.* ` + haproxyStates)

	// haproxyTail is what httpslog adds: codes, then server name, version and cipher.
	haproxyTail = regexp.MustCompile(`^ -?\d+/[0-9A-Fa-f-]+/-?\d+/-?\d+/-?\d+ [^ "]*/[^ "/]+/[^ "/]+$`)
)

// endsWithVersion reports whether a request line is whole: HAProxy knows no requests without a version.
func endsWithVersion(request []byte) bool {
	const version = " HTTP/1.1"
	n := len(request) - len(version)
	if n < 0 || !bytes.HasPrefix(request[n:], []byte(" HTTP/")) {
		return false
	}
	v := request[n+len(" HTTP/"):]
	return '0' <= v[0] && v[0] <= '9' && v[1] == '.' && '0' <= v[2] && v[2] <= '9'
}
