package accesslog

import (
	"bytes"
	"unsafe"
)

// record is one thing to deliver: an entry, or a bad line. Its line number counts from the beginning of the segment.
type record struct {
	entry Entry
	bad   *BadLine
}

// A batch is handed over when it has this many records, or this much text.
const (
	batchRecords = 1024
	batchBytes   = 1 << 20
)

// walker counts the lines of one stretch of a log and collects what there is to deliver.
type walker struct {
	source   string
	maxLine  int
	tag      []byte
	ids      *identifier
	grammars *grammars
	selected [1024]bool // by status; longer than needed, so that an index can be masked instead of checked

	stats   Stats
	fields  fields // of the line that is looked at
	clock   clock
	records []record
	weight  int                 // bytes that records hold
	deliver func([]record) bool // takes records before it returns; false: nobody wants more
	stopped bool
}

func newWalker(opts *Options, key streamKey, r reader) *walker {
	w := &walker{source: opts.Source, maxLine: opts.MaxLineBytes, tag: []byte(opts.Tag), ids: newIdentifier(key), grammars: openGrammars(r)}
	for status := range statuses {
		w.selected[status] = opts.Status.Contains(status)
	}
	return w
}

// walk counts whole lines, each with its newline, of which the first begins at offset in the stream.
func (w *walker) walk(lines []byte, offset int64) {
	w.stats.Bytes += int64(len(lines))
	for pos := 0; pos < len(lines); {
		if w.grammars.skims {
			size, count := skim(lines[pos:], &w.selected, &w.stats.ByStatus, w.maxLine)
			w.stats.Lines += count
			w.stats.Entries += count
			if pos += size; pos == len(lines) {
				return
			}
		}
		line := lines[pos:]
		line = line[:bytes.IndexByte(line, '\n')]
		w.stats.Lines++
		w.look(line, offset+int64(pos))
		if w.stopped {
			return
		}
		pos += len(line) + 1
	}
}

// last counts a line that ends with the stream.
func (w *walker) last(line []byte, offset int64) {
	w.stats.Bytes += int64(len(line))
	w.stats.Lines++
	w.stats.Unterminated++
	w.look(line, offset)
}

// look judges a line that skim did not pass over. The line is in Stats.Lines and Bytes already.
func (w *walker) look(line []byte, offset int64) {
	if len(line) > w.maxLine {
		w.tooLong(line, offset, int64(len(line)))
		return
	}
	line = trimCR(line)
	if len(line) == 0 {
		w.stats.Empty++
		return
	}
	f := &w.fields
	switch reason := w.grammars.read(line, f); {
	case reason != 0:
		w.stats.Malformed++
		w.bad(newBadLine(line, reason), offset)
		return
	case f.directive:
		w.stats.Directives++
		return
	}
	w.stats.ByStatus[f.status]++
	if !w.selected[f.status&1023] {
		if _, _, _, ok := f.parts(); ok {
			w.stats.Entries++
		} else {
			w.stats.NoRequest++
		}
		return
	}
	e := f.entry(&w.clock)
	e.Tagged = len(w.tag) > 0 && bytes.Contains(line, w.tag)
	if e.NoRequest {
		w.stats.NoRequest++
		w.stats.SelectedNoRequest++
	} else {
		w.stats.Entries++
		w.stats.Selected++
	}
	e.Source, e.Offset, e.Line, e.ID = w.source, offset, w.stats.Lines, w.ids.id(offset, line)
	w.add(record{entry: e}, len(e.Method)+len(e.Target)+len(e.Proto)+len(e.Host))
}

// tooLong reports a line of which at least the first maxLine bytes are at hand. The line is in Stats.Lines already.
func (w *walker) tooLong(head []byte, offset, length int64) {
	w.stats.TooLong++
	b := newBadLine(head[:min(len(head), w.maxLine)], TooLong)
	b.Length = length
	w.bad(b, offset)
}

func (w *walker) bad(b *BadLine, offset int64) {
	b.Source, b.Offset, b.Line = w.source, offset, w.stats.Lines
	w.add(record{bad: b}, int(unsafe.Sizeof(*b))+len(b.Raw))
}

func (w *walker) add(r record, weight int) {
	w.records = append(w.records, r)
	w.weight += weight
	if len(w.records) >= batchRecords || w.weight >= batchBytes {
		w.flush()
	}
}

// flush hands over what was collected.
func (w *walker) flush() {
	if len(w.records) > 0 && !w.stopped {
		w.stopped = !w.deliver(w.records)
	}
	clear(w.records)
	w.records, w.weight = w.records[:0], 0
}
