package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/seed8b1f0744/aio/refire/internal/shell"
)

// formatHelp is what to do about a log that is not recognised, where nothing better is known.
const formatHelp = "--format says what it is, --format-from takes it from the server's configuration; JSON and key=value of any kind are read with --field"

// kin are kinds of logs of which no format says what is in them, and what to do about each. LOG stands for the log.
var kin = []struct {
	line       *regexp.Regexp
	what, hint string
	mixes      bool // access logs may be in the same file
}{
	{regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?:emerg|alert|crit|error|warn|notice|info|debug)\] \d+#\d+: `), "nginx's error log",
		"it holds no statuses: name the access log that nginx writes beside it (access_log in its configuration)", true},
	{regexp.MustCompile(`^\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:.]+ \d{4}\] \[[a-z0-9_-]*:[a-z0-9]+\] `), "Apache's error log",
		"it holds no statuses: name the access log that Apache writes beside it (CustomLog in its configuration)", true},
	{regexp.MustCompile(`^INFO: {5}\S+ - "`), "uvicorn's log", `--format '$level:     $remote_addr - "$request" $status $text'`, false},
	{regexp.MustCompile(`^\[GIN\] \d`), "gin's log",
		`as lines of Apache's: sed -nE 's/^\[GIN\] ([0-9/]+) - ([0-9:]+) \| *([0-9]{3}) \|[^|]*\|[^|]*\| *([A-Z]+) +"(.*)"$/- - - [\1 \2] "\4 \5 HTTP\/1.1" \3 -/p' LOG | refire ... -`, false},
	{regexp.MustCompile(`^\[pid: \d+\|app: `), "uWSGI's log",
		`as lines of Apache's: sed -nE 's/^\[pid: [^]]*\] [^ ]+ \([^)]*\) \{[^}]*\} \[([^]]*)\] ([A-Z]+) ([^ ]+) => .* \((HTTP\/[0-9.]+) ([0-9]{3})\) .*$/- - - [\1] "\2 \3 \4" \5 -/p' LOG | refire ... -`, false},
	{regexp.MustCompile(`^\d{9,}\.\d{3} +\d+ \S+ [A-Z_]+/\d{3} \d+ [A-Z]+ \S+ `), "Squid's log",
		`as lines of Apache's: sed -nE 's/^[^ ]+ +[0-9]+ ([^ ]+) [^ ]+\/([0-9]{3}) ([0-9]+) ([A-Z]+) ([^ ]+) .*$/\1 - - [-] "\4 \5 HTTP\/1.1" \2 \3/p' LOG | refire ... -`, false},
}

// unrecognised says what a log looks like of which that line is no entry, and what to do, both perhaps empty; and whether the lines after it may well
// be entries.
func unrecognised(name string, line []byte, format accesslog.Format) (looks, hint string, mixes bool) {
	text := bytes.TrimLeft(line, "\ufeff \t")
	switch {
	case len(text) > 0 && text[0] == '{':
		return "", keysHint(name, text, format), false
	case len(text) > 0 && text[0] == '[' && len(bytes.TrimSpace(text[1:])) == 0 || bytes.HasPrefix(text, []byte("[{")):
		return "an array of JSON", fmt.Sprintf("an object a line is what can be read: jq -c '.[]' %s | refire ... -", shellName(name)), false
	case bytes.IndexByte(text, 0) >= 0:
		return "binary data", "", true
	}
	if len(pairs.FindAllIndex(text, 3)) > 2 {
		return "lines of key=value", "--format logfmt --field status=KEY --field method=KEY --field target=KEY reads such lines, where they hold pairs only, with quotes around values that have spaces", true
	}
	for _, k := range kin {
		if k.line.Match(text) {
			return k.what, strings.ReplaceAll(k.hint, " LOG |", " "+shellName(name)+" |"), k.mixes
		}
	}
	return "", "", true
}

// pairs are key=value.
var pairs = regexp.MustCompile(`(?:^| )[A-Za-z_][A-Za-z0-9_.-]*=[^ ]`)

// shellName is a file's name in a command; LOG stands for one that cannot be named there.
func shellName(name string) string {
	if name == "-" || safe(name) != name {
		return "LOG"
	}
	return shell.Word(name)
}

// keysHint says how to read a JSON line: which keys it has, and which of those that --field names it has not.
func keysHint(name string, line []byte, format accesslog.Format) string {
	keys, whole := jsonKeys(line)
	if len(keys) == 0 {
		return ""
	}
	asked := format.JSONKeys()
	for _, field := range sortedKeys(asked) {
		if key := asked[field]; whole && key != "" && !slices.Contains(keys, key) {
			return fmt.Sprintf("--field %s=%s: the line has no such key; it has %s", field, safe(key), someKeys(keys))
		}
	}
	hint := fmt.Sprintf("its keys are %s; say which is which: --field status=KEY --field method=KEY --field target=KEY", someKeys(keys))
	for _, key := range []string{"MESSAGE", "message", "_source.message", "textPayload", "line"} {
		if slices.Contains(keys, key) {
			return fmt.Sprintf("%s\nor, if the log's lines are in %s: jq -r .%s %s | refire ... -", hint, key, key, shellName(name))
		}
	}
	return hint
}

func sortedKeys(m map[string]string) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// someKeys is a list, of which each is short.
func someKeys(keys []string) string {
	const most, longest = 24, 60
	var list []string
	for _, key := range keys[:min(len(keys), most)] {
		if key = safe(key); len(key) <= longest {
			list = append(list, key)
		}
	}
	text := strings.Join(list, ", ")
	if more := len(keys) - len(list); more > 0 {
		text += fmt.Sprintf(" and %s more", number(more))
	}
	return text
}

// jsonKeys returns the keys of an object's values, as --field takes them, and whether the line holds all of it.
func jsonKeys(line []byte) (keys []string, whole bool) {
	d := json.NewDecoder(bytes.NewReader(line))
	var inside []string // the names of the objects that d is in; "" for an array
	name, named := "", false
	for {
		token, err := d.Token()
		if err != nil {
			return keys, false
		}
		switch delim, is := token.(json.Delim); {
		case is && (delim == '{' || delim == '['):
			inside = append(inside, name)
			if delim == '[' {
				if err := skipArray(d); err != nil {
					return keys, false
				}
				inside = inside[:len(inside)-1]
			}
			name, named = "", false
		case is:
			if inside = inside[:len(inside)-1]; len(inside) == 0 {
				return keys, true
			}
			name, named = "", false
		case !named:
			key, _ := token.(string)
			name, named = strings.ReplaceAll(strings.ReplaceAll(key, `\`, `\\`), ".", `\.`), true
		default:
			keys = append(keys, strings.Join(append(slices.Clone(inside[1:]), name), "."))
			name, named = "", false
		}
	}
}

// skipArray reads to the end of an array.
func skipArray(d *json.Decoder) error {
	for depth := 1; depth > 0; {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
	}
	return nil
}

// ownLog refuses a retry log as a log to read: what it says of an entry is said by its last line, and the first one is of the access log.
func ownLog(name string) *failure {
	out := shellName(name)
	return &failure{exitUsage, fmt.Errorf("%s is a retry log, which refire wrote, and no access log", spoken(name)),
		fmt.Sprintf("refire run --again --out %s fires what still fails in it; refire report %s says what that is", out, out)}
}

// firstLine is the first line that is not empty, whole or not.
func firstLine(head []byte) []byte {
	head = bytes.TrimLeft(head, "\r\n")
	line, _, _ := bytes.Cut(head, []byte{'\n'})
	return bytes.TrimSuffix(line, []byte{'\r'})
}
