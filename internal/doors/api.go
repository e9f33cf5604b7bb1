package doors

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Unlisted compares a table with the listing of the exported API (internal/policy/testdata/api.txt).
// Each function and method of package pkg that looks as if it could wait must have a row, or a reason
// in others why it has none; and there must be no row or reason for what is not there.
func Unlisted(api, pkg string, rows []string, others map[string]string) (complaints []string) {
	exported := map[string]bool{} // and whether it looks like a door
	for line := range strings.Lines(api) {
		if name, suspect := read(pkg, strings.TrimSuffix(line, "\n")); name != "" {
			exported[name] = suspect
		}
	}
	listed := map[string]bool{}
	for _, row := range rows {
		name := row
		if i := strings.IndexAny(row, " ,"); i >= 0 {
			name = row[:i] // the rest tells rows apart
		}
		listed[name] = true
		if _, ok := exported[name]; !ok {
			complaints = append(complaints, fmt.Sprintf("%s.%s has a row, and is not exported", pkg, name))
		}
	}
	for name, suspect := range exported {
		if suspect && !listed[name] && others[name] == "" {
			complaints = append(complaints, fmt.Sprintf("%s.%s looks as if it could wait: give it a row, or a reason why it does not", pkg, name))
		}
	}
	for name, reason := range others {
		switch {
		case listed[name]:
			complaints = append(complaints, fmt.Sprintf("%s.%s has a row, and a reason to have none: %s", pkg, name, reason))
		case !exported[name]:
			complaints = append(complaints, fmt.Sprintf("%s.%s needs no reason to have no row", pkg, name))
		}
	}
	slices.Sort(complaints)
	return complaints
}

var (
	line = regexp.MustCompile(`^(\w+): (?:func|method \(\*?(\w+)(?:\[.*?\])?\)) (\w+)(.*)$`)

	// waitingNames are those that say it, also without a context.
	waitingNames = regexp.MustCompile(`^(Accept|Acquire|Await|Close|Drain|Execute|Flush|Get|Join|Lock|Main|Put|Result|Run|Serve|Shutdown|Sleep|Stop|Submit|Wait.*|Yield)$`)
)

// read is the name of what a line of the listing is about, "Queue.Get" or "Gather", if it is a function
// of the package; and whether it looks like a door.
func read(pkg, text string) (name string, suspect bool) {
	m := line.FindStringSubmatch(text)
	if m == nil || m[1] != pkg {
		return "", false
	}
	name = m[3]
	if m[2] != "" {
		name = m[2] + "." + name
	}
	return name, waitingNames.MatchString(m[3]) || strings.Contains(m[4], "(ctx context.Context") || strings.Contains(m[4], ", ctx context.Context")
}
