package main

import (
	"bytes"
	"fmt"
	"math"
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
	return number(cost) + " " + unit
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

// A contest is what the second table shows.
type contest struct {
	peers   []peer
	absent  []string // which are left out, and why
	results []result
}

// report is the table of the peers in Markdown, and below it what each of them is.
func (c contest) report() string {
	if len(c.peers) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\nOthers that have the same things, in turns with aio in the same rounds: what one costs in ns (memory: in bytes) and, in brackets, how many times ours that is.\n" +
		"Above 1x, aio is cheaper. A dash: it has no such thing.\n\n| what | aio |")
	for _, p := range c.peers {
		b.WriteString(" " + p.name + " |")
	}
	b.WriteString("\n|---|---:|" + strings.Repeat("---:|", len(c.peers)) + "\n")
	for _, r := range c.results {
		if len(r.peers) == 0 {
			continue
		}
		name := r.name
		if r.peersFixed > 0 {
			name += fmt.Sprintf(" (peers: %d of them)", r.peersFixed)
		}
		fmt.Fprintf(&b, "| %s | %s |", name, number(r.oursCost))
		for _, p := range c.peers {
			b.WriteString(" " + r.cell(p.name) + " |")
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for _, p := range c.peers {
		fmt.Fprintf(&b, "- **%s** %s\n", p.name, p.about)
	}
	for _, a := range c.absent {
		fmt.Fprintf(&b, "- %s\n", a)
	}
	return b.String()
}

// cell is what a peer cost in a row: a dash where it has no such thing.
func (r result) cell(peer string) string {
	p, ok := r.peers[peer]
	switch {
	case !ok:
		return "-"
	case math.IsNaN(p.cost):
		return "failed"
	case p.times >= 10:
		return fmt.Sprintf("%s (%.0fx)", number(p.cost), p.times)
	}
	return fmt.Sprintf("%s (%.2gx)", number(p.cost), p.times)
}

// number has three digits that count, or all that stand before the point.
func number(x float64) string {
	if x >= 100 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.3g", x)
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
