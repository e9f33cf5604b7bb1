package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/internal/plainjson"
)

// eventVersion is the first field of every event. It changes when a field goes away or comes to mean something else, not when one is added.
const eventVersion = 1

// eventBegins is what a file of events begins with, of any version.
const eventBegins = `{"v":`

// eventEvery is how often progress is told to machines.
const eventEvery = time.Second

// head is what every event begins with.
type head struct {
	V     int       `json:"v"`
	Event string    `json:"event"`
	Time  time.Time `json:"time"`
}

// startEvent says what a run is about to do. The events and their fields are described in docs/events.md; a test compares.
type startEvent struct {
	head
	Refire      string   `json:"refire"`
	Base        string   `json:"base,omitempty"`
	AllowHosts  []string `json:"allow_hosts,omitempty"`
	Logs        []string `json:"logs"`
	TotalBytes  int64    `json:"total_bytes,omitempty"`
	Out         string   `json:"out"`
	Journal     bool     `json:"journal"`
	Settled     int      `json:"settled"`
	Again       bool     `json:"again"`
	Follow      bool     `json:"follow"`
	Concurrency int      `json:"concurrency"`
	Rate        float64  `json:"rate,omitempty"`
	Retries     int      `json:"retries"`
}

// progressEvent says how far it is.
type progressEvent struct {
	head
	Elapsed     float64  `json:"elapsed_s"`
	ReadBytes   int64    `json:"read_bytes"`
	ReadAll     bool     `json:"read_all"`
	Admitted    int      `json:"admitted"`
	Done        int      `json:"done"`
	Recovered   int      `json:"recovered"`
	Failing     int      `json:"failing"`
	Unreachable int      `json:"unreachable"`
	Running     int      `json:"running"`
	Held        []held   `json:"held,omitempty"`
	PerSecond   float64  `json:"per_second"`
	ETA         *float64 `json:"eta_s,omitempty"`
}

// held is a place that nothing is fired at for now.
type held struct {
	Place string  `json:"place"`
	Why   string  `json:"why"`
	Wait  float64 `json:"wait_s"`

	GivesUp float64 `json:"gives_up_s,omitempty"`
}

// Why a place is held.
const (
	heldFailing = "failing"
	heldAsked   = "retry-after"
)

// endEvent says how it ended.
type endEvent struct {
	head
	ExitCode    int            `json:"exit_code"`
	Error       string         `json:"error,omitempty"`
	Hint        string         `json:"hint,omitempty"`
	Elapsed     float64        `json:"elapsed_s"`
	Fired       int            `json:"fired"`
	Unwritten   int            `json:"unwritten,omitempty"`
	Settled     int            `json:"settled"`
	Recovered   int            `json:"recovered"`
	Failing     int            `json:"failing"`
	Unreachable int            `json:"unreachable"`
	Unknown     int            `json:"unknown"`
	Unsettled   int            `json:"unsettled"`
	RecoveredBy map[int]int    `json:"recovered_by_status"`
	ByStatus    map[int]int    `json:"by_status"`
	ByTrouble   map[string]int `json:"by_trouble"`
	Skipped     int            `json:"skipped"`
	Refused     int            `json:"refused"`
	NoRequest   int            `json:"no_request"`
	BadLines    int            `json:"bad_lines"`
}

// events writes them. They are there to be looked at: when they cannot be written, that is told, and the run goes on. nil: nobody wants them.
type events struct {
	w     io.Writer
	close func() error
	c     *console
	enc   *json.Encoder

	told time.Duration // when progress was told last
	rate meter
	end  *ended
}

// openEvents opens --json; nil: it was not given.
func openEvents(f *runFlags, std stdio, c *console) (*events, error) {
	e := &events{w: std.out, close: func() error { return nil }, c: c}
	switch f.json {
	case "":
		return nil, nil
	case "-":
	default:
		if beginsOtherwise(f.json, eventBegins) {
			return nil, usage(fmt.Errorf("--json=%s is there, and holds no events", f.json), "name another file; events are appended to those that are there")
		}
		file, err := os.OpenFile(f.json, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			var path *fs.PathError
			if errors.As(err, &path) {
				err = path.Err
			}
			return nil, cannotRun(fmt.Errorf("cannot open --json=%s: %w", f.json, err), "nothing was fired; name another file, or leave =FILE out for standard output")
		}
		e.w, e.close = file, file.Close
	}
	e.enc = json.NewEncoder(plainWriter{e.w})
	e.enc.SetEscapeHTML(false)
	return e, nil
}

// plainWriter writes JSON, of which an encoder hands over a whole line at a time, so that it may be shown on a terminal.
type plainWriter struct{ w io.Writer }

func (p plainWriter) Write(line []byte) (int, error) {
	if _, err := p.w.Write(plainjson.Append(nil, line)); err != nil {
		return 0, err
	}
	return len(line), nil
}

func (e *events) head(name string) head {
	return head{eventVersion, name, time.Now().UTC().Truncate(time.Millisecond)}
}

func (e *events) write(event any) {
	if e.enc == nil {
		return
	}
	if err := e.enc.Encode(event); err != nil {
		e.enc = nil
		e.c.say("refire: cannot write --json any more, and go on without: %v", err)
	}
}

func (e *events) start(f *runFlags, read *reading, settled int) {
	if e == nil {
		return
	}
	s := startEvent{
		head: e.head("start"), Refire: version(), AllowHosts: f.allowHosts, Logs: []string{}, TotalBytes: read.total(), Out: f.out, Journal: f.journals(),
		Settled: settled, Again: f.again, Follow: f.follows(), Concurrency: f.concurrency, Rate: f.rate, Retries: f.retries,
	}
	if base := read.plan.Routes.Base; !base.IsZero() {
		s.Base = base.String()
	}
	for _, l := range read.logs {
		s.Logs = append(s.Logs, l.name)
	}
	e.rate = *newMeter(f, read)
	e.write(s)
}

func (e *events) progress(p refire.Progress) {
	if e == nil || p.Elapsed-e.told < eventEvery-terminalEvery/2 {
		return
	}
	e.told = p.Elapsed
	e.rate.observe(p)
	event := progressEvent{
		head: e.head("progress"), Elapsed: seconds(p.Elapsed), ReadBytes: p.Read, ReadAll: p.ReadAll, Admitted: p.Admitted, Done: p.Done, Recovered: p.Recovered,
		Failing: p.Done - p.Recovered - p.Unreachable, Unreachable: p.Unreachable, Running: p.Running, PerSecond: round(e.rate.rate),
	}
	for _, h := range p.Held {
		why := heldAsked
		if h.Breaker {
			why = heldFailing
		}
		event.Held = append(event.Held, held{h.Place.String(), why, seconds(h.Wait), seconds(h.GivesUp)})
	}
	if left, known := e.rate.eta(p); known {
		s := seconds(left)
		event.ETA = &s
	}
	e.write(event)
}

// summary is what finish tells.
func (e *events) summary(end *ended) {
	if e != nil {
		e.end = end
	}
}

// finish writes the last event, once the exit code is known.
func (e *events) finish(err error) {
	if e == nil {
		return
	}
	event := endEvent{head: e.head("end"), ExitCode: exitRecovered, RecoveredBy: map[int]int{}, ByStatus: map[int]int{}, ByTrouble: map[string]int{}}
	var f *failure
	if errors.As(err, &f) {
		event.ExitCode, event.Hint = f.code, f.hint
		if f.err != nil {
			event.Error = strings.TrimPrefix(f.err.Error(), "refire: ")
		}
	}
	if e.end != nil {
		event.count(e.end)
	}
	e.write(event)
	if err := e.close(); err != nil && e.enc != nil {
		e.c.say("refire: cannot finish --json: %v", err)
	}
}

// count takes what the summary says.
func (event *endEvent) count(e *ended) {
	event.Elapsed, event.Fired, event.Unwritten = seconds(e.Elapsed), e.Done+e.Unwritten, e.Unwritten
	t := e.tally
	event.Settled, event.Recovered, event.Failing, event.Unreachable = t.Settled(), t.Recovered, t.Failing(), t.Unreachable()
	event.Unknown, event.Unsettled = t.Unknown, t.Unsettled
	event.RecoveredBy, event.ByStatus = t.RecoveredBy, t.ByStatus
	for trouble, n := range t.ByTrouble {
		event.ByTrouble[trouble.String()] = n
	}
	event.Skipped = sum(e.Skipped) + sum(e.read.again) + sum(e.read.outside) + sum(e.read.byMethod)
	event.Refused, event.NoRequest = sum(e.read.refused), sum(e.read.nothing)
	event.BadLines = int(e.read.stats.Malformed + e.read.stats.TooLong)
}

func seconds(d time.Duration) float64 { return round(d.Seconds()) }

// round keeps milliseconds.
func round(x float64) float64 { return float64(int64(x*1000+0.5)) / 1000 }
