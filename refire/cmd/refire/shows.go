package main

import (
	"errors"
)

// checkShows checks the flags that say how a run is shown.
func (f *runFlags) checkShows() error {
	if f.report == "" {
		return nil
	}
	switch {
	case f.dryRun:
		return usage(errors.New("--report shows outcomes, and --dry-run has none"), "leave one of them out")
	case !f.journals():
		return usage(errors.New("--report is made of the retry log"), "name a file with --out, and leave --out-format at json")
	}
	return checkHTML("--report", f.report, f.out)
}
