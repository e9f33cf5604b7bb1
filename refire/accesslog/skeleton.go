package accesslog

import "bytes"

// split takes a line (without its line end) to pieces, as the package comment defines well-formed lines. The Reason is 0 if the
// line is well formed.
func split(line []byte) (fields, Reason) {
	var wrappedReason Reason
	if len(line) > 0 && line[0] == '"' {
		f, reason := skeleton(bytes.TrimSuffix(line[1:], []byte{'"'}))
		if reason == 0 {
			f.wrapped = true
			return f, 0
		}
		wrappedReason = reason
	}
	f, reason := skeleton(line)
	if reason != 0 {
		reason = max(reason, wrappedReason) // the reading that got further knows better what is wrong
	}
	return f, reason
}

// skeleton is split for a line without a pair of quotes around it.
func skeleton(line []byte) (f fields, reason Reason) {
	open := findRequest(line)
	if open < 0 {
		return f, NoRequestField
	}
	bracket := findBracket(line[:open])
	if bracket < 0 {
		return f, NoRequestField
	}
	shut := findQuote(line, open+1)
	if shut < 0 {
		return f, RequestUnclosed
	}
	status, size := readStatus(line[shut+1:])
	if size == 0 {
		return f, NoStatus
	}
	f.before = line[:bracket]
	f.time = line[bracket+1 : open-len(`] `)]
	f.request = line[open+1 : shut]
	f.status = status
	f.after = line[shut+1+size:]
	return f, 0
}

// findRequest returns the index of the quote that opens the request: the first one directly after "] ". Quoted fields before it
// are stepped over, so whatever a client puts into one (or into the unquoted user, where servers escape quotes) cannot
// pose as the request.
func findRequest(line []byte) int {
	for i := 0; ; {
		open := findQuote(line, i)
		if open < 0 {
			return -1
		}
		if open >= 2 && line[open-1] == ' ' && line[open-2] == ']' {
			return open
		}
		shut := findQuote(line, open+1)
		if shut < 0 {
			return -1
		}
		i = shut + 1
	}
}

// findBracket returns the index of the last "[" in b that stands at the beginning or after a space, or -1.
func findBracket(b []byte) int {
	for {
		i := bytes.LastIndexByte(b, '[')
		if i <= 0 || b[i-1] == ' ' {
			return i
		}
		b = b[:i]
	}
}

// findQuote returns the index of the first quote in line[from:] that no backslash of line[from:] escapes, or -1.
func findQuote(line []byte, from int) int {
	for i := from; ; {
		k := bytes.IndexByte(line[i:], '"')
		if k < 0 {
			return -1
		}
		i += k
		slash := i
		for slash > from && line[slash-1] == '\\' {
			slash--
		}
		if (i-slash)%2 == 0 {
			return i
		}
		i++
	}
}

// readStatus reads " 503" or " -" at the beginning of b, followed by a space or the end, and returns its size.
func readStatus(b []byte) (status, size int) {
	if len(b) < 2 || b[0] != ' ' {
		return 0, 0
	}
	if b[1] == '-' && (len(b) == 2 || b[2] == ' ') {
		return 0, 2
	}
	if len(b) == 4 || len(b) > 4 && b[4] == ' ' {
		if n := number(b[1], b[2], b[3]); n < statuses {
			return int(n), 4
		}
	}
	return 0, 0
}

// number returns the value of three digits, or something >= 1000.
func number(a, b, c byte) uint {
	x, y, z := uint(a-'0'), uint(b-'0'), uint(c-'0')
	if x > 9 || y > 9 || z > 9 {
		return statuses
	}
	return x*100 + y*10 + z
}
