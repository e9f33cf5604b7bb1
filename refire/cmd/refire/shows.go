package main

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"
)

// addShows adds the flags that say how a run is shown.
func (f *runFlags) addShows(fs *pflag.FlagSet) {
	fs.StringVar(&f.report, "report", "", "`FILE`: a page (HTML) about it, at the end")
	fs.StringVar(&f.json, "json", "", "`FILE`: events for machines, as JSON lines; alone: stdout")
	fs.Lookup("json").NoOptDefVal = "-"
	fs.BoolVarP(&f.quiet, "quiet", "q", false, "no progress, no summary; only what went wrong")
	fs.StringVar(&f.progress, "progress", f.progress, "`WHEN`: auto, on (every second), off")
	put(fs, whatToWrite, "report", "json", "quiet", "progress")
	rare(fs, "json", "quiet", "progress")
}

// checkShows checks them.
func (f *runFlags) checkShows() error {
	switch {
	case f.progress != "auto" && f.progress != "on" && f.progress != "off":
		return usage(fmt.Errorf("--progress %q is unknown", f.progress), "write auto, on or off")
	case f.quiet && f.progress == "on":
		return usage(errors.New("--quiet tells no progress, --progress on does"), "leave one of them out")
	case f.json != "" && f.dryRun != "":
		return usage(errors.New("--json tells what a run does, and --dry-run does nothing"), "leave one of them out")
	case f.json == "-" && f.out == "-":
		return usage(errors.New("--json and --out - both write to standard output"), "write --json=FILE, or name a file with --out")
	case f.report == "":
		return nil
	case f.dryRun != "":
		return usage(errors.New("--report shows outcomes, and --dry-run has none"), "leave one of them out")
	case !f.journals():
		return usage(errors.New("--report is made of the retry log"), "name a file with --out, and leave --out-format at json")
	}
	return checkHTML("--report", f.report, f.out)
}
