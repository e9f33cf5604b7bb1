package accesslog

import (
	"bytes"
	"fmt"
	"time"
)

// Detection is what the first lines of a log look like.
type Detection struct {
	Format  Format // Auto if no line was recognised
	Lines   int    // lines looked at, empty ones left out
	Matched int    // of these, well-formed ones, of the main format or its family
	Wrapped int    // of these, lines in one more pair of double quotes
	Also    string // the other formats that it holds lines of, in words: "json (3)"
	Doubt   string // why Format makes no sense though it matches, in words: "505 and 568 are no statuses"; empty: it does
	Looks   string // what it looks like instead, in words, when nothing matched and that is known ("JSON")
}

// String says it in words: "combined (98 of 100 lines)".
func (d Detection) String() string {
	switch {
	case d.Lines == 0 && d.Format == W3C:
		return "w3c (no lines yet)"
	case d.Lines == 0:
		return "empty"
	case d.Matched == 0 && d.Looks != "":
		return "not an access log that can be read: it looks like " + d.Looks
	case d.Matched == 0:
		return fmt.Sprintf("not an access log that can be read (0 of %d lines)", d.Lines)
	}
	text := fmt.Sprintf("%v (%d of %d lines)", d.Format, d.Matched, d.Lines)
	if d.Also != "" {
		text += ", " + d.Also
	}
	return text
}

// MaxDetectLines and maxDetectBytes are how much of a log Detect looks at; more where lines are so long that there are fewer than fewLines in that, for
// each client may make one long line.
const (
	MaxDetectLines = 100
	MaxDetectBytes = 8 << 20
	maxDetectBytes = 64 << 10
	fewLines       = 10
)

// IsSample reports whether the beginning of a log is as much as Detect looks at, though there may be more of it.
func IsSample(head []byte) bool {
	return len(head) >= MaxDetectBytes || len(head) >= maxDetectBytes && bytes.Count(head, []byte{'\n'}) >= fewLines
}

// Detect looks at the beginning of a log, at most MaxDetectLines of it. A last line without a newline is left out unless it is
// the only one.
//
// Each line counts for the first format that can read it, in this order: those with a name as FormatNames lists them, but the family; the same in
// the lines of Docker and of the Container Runtime Interface, the family included; the family; those with a name, but the family, after a
// syslog header. (A line of the family is one after a syslog header, too.) A line that several formats can read, and in which they find something else, counts
// for none: a client may have made it so. The format with the most lines is the main one, and the family is one format here; of several, the one that came first.
// Directives of W3C's format are such only at the beginning of a log.
func Detect(head []byte) Detection {
	d, _ := detect(head)
	return d
}

// detect also returns what to read the log with: the main format, then the others that the sample holds, in the order in which Detect tries them. Without a
// main format there are several, of which nobody knows which one is, or Auto.
func detect(head []byte) (Detection, reader) {
	t := newTrial()
	t.sample(sampleOf(head))
	d := Detection{Format: t.main(), Lines: t.lines}
	d.Matched, d.Wrapped = t.matched(d.Format)
	_, d.Also = t.formats(d.Format)
	d.Doubt = t.doubt(d.Format)
	r := t.reader()
	switch {
	case len(t.claims) > 0:
	case t.directives:
		d.Format = W3C
	default:
		d.Looks = looksLike(head)
	}
	return d, r
}

// reader is what to read a log with. If one is the main format, what it can read is its own.
type reader struct {
	formats []Format
	sure    bool // the first one is the main format
}

// sampleOf is what Detect looks at.
func sampleOf(head []byte) []byte {
	n := min(len(head), maxDetectBytes)
	for n < len(head) && !IsSample(head[:n]) {
		n = min(2*n, len(head))
	}
	return head[:n]
}

// format says which format a well-formed line is of.
func (f *fields) format() Format {
	combined, columns := Combined, 3
	if vhost(f.before) != "" {
		combined, columns = VHostCombined, 4
	}
	if spaces := bytes.Count(f.before, []byte{' '}); spaces < columns || spaces > columns && !hasIdent(f.before, columns) || !isCLFTime(f.time) {
		return Extended
	}
	size, rest, more := bytes.Cut(bytes.TrimPrefix(f.after, []byte{' '}), []byte{' '})
	if !isSize(size) {
		return Extended
	}
	switch {
	case !more && columns == 3:
		return Common
	case !more:
		return Extended
	}
	for range 2 { // referer and user agent; the latter may be cut off
		if len(rest) == 0 || rest[0] != '"' {
			return Extended
		}
		shut := findQuote(rest, 1)
		if shut < 0 {
			return combined
		}
		rest = bytes.TrimPrefix(rest[shut+1:], []byte{' '})
	}
	switch {
	case len(rest) == 0:
		return combined
	case isNginxIngress(rest):
		return NginxIngress
	}
	return Extended
}

// hasIdent reports whether the column before the user is "-", as it nearly always is: then there may be spaces in the user.
func hasIdent(before []byte, columns int) bool {
	for range columns - 2 {
		_, before, _ = bytes.Cut(before, []byte{' '})
	}
	return bytes.HasPrefix(before, []byte("- "))
}

// isNginxIngress: what the ingress controller's log-format-upstream adds to the combined one (Ingress-Nginx Controller documentation, "Log format"):
// length, seconds, [upstream], [alternative upstream], and what upstreams answered, which is not what the client got.
func isNginxIngress(b []byte) bool {
	length, b, _ := bytes.Cut(b, []byte{' '})
	_, b, _ = bytes.Cut(b, []byte{' '})
	_, b, ok := bytes.Cut(b, []byte("] ["))
	return isSize(length) && ok && bytes.Contains(b, []byte("] "))
}

func isCLFTime(b []byte) bool {
	_, err := time.Parse(clfLayout, string(b))
	return err == nil
}

// isSize reports whether b is a number of bytes, or "-".
func isSize(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return string(b) == "-"
		}
	}
	return len(b) > 0
}

// looksLike names what a log without a single well-formed line may be.
func looksLike(head []byte) string {
	switch head = bytes.TrimLeft(head, "\ufeff \t\r\n"); {
	case len(head) == 0:
		return ""
	case bytes.HasPrefix(head, []byte("{")):
		return "JSON"
	case bytes.HasPrefix(head, []byte("#Version:")), bytes.HasPrefix(head, []byte("#Software:")), bytes.HasPrefix(head, []byte("#Fields:")):
		return "the W3C extended format (IIS, CloudFront)"
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return "gzip, to be unpacked first"
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		return "zstd, to be unpacked first"
	case len(head) >= 10 && bytes.HasPrefix(head, []byte("BZh")) && string(head[4:10]) == "1AY&SY":
		return "bzip2, to be unpacked first"
	}
	return ""
}
