package accesslog

import (
	"fmt"
	"strings"
)

// Format is a log format: one of those that this package knows by name, or one that a server's own format string describes. The zero
// value is Auto. Formats can be compared; two of one format string are not equal.
type Format struct{ d *definition }

// definition is what a Format is inside. It is immutable.
type definition struct {
	name string
	open func() grammar // for one walker
}

// The formats of the family that the package comment describes. The same walk reads them all, so lines of several of them may stand
// in one file. The name says what else a line holds.
var (
	Auto     = Format{}                                                            // recognise it
	Common   = Format{&definition{"common", func() grammar { return family{} }}}   // host ident user [time] "request" status bytes
	Combined = Format{&definition{"combined", func() grammar { return family{} }}} // Common, then "referer" "user agent"
	Extended = Format{&definition{"extended", func() grammar { return family{} }}} // the same up to the status, with another time layout, columns before or fields after
)

// presets are the formats with a name, in the order in which they are tried on a line. The family, which asks least of a line, comes last.
var presets = []Format{Common, Combined, Extended}

// definition of Auto, where nothing was recognised, is the family.
func (f Format) definition() *definition {
	if f.d == nil {
		return Extended.d
	}
	return f.d
}

// String returns the format's name, as ParseFormat reads it, or the format string that it was made of.
func (f Format) String() string {
	if f.d == nil {
		return "auto"
	}
	return f.d.name
}

// FormatNames lists the names that ParseFormat knows.
func FormatNames() []string {
	names := []string{Auto.String()}
	for _, f := range presets {
		names = append(names, f.String())
	}
	return names
}

// ParseFormat returns the format of that name; or the one that a format string describes, which is nginx's if it names a variable ("$status"), and Apache's if it has
// a directive ("%>s"): see ParseNginx and ParseApache.
func ParseFormat(text string) (Format, error) {
	switch {
	case text == Auto.String():
		return Auto, nil
	case isNginx(text):
		return ParseNginx(text)
	case strings.Contains(text, "%"):
		return ParseApache(text)
	}
	for _, f := range presets {
		if text == f.String() {
			return f, nil
		}
	}
	names := FormatNames()
	last := len(names) - 1
	return Auto, fmt.Errorf("accesslog: unknown format %q; the formats are %s and %s, or a format string of nginx or Apache", text,
		strings.Join(names[:last], ", "), names[last])
}

// isNginx reports whether a format string is nginx's: it names a variable.
func isNginx(text string) bool {
	if strings.HasPrefix(text, "escape=") {
		return true
	}
	for {
		_, after, found := strings.Cut(text, "$")
		if !found {
			return false
		}
		if len(after) > 0 && (after[0] == '{' || after[0] == '_' || alphanumeric(after[0])) {
			return true
		}
		text = after
	}
}

// Parse reads one line, with or without its line end, as the first one of its log. Offset, Line, Source and ID stay zero, because a line
// alone does not know them. The error, if any, is a *BadLine; an empty line is one too, and so is one that holds no request by its
// nature, such as a "#Fields:" line. Auto is Extended here. To read many lines, use a Scanner.
func (f Format) Parse(line []byte) (Entry, error) {
	content, _, _ := cutLine(line)
	var parts fields
	reason := f.definition().open().read(content, &parts)
	if reason == 0 && parts.directive {
		reason = NoRequestField
	}
	if reason != 0 {
		return Entry{}, newBadLine(content, reason)
	}
	return parts.entry(new(clock)), nil
}
