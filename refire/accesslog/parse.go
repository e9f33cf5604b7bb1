package accesslog

import (
	"bytes"
	"strings"
)

// Parse reads one line of the common and combined formats and their relatives (see the package comment), with or without its line end. For any
// other format there is Format.Parse. Offset, Line, Source and ID stay zero, because a line alone does
// not know them. The error, if any, is a *BadLine; an empty line is one too.
func Parse(line []byte) (Entry, error) { return Extended.Parse(line) }

// cutLine splits off the first line of b: its content without LF or CR LF, and how many bytes it takes with it. Without
// a newline all of b is the line.
func cutLine(b []byte) (content []byte, size int, terminated bool) {
	size = len(b)
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		size, terminated = i+1, true
		b = b[:i]
	}
	return trimCR(b), size, terminated
}

func trimCR(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}

// splitRequest takes a request line to pieces. Spaces between the three parts do not count, those inside the target do.
// It reports false if there is nothing to fire.
func splitRequest(request []byte) (method, target, proto []byte, ok bool) {
	method, rest, _ := bytes.Cut(request, []byte{' '})
	if !isToken(method) {
		return nil, nil, nil, false
	}
	target = trimSpaces(rest)
	last := bytes.LastIndexByte(target, ' ') + 1
	if bytes.HasPrefix(target[last:], []byte("HTTP/")) {
		target, proto = trimSpaces(target[:last]), target[last:]
	}
	return method, target, proto, len(target) > 0
}

// trimSpaces removes spaces only: bytes.TrimSpace would take other bytes of a target with it.
func trimSpaces(b []byte) []byte { return bytes.Trim(b, " ") }

// isToken reports whether b can be a method: a token as RFC 9110, section 5.6.2 has it.
func isToken(b []byte) bool {
	for _, c := range b {
		if !tokenByte[c] {
			return false
		}
	}
	return len(b) > 0
}

var tokenByte = func() (table [256]bool) {
	const marks = "!#$%&'*+-.^_`|~"
	for c := range table {
		b := byte(c)
		table[c] = '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || strings.IndexByte(marks, b) >= 0
	}
	return table
}()

// word is undone for what is nearly always one of a few words, to spare the allocation.
func (f *fields) word(b []byte) string {
	switch string(b) {
	case "GET":
		return "GET"
	case "HEAD":
		return "HEAD"
	case "POST":
		return "POST"
	case "PUT":
		return "PUT"
	case "DELETE":
		return "DELETE"
	case "OPTIONS":
		return "OPTIONS"
	case "HTTP/1.1":
		return "HTTP/1.1"
	case "HTTP/1.0":
		return "HTTP/1.0"
	case "HTTP/2.0":
		return "HTTP/2.0"
	}
	return f.undone(b)
}

// unescape undoes the escaping of a quoted field. What Apache writes (\" \\ \b \n \r \t \v \xHH) and what nginx writes (\xHH, for
// backslash and quote too) never contradict each other, so the server need not be known. What neither writes stays as it is.
func unescape(b []byte) string {
	i := bytes.IndexByte(b, '\\')
	if i < 0 {
		return string(b)
	}
	out := make([]byte, 0, len(b))
	for ; i >= 0; i = bytes.IndexByte(b, '\\') {
		out = append(out, b[:i]...)
		c, size := escape(b[i:])
		out = append(out, c)
		b = b[i+size:]
	}
	return string(append(out, b...))
}

// escape reads the escape at the beginning of b and returns its value and size; a backslash that begins none is itself.
func escape(b []byte) (value byte, size int) {
	if len(b) < 2 {
		return '\\', 1
	}
	switch b[1] {
	case '"', '\\':
		return b[1], 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'v':
		return '\v', 2
	case 'x':
		if len(b) >= 4 {
			high, low := hexDigit(b[2]), hexDigit(b[3])
			if high < 16 && low < 16 {
				return high<<4 | low, 4
			}
		}
	}
	return '\\', 1
}

func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 255
}

// vhost returns the first column if it is Apache's "%v:%p" and an address follows it. A client cannot fake that: the first
// column of the other formats is its address, which has no colon (IPv4) or several (IPv6).
func vhost(before []byte) string {
	first, rest, _ := bytes.Cut(before, []byte{' '})
	name, port, found := bytes.Cut(first, []byte{':'})
	second, _, _ := bytes.Cut(rest, []byte{' '})
	if !found || len(name) == 0 || len(port) == 0 || len(port) > 5 || !bytes.ContainsAny(second, ".:") {
		return ""
	}
	for _, c := range port {
		if c < '0' || c > '9' {
			return ""
		}
	}
	return string(first)
}
