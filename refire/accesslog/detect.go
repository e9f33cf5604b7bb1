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

// MaxDetectLines and maxDetectBytes are how much of a log Detect looks at.
const (
	MaxDetectLines = 100
	maxDetectBytes = 64 << 10
)

// Detect looks at the beginning of a log, at most MaxDetectLines of it. A last line without a newline is left out unless it is
// the only one.
//
// Each line counts for the first format that can read it, in this order: those with a name as FormatNames lists them, but the family; the same in
// the lines of Docker and of the Container Runtime Interface, the family included; the family; those with a name, but the family, after a
// syslog header. (A line of the family is one after a syslog header, too.) The format with the most lines is the main one, and the family is one format here; of several, the one that came first.
func Detect(head []byte) Detection {
	d, _ := detect(head)
	return d
}

// detect also returns what to read the log with: the main format, then the others that the sample holds, in the order in which Detect tries them. But what
// container runtimes wrap comes first of all, because the family would read many of these lines without knowing which are pieces of others.
func detect(head []byte) (Detection, []Format) {
	var d Detection
	t := newTrial()
	rest := head[:min(len(head), maxDetectBytes)]
	for len(rest) > 0 && d.Lines < MaxDetectLines {
		line, size, terminated := cutLine(rest)
		rest = rest[size:]
		if len(line) == 0 || !terminated && d.Lines > 0 {
			continue
		}
		switch format, ok := t.read(line); {
		case t.fields.directive:
			continue
		case ok:
			t.count(format)
			if t.fields.wrapped {
				d.Wrapped++
			}
		}
		d.Lines++
	}
	d.Format, d.Matched = t.main()
	switch {
	case d.Matched > 0:
		d.Also = t.others(d.Format)
		return d, t.formats(d.Format)
	case t.directives:
		d.Format = W3C
		return d, []Format{W3C}
	}
	d.Looks = looksLike(head)
	return d, []Format{Auto}
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
	case isTraefik(rest):
		return Traefik
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

// isTraefik: what Traefik's common log format adds to the combined one (Traefik documentation, "Access Logs", "Format"): requests so far, "router", "server",
// milliseconds.
func isTraefik(b []byte) bool {
	count, b, _ := bytes.Cut(b, []byte{' '})
	return isSize(count) && len(b) > 0 && b[0] == '"' && bytes.HasSuffix(b, []byte("ms")) && bytes.Count(b, []byte{'"'}) == 4
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
	return errorLog(head)
}
