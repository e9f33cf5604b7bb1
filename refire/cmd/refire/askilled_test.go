package main

import (
	"errors"
	"os"
	"strings"

	"github.com/seed8b1f0744/aio/refire/retrylog"
)

// asKilled writes a retry log, and what a run announces, as they were when the outcomes of the last n entries were not there yet.
func asKilled(all string, n int, out string) error {
	lines := strings.SplitAfter(strings.TrimSuffix(all, "\n"), "\n")
	kept := strings.Join(lines[:len(lines)-n], "")
	var announced []byte
	var enc retrylog.Encoder
	for _, line := range lines[len(lines)-n:] {
		o, err := retrylog.Decode([]byte(line))
		if err != nil {
			return err
		}
		o.Status, o.Error = 0, "unknown: fired, and refire was stopped before the outcome was written"
		if announced, err = enc.Append(announced, &o); err != nil {
			return err
		}
	}
	return errors.Join(os.WriteFile(out, []byte(kept), 0o600), os.WriteFile(out+retrylog.FiredSuffix, announced, 0o600))
}
