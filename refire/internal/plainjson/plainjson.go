// Package plainjson keeps JSON from acting on the terminal that shows it.
package plainjson

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Append appends JSON to dst, with every character that does not print written as \u and its number: those that encoding/json leaves as they are and a
// terminal may act on, C1 controls and those that turn the direction of text among them. A newline stays one. It is the same JSON.
func Append(dst, json []byte) []byte {
	for i := 0; i < len(json); {
		r, size := rune(json[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(json[i:])
		}
		switch {
		case r == '\n' || strconv.IsPrint(r):
			dst = append(dst, json[i:i+size]...)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			dst = appendUnit(appendUnit(dst, high), low)
		default:
			dst = appendUnit(dst, r)
		}
		i += size
	}
	return dst
}

func appendUnit(dst []byte, unit rune) []byte {
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[unit>>12&15], hex[unit>>8&15], hex[unit>>4&15], hex[unit&15])
}
