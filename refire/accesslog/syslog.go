package accesslog

import "bytes"

// cutSyslog cuts a syslog header off: of RFC 5424 (section 6), of RFC 3164 (section 4.1) with or without its priority and its host, as syslog daemons
// write it to files, and as journalctl prints it ("short", "short-iso").
func cutSyslog(line []byte) (message []byte, ok bool) {
	rest := cutPriority(line)
	if len(rest) < len(line) && bytes.HasPrefix(rest, []byte("1 ")) {
		return cutHeader5424(rest[2:])
	}
	stamped := cutStamp(rest)
	for range 2 { // the host, which may be missing, and the tag
		word, after, found := bytes.Cut(stamped, []byte{' '})
		if !found || len(word) == 0 || word[0] == '[' || word[0] == '"' {
			return nil, false
		}
		if word[len(word)-1] == ':' {
			return after, len(stamped) < len(line)
		}
		if len(stamped) == len(rest) { // no time, so no host
			return nil, false
		}
		stamped = after
	}
	return nil, false
}

// cutPriority cuts "<134>" off.
func cutPriority(b []byte) []byte {
	if len(b) > 0 && b[0] == '<' {
		if i := bytes.IndexByte(b, '>'); i >= 2 && i <= 4 && isSize(b[1:i]) {
			return b[i+1:]
		}
	}
	return b
}

// cutStamp cuts "Feb  6 12:14:14 " off, or a time as RFC 3339 has it.
func cutStamp(b []byte) []byte {
	const classic = "Jan _2 15:04:05 "
	if len(b) > len(classic) && b[3] == ' ' && b[6] == ' ' && b[9] == ':' && b[12] == ':' {
		if b[15] == '.' { // fractions
			if i := bytes.IndexByte(b, ':'); i == 9 {
				if end := bytes.IndexByte(b[15:], ' '); end > 0 {
					return b[15+end+1:]
				}
			}
		}
		if b[15] == ' ' {
			return b[len(classic):]
		}
	}
	const iso = "2006-01-02T15:04:05"
	if len(b) > len(iso) && b[4] == '-' && b[7] == '-' && b[10] == 'T' && b[13] == ':' {
		if i := bytes.IndexByte(b, ' '); i >= len(iso) {
			return b[i+1:]
		}
	}
	return b
}

// cutHeader5424 cuts off what follows the version: time, host, application, process, message id, structured data.
func cutHeader5424(b []byte) (message []byte, ok bool) {
	for range 5 {
		var found bool
		if _, b, found = bytes.Cut(b, []byte{' '}); !found {
			return nil, false
		}
	}
	if after, ok := bytes.CutPrefix(b, []byte("- ")); ok {
		return bytes.TrimPrefix(after, byteOrderMark), true
	}
	for len(b) > 0 && b[0] == '[' {
		end := endOfElement(b)
		if end < 0 {
			return nil, false
		}
		b = b[end:]
		if after, ok := bytes.CutPrefix(b, []byte{' '}); ok {
			return bytes.TrimPrefix(after, byteOrderMark), true
		}
	}
	return nil, false
}

// endOfElement returns where an element of structured data ends: behind the first "]" that is in no quoted value.
func endOfElement(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '"':
			if i = findQuote(b, i+1); i < 0 {
				return -1
			}
		case ']':
			return i + 1
		}
	}
	return -1
}
