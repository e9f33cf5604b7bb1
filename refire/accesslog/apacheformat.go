package accesslog

import (
	"errors"
	"fmt"
	"strings"
)

// ParseApache returns the format that a LogFormat string of Apache's httpd describes, as the documentation of mod_log_config has it ("Custom Log
// Formats", "Modifiers"): text and directives, with status lists (%400,501{Referer}i, %!200,304r), "<" and ">". The quotes and backslashes
// of a configuration file may be there (\" \t \n \\) or not. A string without a request or a status is refused.
//
// Where a line has the status twice, the final one (%>s) counts. A request is %r, or %m and %U, with %q and %H if they are there.
func ParseApache(text string) (Format, error) {
	g, err := compileApache(unquoteApache(text))
	if err != nil {
		return Auto, fmt.Errorf("accesslog: format %q: %w", text, err)
	}
	return compiled(text, g), nil
}

// unquoteApache takes the quotes of a configuration file away. mod_log_config undoes backslashes itself.
func unquoteApache(text string) string {
	if n := len(text); n >= 2 && text[0] == '"' && text[n-1] == '"' && findUnescaped(text[1:], '"') == n-2 {
		return strings.ReplaceAll(text[1:n-1], `\"`, `"`)
	}
	return text
}

func compileApache(text string) (grammar, error) {
	elements, err := apacheElements(text)
	if err != nil {
		return nil, err
	}
	if isFamily(elements) {
		return family{}, nil
	}
	p, err := compile(elements, unescape, findQuote)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// apacheElements takes a LogFormat string to pieces.
func apacheElements(text string) ([]element, error) {
	var list []element
	literal := func(s string) { list = append(list, element{literal: s}) }
	final := false
	for len(text) > 0 {
		switch at := strings.IndexAny(text, `%\`); {
		case at != 0:
			if at < 0 {
				at = len(text)
			}
			literal(text[:at])
			text = text[at:]
		case text[0] == '\\':
			s, size := apacheBackslash(text)
			literal(s)
			text = text[size:]
		case strings.HasPrefix(text, "%%"):
			literal("%")
			text = text[2:]
		default:
			d, rest, err := apacheDirective(text)
			if err != nil {
				return nil, err
			}
			e := d.element()
			e.name = text[:len(text)-len(rest)]
			e.port = d.letter == "p"
			final = final || e.slot == statusSlot && d.final
			list, text = append(list, e), rest
		}
	}
	for i := range list { // the status before internal redirects is not the client's
		if list[i].slot == statusSlot && final && !strings.Contains(list[i].name, ">") {
			list[i].slot = unused
		}
	}
	return list, nil
}

// apacheBackslash is what mod_log_config makes of a backslash.
func apacheBackslash(text string) (string, int) {
	if len(text) < 2 {
		return `\`, 1
	}
	switch text[1] {
	case 'n':
		return "\n", 2
	case 't':
		return "\t", 2
	case '"', '\\':
		return text[1:2], 2
	}
	return `\`, 1
}

// directive is %[statuses][<>]{argument}letter.
type directive struct {
	conditional bool
	final       bool // ">"
	argument    string
	letter      string // or two, after "^"
}

func apacheDirective(text string) (d directive, rest string, err error) {
	rest = text[1:]
	for len(rest) > 0 {
		switch c := rest[0]; {
		case c == '!', c == ',', '0' <= c && c <= '9':
			d.conditional = true
		case c == '<':
			d.final = false
		case c == '>':
			d.final = true
		case c == '{':
			var ok bool
			if d.argument, rest, ok = strings.Cut(rest[1:], "}"); !ok {
				return d, "", fmt.Errorf("%q has no closing brace", text)
			}
			continue
		case c == '^' && len(rest) >= 3:
			d.letter = rest[1:3]
			return d, rest[3:], nil
		default:
			d.letter = rest[:1]
			return d, rest[1:], nil
		}
		rest = rest[1:]
	}
	return d, "", errors.New("it ends within a directive: " + text)
}

// element says what the directive writes.
func (d *directive) element() element {
	e := element{may: escapedText}
	switch d.letter {
	case "r":
		e.slot = requestSlot
	case "m":
		e.slot, e.may = methodSlot, tokenBytes
	case "U":
		e.slot, e.decoded = targetSlot, decodedAll
	case "q":
		e.slot = querySlot
	case "H":
		e.slot, e.may = protoSlot, protoBytes
	case "s":
		e.slot, e.may = statusSlot, numberBytes
	case "t":
		e = d.time()
	case "v":
		e.slot, e.may = hostSlot, addressBytes
	case "V":
		e.slot = hostSlot
	case "i":
		switch strings.ToLower(d.argument) {
		case "host":
			e.slot = hostSlot
		case "x-forwarded-proto":
			e.slot, e.may = schemeSlot, escapedText
		}
	case "a", "A", "h":
		e.may = addressBytes
	case "B", "b", "D", "I", "O", "S", "T", "k", "p", "P", "L", "X":
		e.may = addressBytes
	}
	if d.conditional { // "-", which no status is
		e.may, e.shape, e.goTime = union(e.may, bytesOf("-")), "", ""
	}
	return e
}

// time is %t, in brackets that the directive itself writes, and %{format}t.
func (d *directive) time() element {
	e := element{slot: timeSlot, may: timeBytes}
	format, _ := strings.CutPrefix(d.argument, "begin:")
	format, _ = strings.CutPrefix(format, "end:")
	switch format {
	case "":
		if d.argument == "" {
			e.may, e.shape, e.layout = bytesOf("[-]0-9A-Za-z/:+ -"), "[00/Jan/0000:00:00:00 +0000]", bracketTimes
		} else {
			e.shape, e.goTime, e.layout = "00/Jan/0000:00:00:00 +0000", clfLayout, clfTimes
		}
	case "sec":
		e.may, e.layout = numberBytes, secondsLayout
	case "msec":
		e.may, e.layout = numberBytes, millisLayout
	case "usec":
		e.may, e.layout = numberBytes, microsLayout
	case "msec_frac":
		e.may, e.goTime = numberBytes, "000"
	case "usec_frac":
		e.may, e.goTime = numberBytes, "000000"
	default:
		strftime(format, &e)
	}
	return e
}

// strftime makes an element of a time in the notation of strftime(3). Where it cannot say what a conversion writes, the time is not read.
func strftime(format string, e *element) {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			e.goTime += format[i : i+1]
			continue
		}
		i++
		if (format[i] == 'E' || format[i] == 'O') && i+1 < len(format) {
			i++
		}
		if format == "%s" {
			e.may, e.layout, e.goTime = numberBytes, secondsLayout, ""
			return
		}
		conversion, known := conversions[format[i]]
		if !known {
			*e = element{may: escapedText}
			return
		}
		e.goTime += conversion
	}
	e.shape, e.may = strings.ReplaceAll(e.goTime, "_2", " 2"), anyBytes
	if strings.HasPrefix(e.goTime, "[") && strings.HasSuffix(e.goTime, "]") {
		e.layout = layouts(e.goTime)
		e.goTime = ""
		return
	}
	e.layout = layouts(e.goTime)
}

// conversions of strftime in the notation of package time.
var conversions = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'h': "Jan", 'd': "02", 'e': "_2", 'H': "15", 'I': "03", 'j': "002", 'm': "01",
	'M': "04", 'p': "PM", 'S': "05", 'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST",
	'D': "01/02/06", 'F': "2006-01-02", 'T': "15:04:05", 'R': "15:04", 'r': "03:04:05 PM", 'c': "Mon Jan _2 15:04:05 2006",
	'n': "\n", 't': "\t", '%': "%",
}

// isFamily reports whether lines of the format are those of which the package comment speaks, and hold nothing more that matters: then the fast path reads them.
func isFamily(elements []element) bool {
	request := -1
	for i := range elements {
		switch elements[i].slot {
		case requestSlot:
			if request < 0 {
				request = i
			}
		case hostSlot, schemeSlot:
			return false
		}
	}
	if request < 2 || request+2 >= len(elements) || elements[request+2].slot != statusSlot || elements[request+1].literal != `" ` {
		return false
	}
	for _, e := range elements[:request-1] { // what stands in quotes there might pose as the request
		if strings.ContainsAny(e.literal, `"\\`) {
			return false
		}
	}
	before, when := elements[request-1].literal, &elements[request-2]
	if when.slot != timeSlot || when.layout != bracketTimes && when.layout != clfTimes {
		return false
	}
	if request+3 < len(elements) && (elements[request+3].literal == "" || elements[request+3].literal[0] != ' ') {
		return false
	}
	open := "" // what stands before the time
	if request > 2 {
		open = elements[request-3].literal
	}
	if when.layout == clfTimes {
		return before == `] "` && (open == "[" || strings.HasSuffix(open, " ["))
	}
	return before == ` "` && (request == 2 || strings.HasSuffix(open, " "))
}
