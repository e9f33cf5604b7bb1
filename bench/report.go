package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
)

const (
	begin = "<!-- table: written by -write -->"
	end   = "<!-- end of table -->"
)

func (r result) line() string {
	if r.skipped != "" {
		return fmt.Sprintf("%-46s not measured: %s", r.name, r.skipped)
	}
	return fmt.Sprintf("%-46s %10s %10s  %.3gx (budget %.3gx)", r.name, r.show(r.oursCost), r.show(r.theirsCost), r.ratio, r.budget)
}

func (r result) show(cost float64) string {
	unit := r.unit
	if unit == "" {
		unit = "ns"
	}
	if cost >= 100 {
		return fmt.Sprintf("%.0f %s", cost, unit)
	}
	return fmt.Sprintf("%.3g %s", cost, unit)
}

// report is the table in Markdown.
func report(results []result, rounds int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s/%s, %d cores, %s. Each pair %d times in turns, in one run; medians; the ratio is the median of the ratios.\n\n",
		runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), cpuModel(), rounds)
	b.WriteString("| what | against | ours | theirs | ratio | budget | |\n|---|---|---:|---:|---:|---:|---|\n")
	for _, r := range results {
		if r.skipped != "" {
			fmt.Fprintf(&b, "| %s | %s | | | | <= %.3gx | not measured: %s |\n", r.name, r.peer, r.budget, r.skipped)
			continue
		}
		verdict := "met"
		if r.ratio > r.budget {
			verdict = "**missed**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.3gx | <= %.3gx | %s |\n", r.name, r.peer, r.show(r.oursCost), r.show(r.theirsCost), r.ratio, r.budget, verdict)
	}
	return b.String()
}

// cpuModel is the processor as /proc/cpuinfo names it.
func cpuModel() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for line := range strings.Lines(string(info)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// writeReadme replaces the table in a file.
func writeReadme(name, table string) error {
	old, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	i, j := bytes.Index(old, []byte(begin)), bytes.Index(old, []byte(end))
	if i < 0 || j < i {
		return fmt.Errorf("%s has no place for the table: it goes between %q and %q", name, begin, end)
	}
	var b bytes.Buffer
	b.Write(old[:i+len(begin)])
	b.WriteString("\n" + table)
	b.Write(old[j:])
	return os.WriteFile(name, b.Bytes(), 0o644)
}
