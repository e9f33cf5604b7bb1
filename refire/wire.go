package refire

import "strings"

// Wire returns target as it can stand in a request line: bytes that cannot (controls, space, DEL, anything beyond ASCII) are percent-encoded, everything
// else stays, "%zz" and "#" included. rewritten says whether there were any.
func Wire(target string) (line string, rewritten bool) {
	n := 0
	for i := range len(target) {
		if !lineByte(target[i]) {
			n++
		}
	}
	if n == 0 {
		return target, false
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(target) + 2*n)
	for i := range len(target) {
		if c := target[i]; lineByte(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String(), true
}

func lineByte(c byte) bool { return ' ' < c && c < 0x7F }
