package main

import (
	"bufio"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/report"
	"github.com/seed8b1f0744/aio/refire/retrylog"
	"github.com/spf13/cobra"
)

const exportHelp = `Print the entries of a retry log, each by its last outcome, for other programs:

  csv    a table for spreadsheets; what one would take for a formula, at the
         beginning of a cell or after a ;, begins with '
  curl   a command for a POSIX shell that sends the same request, without what
         --header added (refire run --dry-run=curl has that, too)
  urls   the URL as it was sent (not marked), one a line`

const exportExample = `  refire export retry.log > retry.csv
  refire export --only failing,unreachable --format curl retry.log > again.sh
  refire export --only failing --format urls retry.log | sort | uniq -c`

// exportFormats write an outcome each.
var exportFormats = map[string]func(w *bufio.Writer) exporter{
	"csv":  newCSVExport,
	"curl": newCurlExport,
	"urls": newURLExport,
}

// exporter writes outcomes; nil is the end.
type exporter func(o *refire.Outcome) error

func newExport(std stdio) *cobra.Command {
	format, only := "csv", report.Fates()
	cmd := &cobra.Command{
		Use:         "export [flags] RETRYLOG",
		Short:       "Print the entries of a retry log as csv, curl or urls",
		Long:        exportHelp,
		Example:     exportExample,
		Annotations: exits("0 printed; 2 usage; 3 RETRYLOG cannot be read, or is none."),
		Args:        func(_ *cobra.Command, args []string) error { return takesRetryLog("export", args) },
		RunE: func(_ *cobra.Command, args []string) error {
			return runExport(args[0], exportFormats[format], only, std)
		},
	}
	cmd.Flags().SortFlags = false
	cmd.Flags().Var(value("NAME", parseExportFormat, &format), "format", "csv, curl or urls")
	fates := value("LIST", parseFates, &only).(flagValue[[]report.Fate])
	cmd.Flags().Var(fatesValue{fates}, "only", "recovered, failing, unreachable, unknown; or all")
	return cmd
}

func parseExportFormat(text string) (string, error) {
	if exportFormats[text] == nil {
		return "", fmt.Errorf("%s is no format; write csv, curl or urls", quoted(text))
	}
	return text, nil
}

// fatesValue shows the default as one word.
type fatesValue struct{ flagValue[[]report.Fate] }

// String implements pflag.Value.
func (v fatesValue) String() string {
	if v.to == nil || len(*v.to) == len(report.Fates()) {
		return "all"
	}
	return strings.Trim(fmt.Sprint(*v.to), "[]")
}

func parseFates(text string) (list []report.Fate, err error) {
	all := report.Fates()
	for name := range strings.SplitSeq(text, ",") {
		if name == "all" {
			return all, nil
		}
		at := slices.IndexFunc(all, func(f report.Fate) bool { return f.String() == name })
		if at < 0 {
			return nil, fmt.Errorf("%s is none of recovered, failing, unreachable, unknown and all", quoted(name))
		}
		list = append(list, all[at])
	}
	return list, nil
}

func runExport(name string, format func(*bufio.Writer) exporter, only []report.Fate, std stdio) error {
	c := newConsole(std.err)
	s := readStory(name, c)
	l, err := openRetryLog(name, std)
	if err != nil {
		return err
	}
	defer l.close()
	out := newDataWriter(std.out)
	export := format(out)
	var printing error
	fired, err := retrylog.ReadFired(name)
	if err != nil {
		return damagedAnnouncements(name, err)
	}
	_, err = l.latest(func(o *refire.Outcome) error {
		fired.Settle(o)
		if slices.Contains(only, report.FateOf(o)) {
			printing = export(o)
		}
		return printing
	})
	switch {
	case printing != nil:
		return cannotPrint(printing)
	case err != nil:
		return notARetryLog(name, err, "export reads what refire run wrote to --out")
	}
	if err := export(nil); err != nil {
		return cannotPrint(err)
	}
	if err := out.Flush(); err != nil {
		return cannotPrint(err)
	}
	sayAnnounced(c, name, fired)
	if text := s.unfinished(); text != "" {
		c.say("refire: %s is not finished: %s", name, text)
	}
	return nil
}

// csvColumns are the columns, in order. New ones come at the end.
var csvColumns = []string{
	"outcome", "method", "url", "old_status", "status", "error", "attempts", "latency_ms", "bytes", "logged", "time", "source", "offset", "round", "rewritten", "id",
}

func newCSVExport(out *bufio.Writer) exporter {
	w := csv.NewWriter(out)
	begun := false
	return func(o *refire.Outcome) error {
		if !begun {
			begun = true
			if err := w.Write(csvColumns); err != nil {
				return err
			}
		}
		if o == nil {
			w.Flush()
			return w.Error()
		}
		logged := ""
		if !o.Logged.IsZero() {
			logged = o.Logged.Format(time.RFC3339)
		}
		cells := []string{
			report.FateOf(o).String(), o.Method, o.Origin.String() + o.Target, strconv.Itoa(o.OldStatus), strconv.Itoa(o.Status), o.Error, strconv.Itoa(o.Attempts),
			strconv.FormatFloat(float64(o.Latency)/1e6, 'f', -1, 64), strconv.FormatInt(o.Bytes, 10), logged, o.Time.UTC().Format(time.RFC3339Nano), o.Source,
			strconv.FormatInt(o.Offset, 10), strconv.Itoa(o.Round), strconv.FormatBool(o.Rewritten), o.ID.String(),
		}
		for i := range cells {
			cells[i] = csvCell(cells[i])
		}
		return w.Write(cells)
	}
}

// csvCell keeps a spreadsheet from taking a stranger's text for a formula, and a terminal from acting on it. A cell may begin after a ";", too, for a
// spreadsheet of a country where that is what separates. That a number is negative cannot be: none is.
func csvCell(text string) string {
	text = safe(text) // a tab or a newline is \t and \n from here on
	var b strings.Builder
	begins := true
	for _, r := range text {
		if begins && strings.ContainsRune("=+-@\uFF1D\uFF0B\uFF0D\uFF20", r) { // the same, and full-width
			b.WriteByte('\'')
		}
		b.WriteRune(r)
		begins = r == ';'
	}
	return b.String()
}

func newCurlExport(out *bufio.Writer) exporter {
	var config refire.HTTPConfig
	return func(o *refire.Outcome) error { return printLine(out, o, config.Curl) }
}

func newURLExport(out *bufio.Writer) exporter {
	return func(o *refire.Outcome) error {
		return printLine(out, o, func(r *refire.Request) string { return r.Origin.String() + r.Target })
	}
}

func printLine(out io.StringWriter, o *refire.Outcome, text func(*refire.Request) string) error {
	if o == nil {
		return nil
	}
	_, err := out.WriteString(text(&o.Request) + "\n")
	return err
}
