package accesslog

import (
	"bytes"
	"strings"
)

// An unwrapper takes off what a container runtime or a syslog daemon has put around the lines of a log. What it returns is valid until the
// next line.
type unwrapper interface {
	// unwrap returns the line inside, and when it was written, if it is told. The Reason is Misfit if the line is not wrapped so.
	unwrap(line []byte) (inner, when []byte, why Reason)
	state() string
	restore(string)
}

// wrapper is a way to wrap lines.
type wrapper struct {
	name string
	open func() unwrapper
}

var wrappers = []wrapper{
	{"docker", func() unwrapper { return &docker{walk: jsonGrammar{keys: dockerKeys}} }},
	{"cri", func() unwrapper { return &cri{} }},
	{"syslog", func() unwrapper { return syslog{} }},
}

// around returns the format of f's lines in w.
func (w *wrapper) around(f Format) Format {
	inside := f.definition()
	return named(w.name+":"+inside.name, func() grammar { return &wrapped{w.open(), inside.open()} })
}

// within is around, but one value for each of the presets.
func (w *wrapper) within(f Format) Format {
	if one, ok := containers[w.name][f]; ok {
		return one
	}
	return w.around(f)
}

// wrapped reads lines inside others. An entry's identity and offset are still those of the whole line.
type wrapped struct {
	outer unwrapper
	inner grammar
}

func (w *wrapped) read(line []byte, f *fields) Reason {
	inner, when, why := w.outer.unwrap(line)
	if why != 0 {
		return why
	}
	if inner = trimCR(inner); len(inner) == 0 {
		return Misfit
	}
	if why := w.inner.read(inner, f); why != 0 {
		return why
	}
	f.written(when)
	return 0
}

// written is when the wrapper says that the line was written, for want of anything better.
func (f *fields) written(when []byte) {
	if len(f.time) == 0 {
		f.date, f.time, f.layout = nil, when, nil
	}
}

func (w *wrapped) state() string {
	if s, ok := w.inner.(stateful); ok {
		return w.outer.state() + "\x00" + s.state()
	}
	return w.outer.state()
}

func (w *wrapped) restore(state string) {
	outer, inner, _ := strings.Cut(state, "\x00")
	w.outer.restore(outer)
	if s, ok := w.inner.(stateful); ok {
		s.restore(inner)
	}
}

// pieces remembers which streams a runtime has cut a line of: the next piece there is no line of its own, whatever it looks like. The
// first piece is read as a line that was cut off; the others are bad lines (Continued).
type pieces struct{ open string } // "o" for stdout, "e" for stderr

func (p *pieces) state() string        { return p.open }
func (p *pieces) restore(state string) { p.open = state }

func (p *pieces) take(stream []byte, last bool) Reason {
	mark := "o"
	if string(stream) == "stderr" {
		mark = "e"
	}
	begun := strings.Contains(p.open, mark)
	switch {
	case begun && last:
		p.open = strings.Replace(p.open, mark, "", 1)
	case !begun && !last:
		if p.open += mark; p.open == "eo" {
			p.open = "oe"
		}
	}
	if begun {
		return Continued
	}
	return 0
}

// cri is the log format of Kubernetes' Container Runtime Interface, which containerd and CRI-O write (Kubernetes design proposal "CRI: Log
// Management", "Log Format"): time, stream, tags, line. The first tag is F for a whole line or the last piece of one, P for another piece.
type cri struct{ pieces }

func (c *cri) unwrap(line []byte) (inner, when []byte, why Reason) {
	when, rest, _ := bytes.Cut(line, []byte{' '})
	stream, rest, _ := bytes.Cut(rest, []byte{' '})
	tags, inner, found := bytes.Cut(rest, []byte{' '})
	first, _, _ := bytes.Cut(tags, []byte{':'})
	if string(stream) != "stdout" && string(stream) != "stderr" || len(when) < len("2006-01-02T15:04:05Z") || when[10] != 'T' {
		return nil, nil, Misfit
	}
	if full := string(first) == "F"; full || string(first) == "P" {
		why = c.take(stream, full)
	} else {
		return nil, nil, Misfit
	}
	if !found && why == 0 {
		why = Misfit
	}
	return inner, when, why
}

// docker is what Docker's json-file driver writes (Docker documentation, "JSON File logging driver"): an object with log, stream and time. A log that
// does not end with a newline is a piece of a longer line.
type docker struct {
	pieces
	walk jsonGrammar
}

// dockerKeys use slots for what these are not.
var dockerKeys = newJSONKeys([]jsonField{{requestSlot, []string{"log"}}, {hostSlot, []string{"stream"}}, {timeSlot, []string{"time"}}})

func (d *docker) unwrap(line []byte) (inner, when []byte, why Reason) {
	if why := d.walk.parse(line); why != 0 {
		return nil, nil, why
	}
	v := &d.walk.values
	if v[requestSlot].rank == 0 || v[hostSlot].rank == 0 {
		return nil, nil, Misfit
	}
	inner, full := bytes.CutSuffix(v[requestSlot].text, []byte{'\n'})
	return inner, v[timeSlot].text, d.take(v[hostSlot].text, full)
}

// syslog takes a syslog header off.
type syslog struct{}

func (syslog) state() string  { return "" }
func (syslog) restore(string) {}

func (syslog) unwrap(line []byte) (inner, when []byte, why Reason) {
	inner, ok := cutSyslog(line)
	if !ok {
		return nil, nil, Misfit
	}
	return inner, nil, 0
}
