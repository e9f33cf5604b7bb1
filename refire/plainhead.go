package refire

import "bytes"

// head is what matters of an answer's head.
type head struct {
	status int
	length int64 // of the body
	closes bool  // the connection ends after it
}

// plainHead reads the head of an ordinary answer that is in b as a whole: HTTP/1.1, from 200 on, with one Content-Length, nothing that would say otherwise
// how the body is framed, no Retry-After, and no odd byte. size is the head's, 0 for any other answer: that is left to http.ReadResponse, which would say the same of this
// one. It is here for its speed, as most answers are ordinary.
func plainHead(b []byte) (h head, size int) {
	const begin = "HTTP/1.1 "
	if len(b) < len(begin)+5 || string(b[:len(begin)]) != begin {
		return head{}, 0
	}
	code, ok := number(b[9:12])
	if !ok || code < 200 || code == 204 || code == 304 || b[12] != ' ' && b[12] != '\r' {
		return head{}, 0
	}
	h = head{status: int(code), length: -1}
	_, rest, ok := plainLine(b[12:]) // the status line's
	for ok {
		var line []byte
		if line, rest, ok = plainLine(rest); !ok {
			break
		}
		if len(line) == 0 {
			if h.length < 0 {
				return head{}, 0
			}
			return h, len(b) - len(rest)
		}
		ok = h.field(line)
	}
	return head{}, 0
}

// plainLine cuts a line that ends with CR LF and holds neither of them, nor another control.
func plainLine(b []byte) (line, rest []byte, ok bool) {
	end := bytes.IndexByte(b, '\n')
	if end < 1 || b[end-1] != '\r' {
		return nil, nil, false
	}
	line = b[:end-1]
	for _, c := range line {
		if c < ' ' && c != '\t' || c == 0x7F {
			return nil, nil, false
		}
	}
	return line, b[end+1:], true
}

// field takes in a line; false: it is not plain.
func (h *head) field(line []byte) bool {
	colon := bytes.IndexByte(line, ':')
	if colon < 1 {
		return false
	}
	for _, c := range line[:colon] {
		if !tokenByte(c) {
			return false
		}
	}
	name, value := line[:colon], bytes.Trim(line[colon+1:], " \t")
	switch colon {
	case len("Connection"):
		if !equalFold(name, "connection") {
			return true
		}
		ends := equalFold(value, "close")
		h.closes = h.closes || ends
		return ends || equalFold(value, "keep-alive")
	case len("Content-Length"):
		if !equalFold(name, "content-length") {
			return true
		}
		again := h.length >= 0
		n, ok := number(value)
		h.length = n
		return ok && !again
	case len("Transfer-Encoding"):
		return !equalFold(name, "transfer-encoding")
	case len("Trailer"):
		return !equalFold(name, "trailer")
	case len("Retry-After"):
		return !equalFold(name, "retry-after")
	}
	return true
}

// number reads digits, and nothing but digits, of a number that fits.
func number(b []byte) (n int64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, 0 < len(b) && len(b) <= 18
}

// equalFold compares b, in ASCII, with a word in lower case.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
