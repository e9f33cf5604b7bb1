package accesslog

import (
	"bytes"
	"strings"
)

// w3c is the grammar of the W3C's "Extended Log File Format" (working draft WD-logfile-960323, "Format" and "Directives"): lines that begin with "#" are
// directives, of which "#Fields:" names the columns of the lines after it, and may do so again in the same file. Values are separated by
// spaces or tabs; "-" is none. Written by:
//
//   - IIS ("W3C Extended Log File Format (IIS 6.0)" in Microsoft's documentation): times in UTC; a space in a value is written "+", so in
//     cs-uri-stem, which IIS logs decoded, "+" is taken as a space (IIS itself refuses "+" there, unless allowDoubleEscaping is on);
//   - CloudFront ("Standard logging reference" in Amazon's documentation, "Log file fields"): tabs; x-host-header is the host that the client asked
//     for, cs(Host) the distribution; a "%" in a value is written "%25", so that is undone;
//   - others, which put values with spaces in quotes ("" for a quote in them), as the draft says.
//
// A line whose number of values is not that of the columns is no entry: nobody can know which is which.
type w3c struct {
	directive string // what follows the last "#Fields:"
	columns   []slot
	plus      bool // IIS
	percent   bool // CloudFront
	useful    bool // the columns hold a request and a status
	values    [][]byte
	stem      []byte // scratch
}

// Columns that are neither a slot's nor unused.
const (
	stemColumn = slots + iota
	dateColumn
	viewerHostColumn // better than hostSlot
)

var w3cColumns = map[string]slot{
	"date": dateColumn, "time": timeSlot, "cs-method": methodSlot, "cs-uri-stem": stemColumn, "cs-uri-query": querySlot, "cs-uri": targetSlot,
	"sc-status": statusSlot, "cs-version": protoSlot, "cs-protocol-version": protoSlot, "cs-protocol": schemeSlot,
	"cs-host": hostSlot, "cs(host)": hostSlot, "x-host-header": viewerHostColumn,
}

func (w *w3c) state() string { return w.directive }

func (w *w3c) restore(directive string) {
	if directive == w.directive {
		return
	}
	*w = w3c{directive: directive, columns: w.columns[:0], values: w.values, stem: w.stem}
	var has [viewerHostColumn + 1]bool
	for name := range strings.FieldsSeq(directive) {
		name = strings.ToLower(name)
		column := w3cColumns[name]
		w.columns = append(w.columns, column)
		has[column] = true
		switch name {
		case "sc-win32-status", "sc-substatus", "s-sitename", "s-computername":
			w.plus = true
		case "x-edge-location", "x-edge-result-type", "x-edge-request-id":
			w.percent = true
		}
	}
	w.useful = has[methodSlot] && has[statusSlot] && (has[stemColumn] || has[targetSlot])
}

func (w *w3c) read(line []byte, f *fields) Reason {
	line = bytes.TrimPrefix(line, byteOrderMark)
	if bytes.HasPrefix(line, []byte{'#'}) {
		if fields, ok := bytes.CutPrefix(line, []byte("#Fields:")); ok {
			w.restore(string(fields))
		} else if !isDirective(line) {
			return Misfit
		}
		f.directive = true
		return 0
	}
	if !w.useful {
		return NoFields
	}
	if !w.split(line) {
		return Misfit
	}
	return w.fill(f)
}

// isDirective: a name directly after "#", and a colon.
func isDirective(line []byte) bool {
	name, _, found := bytes.Cut(line[1:], []byte{':'})
	return found && isToken(name)
}

// split finds the values: between single tabs, or single spaces, or with quotes around some of them. Which of them it is must not depend on how many of
// them a client has put into a value: CloudFront separates with tabs, IIS with spaces, others with what stands behind the first value.
func (w *w3c) split(line []byte) bool {
	n := len(w.columns)
	separator := byte(' ')
	if i := bytes.IndexAny(line, " \t"); w.percent || !w.plus && i >= 0 && line[i] == '\t' {
		separator = '\t'
	}
	w.values = w.values[:0]
	if bytes.Count(line, []byte{separator}) == n-1 {
		for range n - 1 {
			i := bytes.IndexByte(line, separator)
			w.values = append(w.values, line[:i])
			line = line[i+1:]
		}
		w.values = append(w.values, line)
		return true
	}
	if w.percent || w.plus {
		return false
	}
	for {
		line = bytes.TrimLeft(line, " \t")
		if len(line) == 0 {
			return len(w.values) == n
		}
		if len(w.values) == n {
			return false
		}
		end := bytes.IndexAny(line, " \t")
		if line[0] == '"' {
			if end = endOfString(line); end < 0 {
				return false
			}
			w.values = append(w.values, line[1:end-1])
		} else {
			if end < 0 {
				end = len(line)
			}
			w.values = append(w.values, line[:end])
		}
		line = line[end:]
	}
}

// endOfString returns where the string in quotes at the beginning of b ends: behind the first quote that is not one of a pair, where a value must end. -1 if
// there is none.
func endOfString(b []byte) int {
	for i := 1; i < len(b); i++ {
		if b[i] != '"' {
			continue
		}
		switch {
		case i+1 == len(b), b[i+1] == ' ', b[i+1] == '\t':
			return i + 1
		case b[i+1] != '"':
			return -1
		}
		i++
	}
	return -1
}

// fill puts the values where they belong.
func (w *w3c) fill(f *fields) Reason {
	f.apart, f.undo = true, plain
	viewer := false
	for i, column := range w.columns {
		value := w.values[i]
		if column == unused || isNone(value) && column != statusSlot && column != methodSlot {
			continue
		}
		switch column {
		case methodSlot:
			f.method = value
		case stemColumn:
			if f.target = w.undo(value); w.plus {
				f.decoded = decodedAll
			}
		case targetSlot:
			if f.target == nil {
				f.target = value
			}
		case querySlot:
			f.query = value
		case statusSlot:
			var ok bool
			if f.status, ok = statusOf(value); !ok {
				return NoStatus
			}
		case protoSlot:
			f.proto = value
		case schemeSlot:
			f.scheme = value
		case dateColumn:
			f.date = value
		case timeSlot:
			f.time = value
		case viewerHostColumn:
			f.host, viewer = bytes.Trim(value, `"`), true
		case hostSlot:
			if !viewer {
				f.host = bytes.Trim(value, `"`)
			}
		}
	}
	if f.time == nil {
		f.date = nil
	}
	if w.percent {
		f.undo = unpercent25
	}
	return 0
}

// undo undoes in a path what the server has done to it.
func (w *w3c) undo(value []byte) []byte {
	if w.plus && bytes.IndexByte(value, '+') >= 0 {
		w.stem = append(w.stem[:0], value...)
		for i, c := range w.stem {
			if c == '+' {
				w.stem[i] = ' '
			}
		}
		return w.stem
	}
	return value
}

// unpercent25 undoes the encoding of "%" alone: whatever else was encoded is as good as it is.
func unpercent25(b []byte) string { return strings.ReplaceAll(string(b), "%25", "%") }
