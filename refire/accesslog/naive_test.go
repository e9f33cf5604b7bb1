package accesslog_test

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// naiveEntry is what the slow reference parser makes of a line. It looks at one byte after the other and shares no code with the
// package, so that it can judge it.
type naiveEntry struct {
	kind                  string // "empty", "bad", "norequest", "entry"
	reason                accesslog.Reason
	method, target, proto string
	status                int
	time                  string
}

// naiveLines splits a log as the package promises to.
func naiveLines(log []byte) (lines [][]byte, offsets []int64) {
	var offset int64
	for line := range bytes.SplitAfterSeq(log, []byte("\n")) {
		if len(line) > 0 {
			lines, offsets = append(lines, line), append(offsets, offset)
			offset += int64(len(line))
		}
	}
	return lines, offsets
}

// naiveParse takes a line without LF.
func naiveParse(raw []byte) naiveEntry {
	line := strings.TrimSuffix(string(raw), "\r")
	if line == "" {
		return naiveEntry{kind: "empty"}
	}
	whole := naiveSkeleton(line)
	if line[0] != '"' {
		return whole
	}
	inner := naiveSkeleton(strings.TrimSuffix(line[1:], `"`))
	if inner.kind == "bad" && (whole.kind != "bad" || whole.reason > inner.reason) {
		return whole
	}
	return inner
}

func naiveSkeleton(line string) naiveEntry {
	const outside, quoted, request, after = 0, 1, 2, 3
	state, escaped, begin, end := outside, false, 0, 0
	for i := 0; i < len(line) && state != after; i++ {
		switch c := line[i]; {
		case c == '\\' && !escaped:
			escaped = true
			continue
		case c != '"' || escaped:
		case state == outside && strings.HasSuffix(line[:i], "] "):
			state, begin = request, i+1
		case state == outside:
			state = quoted
		case state == quoted:
			state = outside
		case state == request:
			state, end = after, i
		}
		escaped = false
	}
	if state == outside || state == quoted {
		return naiveEntry{kind: "bad", reason: accesslog.NoRequestField}
	}
	parts := strings.Split(" "+line[:begin-len(`] "`)], " [")
	if len(parts) < 2 {
		return naiveEntry{kind: "bad", reason: accesslog.NoRequestField}
	}
	if state == request {
		return naiveEntry{kind: "bad", reason: accesslog.RequestUnclosed}
	}
	tail := naiveStatus.FindStringSubmatch(line[end+1:])
	if tail == nil {
		return naiveEntry{kind: "bad", reason: accesslog.NoStatus}
	}
	e := naiveEntry{kind: "norequest", time: parts[len(parts)-1]}
	e.status, _ = strconv.Atoi(tail[1]) // "-" is 0
	m := naiveRequest.FindStringSubmatch(line[begin:end])
	if m == nil || m[2] == "" || m[3] == "" && naiveProto.MatchString(m[2]) {
		return e
	}
	e.kind, e.method, e.target, e.proto = "entry", m[1], naiveUnescape(m[2]), naiveUnescape(m[3])
	return e
}

var (
	naiveStatus  = regexp.MustCompile(`(?s)^ ([0-9]{3}|-)(?: .*)?$`)
	naiveRequest = regexp.MustCompile("(?s)^([-!#$%&'*+.^_`|~0-9A-Za-z]+) +(.*?)(?: +(HTTP/[^ ]*))? *$")
	naiveProto   = regexp.MustCompile(`(?s)^HTTP/[^ ]*$`)
)

// naiveUnescape undoes escapes from left to right.
func naiveUnescape(s string) string {
	const letters, values = `"\bfnrtv`, "\"\\\b\f\n\r\t\v"
	var out []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			if k := strings.IndexByte(letters, s[i+1]); k >= 0 {
				out = append(out, values[k])
				i++
				continue
			}
			if s[i+1] == 'x' && i+3 < len(s) {
				if n, err := strconv.ParseUint(s[i+2:i+4], 16, 8); err == nil {
					out = append(out, byte(n))
					i += 3
					continue
				}
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}
