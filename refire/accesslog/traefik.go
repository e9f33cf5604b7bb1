package accesslog

import "bytes"

// traefik is the grammar of Traefik's access log format "common" (Traefik documentation, "Access Logs", "Format"; CommonLogFormatter in
// pkg/middlewares/accesslog/logger_formatters.go):
//
//	host - user [time] "method path protocol" status size "referer" "agent" requests "router" "server" 3ms
//
// Traefik escapes nothing, and a client chooses the host (X-Forwarded-For, where Traefik trusts it), the user (of the URL in the request line), the
// path (Go's server takes quotes there, over HTTP/2 spaces too), the referer and the agent. What it has written for sure is in each line: a time with the
// quote of the request behind it, and a protocol with a status, a size and a quote behind it. A line that has one of these twice is Ambiguous. Against a
// line break in a user's name nothing helps: the format "json" has none.
type traefik struct{}

func (traefik) read(line []byte, f *fields) Reason {
	if !isTraefikTail(line) {
		return Misfit
	}
	opens, closes, begin := 0, 0, 0
	var request []byte
	last := 0 // the last time's place
	for at := 0; ; {
		k := bytes.Index(line[at:], []byte(`] "`))
		if k < 0 {
			break
		}
		at += k + len(`] "`)
		if open, ok := traefikTime(line[:at-len(`] "`)]); ok {
			if opens++; opens == 1 {
				begin, f.time = at, line[open+len(" ["):at-len(`] "`)]
			}
			last = open
		}
	}
	if opens == 0 || !bytes.Contains(line[:last], []byte(" - ")) {
		return Misfit
	}
	for at := 0; ; at++ {
		k := bytes.IndexByte(line[at:], '"')
		if k < 0 {
			break
		}
		at += k
		if status, ok := traefikStatus(line[at+1:]); ok && endsWithHTTP(line[:at]) {
			request = line[begin:max(begin, at)]
			f.status, _ = statusOf(status)
			closes++
		}
	}
	if opens > 1 || closes != 1 || len(request) == 0 {
		return Ambiguous
	}
	f.undo, f.request = plain, request
	return 0
}

// isTraefikTail reports whether b ends as lines do: requests so far, "router", "server", milliseconds, after a quote.
func isTraefikTail(b []byte) bool {
	b, ok := bytes.CutSuffix(b, []byte("ms"))
	if b, ok = cutDigits(b, ok); !ok {
		return false
	}
	for range 2 {
		if b, ok = bytes.CutSuffix(b, []byte(`" `)); !ok {
			return false
		}
		k := bytes.LastIndexByte(b, '"')
		if k < 1 {
			return false
		}
		b = b[:k]
	}
	if b, ok = bytes.CutSuffix(b, []byte{' '}); !ok {
		return false
	}
	if rest, none := bytes.CutSuffix(b, []byte{'-'}); none {
		b = rest
	} else if b, ok = cutDigits(b, true); !ok {
		return false
	}
	return bytes.HasSuffix(b, []byte(`" `))
}

// cutDigits cuts digits, of which there must be some, from the end.
func cutDigits(b []byte, ok bool) ([]byte, bool) {
	n := len(b)
	for n > 0 && '0' <= b[n-1] && b[n-1] <= '9' {
		n--
	}
	return b[:n], ok && n < len(b)
}

// traefikTime returns where the space and the bracket before the time are with which b ends.
func traefikTime(b []byte) (open int, ok bool) {
	const layout = "00/Aaa/0000:00:00:00 +0000"
	k := bytes.LastIndexByte(b, '[')
	if k < 1 || b[k-1] != ' ' {
		return 0, false
	}
	text := b[k+1:]
	if len(text) == 1 && text[0] == '-' {
		return k - 1, true
	}
	if len(text) != len(layout) {
		return 0, false
	}
	for i, c := range text {
		switch layout[i] {
		case '0':
			ok = '0' <= c && c <= '9'
		case 'A':
			ok = 'A' <= c && c <= 'Z'
		case 'a':
			ok = 'a' <= c && c <= 'z'
		case '+':
			ok = c == '+' || c == '-'
		default:
			ok = c == layout[i]
		}
		if !ok {
			return 0, false
		}
	}
	return k - 1, true
}

// endsWithHTTP reports whether b ends with a protocol, as HTTP/1.1 or HTTP/2, and a space before it.
func endsWithHTTP(b []byte) bool {
	digit := func(i int) bool { return i >= 0 && '0' <= b[i] && b[i] <= '9' }
	n := len(b) - 1
	if !digit(n) {
		return false
	}
	if n >= 2 && b[n-1] == '.' && digit(n-2) {
		n -= 2
	}
	return bytes.HasSuffix(b[:n], []byte(" HTTP/"))
}

// traefikStatus reads what follows the request's quote: a status, a size, and the referer's quote.
func traefikStatus(b []byte) (status []byte, ok bool) {
	b, ok = bytes.CutPrefix(b, []byte{' '})
	status, rest, found := bytes.Cut(b, []byte{' '})
	size, rest, more := bytes.Cut(rest, []byte{' '})
	if !ok || !found || !more || len(rest) == 0 || rest[0] != '"' || !isSize(size) {
		return nil, false
	}
	switch string(status) {
	case "0", "-":
		return status, true
	}
	return status, len(status) == 3 && isSize(status)
}
