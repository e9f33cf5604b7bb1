package servers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var built struct {
	sync.Once
	dir string
	err error
}

func TestMain(m *testing.M) {
	status := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(status)
}

// refire is the program, built once.
func refire(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	built.Do(func() {
		if built.dir, built.err = os.MkdirTemp("", "refire"); built.err != nil {
			return
		}
		build := exec.Command("go", "build", "-o", built.dir, "./cmd/refire")
		build.Dir = ".."
		if out, err := build.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(built.dir, "refire"), args...)
	cmd.Dir = t.TempDir()
	return cmd
}

// tally counts requests.
type tally map[string]int

func tallyOf(all []asked, of func(asked) string) tally {
	n := tally{}
	for _, a := range all {
		if key := of(a); key != "" {
			n[key]++
		}
	}
	return n
}

// The keys of tallies.
func whole(a asked) string   { return a.String() }
func request(a asked) string { return a.method + "\t" + a.target }
func class(a asked) string   { return strconv.Itoa(a.status/100) + "xx" }
func failed(a asked) string { // with the method
	if a.status < 500 {
		return ""
	}
	return strconv.Itoa(a.status) + " " + a.method
}

// since is what has come to n since it was old.
func (n tally) since(old tally) tally {
	added := tally{}
	for key, count := range n {
		if count != old[key] {
			added[key] = count - old[key]
		}
	}
	return added
}

// same checks that two ways to count agree in each thing.
func same(t *testing.T, gotBy string, got tally, wantBy string, want tally) {
	t.Helper()
	if maps.Equal(got, want) {
		return
	}
	keys := slices.Sorted(maps.Keys(got))
	keys = append(keys, slices.Sorted(maps.Keys(want))...)
	slices.Sort(keys)
	var text strings.Builder
	differ := 0
	for _, key := range slices.Compact(keys) {
		if got[key] != want[key] {
			if differ++; differ <= 20 {
				fmt.Fprintf(&text, "\n%d, want %d: %.200q", got[key], want[key], key)
			}
		}
	}
	t.Errorf("%s and %s differ in %d things:%s", gotBy, wantBy, differ, text.String())
}

// wanted are those that refire takes by default.
func wanted(all []asked) []asked {
	var list []asked
	for _, a := range all {
		if a.status >= 500 && (a.method == "GET" || a.method == "HEAD") {
			list = append(list, a)
		}
	}
	return list
}

// sent is the same requests with their targets as refire puts them on the wire: bytes that cannot stand in a request line percent-encoded.
func sent(all []asked) []asked {
	list := slices.Clone(all)
	for i := range list {
		var b strings.Builder
		for _, c := range []byte(list[i].target) {
			if c <= ' ' || c >= 0x7F {
				fmt.Fprintf(&b, "%%%02X", c)
			} else {
				b.WriteByte(c)
			}
		}
		list[i].target = b.String()
	}
	return list
}

// scanned is what refire scan says about a log.
type scanned struct {
	entries             []asked
	lines, without, bad int
}

var (
	scanHead = regexp.MustCompile(`(?m): ([\d,]+) lines?, ([\d,]+) with status \S+(?: and ([\d,]+) without a request)?`)
	scanBad  = regexp.MustCompile(`(?m)^ *bad lines +([\d,]+)`)
)

func scan(t *testing.T, args ...string) scanned {
	t.Helper()
	cmd := refire(t, append([]string{"scan"}, args...)...)
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s", cmd.Args, err, words.String())
	}
	var s scanned
	for line := range strings.Lines(string(out)) {
		field := strings.Split(line, "\t")
		if len(field) != 5 { // the last is the time
			t.Fatalf("scan prints %q", line)
		}
		status, err := strconv.Atoi(field[0])
		if err != nil {
			t.Fatalf("scan prints %q", line)
		}
		s.entries = append(s.entries, asked{field[1], field[2], status})
	}
	heads := scanHead.FindAllStringSubmatch(words.String(), -1)
	if heads == nil {
		t.Fatalf("scan says\n%s", words.String())
	}
	head := heads[len(heads)-1] // of several logs, all together come last
	s.lines, s.without = number(head[1]), number(head[3])
	if with := number(head[2]); slices.Contains(args, "any") && with != len(s.entries) {
		t.Errorf("scan counts %d, and prints %d", with, len(s.entries))
	}
	for _, bad := range scanBad.FindAllStringSubmatch(words.String(), -1) {
		s.bad = number(bad[1])
	}
	return s
}

func number(text string) int {
	n, _ := strconv.Atoi(strings.ReplaceAll(text, ",", ""))
	return n
}

// all has scan print every entry, whatever came of it.
func all(t *testing.T, args ...string) scanned {
	t.Helper()
	return scan(t, append([]string{"--method", "any", "--status", "100-599"}, args...)...)
}

// outcome is a line of the retry log, as far as it matters here.
type outcome struct {
	URL       string
	Method    string
	OldStatus int `json:"old_status"`
	Status    int
	Error     string
	Attempts  int
	Target    string
	Round     int
}

func outcomes(t *testing.T, name string) []outcome {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var list []outcome
	for line := range bytes.Lines(text) {
		var o outcome
		if err := json.Unmarshal(line, &o); err != nil {
			t.Fatalf("%v: %q", err, line)
		}
		list = append(list, o)
	}
	return list
}

// before and after are the outcomes as the old log has them, and the new one.
func before(list []outcome) (all []asked) {
	for _, o := range list {
		all = append(all, asked{o.Method, o.Target, o.OldStatus})
	}
	return all
}

func after(list []outcome) (all []asked) {
	for _, o := range list {
		all = append(all, asked{o.Method, o.Target, o.Status})
	}
	return all
}

// ended is the last event of a run.
type ended struct {
	Event       string
	Fired       int
	Settled     int
	Recovered   int
	Failing     int
	Unreachable int
	Unknown     int
	Unsettled   int
	Skipped     int
	Refused     int
	ByStatus    tally `json:"by_status"`
}

// run runs refire, and returns what it says at the end, and its exit code.
func run(t *testing.T, args ...string) (ended, int) {
	t.Helper()
	cmd := refire(t, append([]string{"run", "--json", "--timeout", "30s"}, args...)...)
	var words bytes.Buffer
	cmd.Stderr = &words
	events, err := cmd.Output()
	var status *exec.ExitError
	if err != nil && !errors.As(err, &status) {
		t.Fatalf("%q: %v", cmd.Args, err)
	}
	return lastEvent(t, cmd, events, &words), cmd.ProcessState.ExitCode()
}

func lastEvent(t *testing.T, cmd *exec.Cmd, events []byte, words fmt.Stringer) ended {
	t.Helper()
	lines := bytes.Split(bytes.TrimSpace(events), []byte("\n"))
	var end ended
	if err := json.Unmarshal(lines[len(lines)-1], &end); err != nil || end.Event != "end" {
		t.Fatalf("%q: %v\n%s\n%s", cmd.Args, err, events, words)
	}
	return end
}

// fire runs refire on a log, and checks that what it says at the end is what it has written, and that each outcome is one request.
func fire(t *testing.T, base, retrylog string, args ...string) (ended, []outcome) {
	t.Helper()
	old := 0
	if _, err := os.Stat(retrylog); err == nil {
		old = len(outcomes(t, retrylog))
	}
	end, code := run(t, append([]string{"--base", "http://" + base, "--out", retrylog}, args...)...)
	list := outcomes(t, retrylog)[old:]
	recovered, unanswered, failing := 0, 0, tally{}
	for _, o := range list {
		if o.Attempts != 1 || o.Error != "" && (o.Status != 0 || !strings.HasPrefix(o.Error, "closed")) {
			t.Errorf("%s %s has %d attempts, status %d, error %q", o.Method, o.Target, o.Attempts, o.Status, o.Error)
		}
		if o.Status == 0 {
			unanswered++
		} else if o.Status < 400 {
			recovered++
		} else {
			failing[strconv.Itoa(o.Status)]++
		}
	}
	if old == 0 {
		if end.Recovered != recovered || end.Settled != len(list) {
			t.Errorf("the end says %+v, the retry log has %d outcomes, %d of them recovered", end, len(list), recovered)
		}
		same(t, "the last event", end.ByStatus, "the retry log", failing)
	}
	if end.Fired != len(list) || end.Unsettled != 0 || end.Unreachable != unanswered || (code == 0) != (end.Failing+end.Unreachable == 0) {
		t.Errorf("the end says %+v, exit code %d, and %d were fired", end, code, len(list))
	}
	return end, list
}

// rest is the part of a log that was written after its first bytes, as a log of its own.
func rest(t *testing.T, log string, after int) (name string) {
	t.Helper()
	return write(t, t.TempDir(), filepath.Base(log), read(t, log)[after:])
}

// folderOf is a copy of logs as they are now.
func folderOf(t *testing.T, dir string, logs ...string) (copied string) {
	t.Helper()
	copied = t.TempDir()
	for _, name := range logs {
		write(t, copied, name, read(t, filepath.Join(dir, name)))
	}
	return copied
}

// get asks for a page of the server's own, such as its counters.
func get(t *testing.T, url string) string {
	t.Helper()
	client := http.Client{Timeout: limit, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v: %s", url, answer.Status, err, text)
	}
	return string(text)
}

// read reads a file that a server writes; none yet is an empty one.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}

// lines waits until the server has written n lines into a log. More are an error.
func lines(t *testing.T, name string, n int) {
	t.Helper()
	wait(t, fmt.Sprintf("%s has %d lines", name, n), func() (string, bool) {
		got := strings.Count(read(t, name), "\n")
		if got > n {
			t.Fatalf("%s has %d lines, want %d", name, got, n)
		}
		return fmt.Sprint(got), got == n
	})
}
