package accesslog

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// unescapeJSON undoes the escapes of a JSON string (RFC 8259, section 7). Half of a surrogate pair becomes U+FFFD, as encoding/json has it. What is no
// escape stays; \xHH, which servers write that know no JSON, is a byte.
func unescapeJSON(b []byte) string {
	if bytes.IndexByte(b, '\\') < 0 {
		return string(b)
	}
	return string(appendJSON(make([]byte, 0, len(b)), b))
}

func appendJSON(out, b []byte) []byte {
	for {
		i := bytes.IndexByte(b, '\\')
		if i < 0 {
			return append(out, b...)
		}
		out = append(out, b[:i]...)
		b = b[i:]
		r, size := jsonRune(b)
		if size == 0 {
			if len(b) >= 2 && b[1] == '/' {
				out, b = append(out, '/'), b[2:]
				continue
			}
			c, n := escape(b)
			out, b = append(out, c), b[n:]
			continue
		}
		b = b[size:]
		if utf16.IsSurrogate(r) {
			second, n := jsonRune(b)
			if pair := utf16.DecodeRune(r, second); n > 0 && pair != utf8.RuneError {
				r, b = pair, b[n:]
			} else {
				r = utf8.RuneError
			}
		}
		out = utf8.AppendRune(out, r)
	}
}

// jsonRune reads \uXXXX at the beginning of b; the size is 0 if there is none.
func jsonRune(b []byte) (r rune, size int) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, 0
	}
	for _, c := range b[2:6] {
		digit := hexDigit(c)
		if digit > 15 {
			return 0, 0
		}
		r = r<<4 | rune(digit)
	}
	return r, 6
}

// unhash undoes HAProxy's #HH.
func unhash(b []byte) string {
	i := bytes.IndexByte(b, '#')
	if i < 0 {
		return string(b)
	}
	out := make([]byte, 0, len(b))
	for ; i >= 0; i = bytes.IndexByte(b, '#') {
		out = append(out, b[:i]...)
		if b = b[i:]; len(b) >= 3 && hexDigit(b[1]) < 16 && hexDigit(b[2]) < 16 {
			out, b = append(out, hexDigit(b[1])<<4|hexDigit(b[2])), b[3:]
		} else {
			out, b = append(out, '#'), b[1:]
		}
	}
	return string(append(out, b...))
}
