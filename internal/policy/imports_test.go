package policy

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type importRule struct {
	dir   string
	may   []string
	tests []string // further ones for its _test.go files
	why   string
}

// importRules is the direction of data through the repository: every package,
// and which packages of ours it may import (folders from the root, "." for
// package aio). All may import the standard library; what else, says
// dependencyRules. "x/..." is x and every package below it.
var importRules = []importRule{
	{".", []string{"internal/coro", "internal/goid", "internal/invariant", "internal/netpoll", "internal/selector", "internal/timerq"}, []string{"aiotest", "internal/doors"},
		"the core stands on std and on its own machinery; what stands on it (aionet, job, ...) is another package"},
	{"internal/coro", []string{"internal/goid", "internal/invariant"}, nil,
		"coroutines know no loop, so that their hazards are tested without one"},
	{"internal/goid", nil, nil, "who am I, nothing else"},
	{"internal/invariant", nil, nil, "must be usable from everywhere"},
	{"internal/timerq", []string{"internal/invariant"}, nil, "a heap of deadlines; whose clock it is, is the loop's business"},
	{"internal/selector", nil, nil, "which descriptors are ready; who waits for them, is the loop's business"},
	{"internal/netpoll", nil, nil, "a door between the loop and connections: knows neither"},
	{"internal/scenario", []string{"."}, []string{"aiotest"}, "compares what users can call with CPython's asyncio"},
	{"internal/doors", []string{"."}, nil, "tries what waits, of any package, as users would call it; for tests only"},
	{"internal/policy", nil, nil, "looks at the tree from outside; must build when the rest does not"},

	{"aionet", []string{".", "internal/netpoll"}, []string{"aiotest", "internal/doors"}, "stands on what users can call, and on one door more: a wait that allocates nothing and calls no code is nothing that users could be promised"},
	{"aionet/interop", []string{".", "aionet"}, nil, "uses connections as users do"},

	{"aiotest", []string{".", "job"}, nil, "a test kit made of what users can call: what it does with a loop, anybody can"},

	{"job", []string{"."}, []string{"aiotest", "internal/doors"}, "stands on what users can call, as an executor of theirs would; the core knows no job"},
	{"procpool", []string{".", "job", "internal/netpoll"}, []string{"aiotest", "internal/doors"}, "an executor like one of a user's, but that a loop watches its pipes as it does connections; only job.Serve knows what a call says"},

	{"refire/unpack", nil, nil, "before the first stage, packed bytes -> bytes: knows no log"},
	{"refire/internal/mark", nil, nil, "whether a file is what it was: knows no log"},
	{"refire/follow", []string{"refire/internal/mark"}, nil, "before the first stage, a name -> the bytes that are appended to its files: knows no log"},
	{"refire/accesslog", []string{"refire/internal/mark"}, nil, "first stage, bytes -> Entry: knows neither loop nor network"},
	{"refire/internal/shell", nil, nil, "words for shells"},
	{"refire", []string{".", "aionet", "refire/accesslog", "refire/internal/shell"}, nil, "second stage, Entry -> Request -> Outcome"},
	{"refire/internal/plainjson", nil, nil, "JSON that acts on no terminal"},
	{"refire/retrylog", []string{"refire", "refire/accesslog", "refire/internal/plainjson"}, []string{"."}, "third stage, Outcome <-> bytes; an outcome names the entry it belongs to"},
	{"refire/report", []string{"refire", "refire/retrylog"}, []string{"refire/accesslog"}, "after the last stage, a retry log -> a page: knows neither files nor terminals"},
	{"refire/browser", nil, nil, "looks at refire's page from outside, as a browser does"},
	{"refire/servers", nil, nil, "runs refire as people do, beside the servers whose logs it reads"},
	{"refire/cmd/refire", []string{".", "refire", "refire/accesslog", "refire/follow", "refire/internal/mark", "refire/internal/plainjson", "refire/internal/shell", "refire/report", "refire/retrylog", "refire/unpack"}, nil,
		"puts the stages together; the only one that knows flags and terminals"},

	{"bench/...", []string{".", "aionet", "job", "procpool"}, nil, "measures what users can call"},
	{"examples/...", []string{".", "aionet", "job", "procpool"}, []string{"aiotest"}, "programs as users write them"},
}

// ownerRules: packages that only the named folders may import, tests included.
var ownerRules = []struct {
	dir    string
	owners []string
	why    string
}{
	{"internal/coro", []string{"."}, "a coroutine made or resumed off the loop's goroutine can end the program; the loop is its only user"},
	{"internal/netpoll", []string{".", "aionet", "procpool"}, "nothing of it is promised, and it trusts its callers to own their descriptors"},
	{"internal/goid", []string{".", "internal/coro"}, "identity ends with its goroutine; whoever keeps one must know when that is"},
}

// bannedImports are parts of the standard library that we do without.
var bannedImports = []struct {
	path    string
	in      string            // this folder and all below
	tests   bool              // _test.go files too
	except  map[string]string // file -> reason
	instead string
	why     string
}{
	{"C", ".", true, map[string]string{
		"examples/cthread/plotter.go": "a C library is what it shows; a module of its own, which nobody imports",
	}, "a library of std's", "cgo would take cross-compilation from every user"},
	{"encoding/json/v2", ".", true, nil, "encoding/json", "does not exist on Go 1.26 without an experiment"},
	{"log", ".", true, map[string]string{
		"refire/cmd/refire/main.go": "silences what net/http writes there by itself",
		"refire/quiet_test.go":      "the type of net/http's ErrorLog",
	}, "log/slog", "libraries print nothing by themselves"},
	{"testing", ".", false, map[string]string{
		"internal/doors/doors.go":       "fails the test that calls it; nothing but tests imports it",
		"aiotest/clocksuite.go":         "a suite of subtests",
		"aiotest/conform.go":            "a suite of subtests",
		"aiotest/executorsuite.go":      "a suite of subtests",
		"aiotest/executorsuite_room.go": "a suite of subtests",
		"aiotest/jobsuite.go":           "a suite of subtests",
		"aiotest/jobsuite_cases.go":     "a suite of subtests",
		"aiotest/jobsuite_close.go":     "a suite of subtests",
		"aiotest/run.go":                "fails the test that calls it; a package that only tests import",
		"aiotest/stillness.go":          "writes to the log of the test that called Run",
	}, "a package for tests", "its flags would end up in users' programs"},
}

func TestImports(t *testing.T) {
	tr := theTree(t)
	seen := map[string]bool{}
	for _, s := range tr.sources {
		i := slices.IndexFunc(importRules, func(r importRule) bool { return covers(r.dir, s.dir) })
		if i < 0 {
			t.Errorf("%s: package without a rule; add a row with its reason to importRules", s.path)
			continue
		}
		rule := importRules[i]
		seen[rule.dir] = true
		for _, imported := range importsOf(t, s) {
			dir, ours := tr.dirOf(imported)
			switch {
			case ours && dir == s.dir && s.test:
			case ours && slices.ContainsFunc(rule.may, func(may string) bool { return covers(may, dir) }):
			case ours && s.test && slices.Contains(rule.tests, dir):
			case ours && strings.HasSuffix(rule.dir, "/...") && covers(rule.dir, dir):
			case ours:
				t.Errorf("%s imports %s; %s may not: %s", s.path, dir, rule.dir, rule.why)
			case !isStd(imported) && !tr.mayDependOn(s.dir, imported):
				t.Errorf("%s imports %s, which is no direct dependency of its module", s.path, imported)
			}
		}
	}
	for _, rule := range importRules {
		if !seen[rule.dir] {
			t.Errorf("%s has no Go files: has the package vanished? Then its rule goes too", rule.dir)
		}
	}
}

func TestOwnedPackages(t *testing.T) {
	tr := theTree(t)
	for _, rule := range ownerRules {
		if len(tr.in(rule.dir, false)) == 0 {
			t.Errorf("%s has no Go files: has the package vanished? Then its rule goes too", rule.dir)
		}
		for _, s := range tr.sources {
			for _, imported := range importsOf(t, s) {
				if dir, ours := tr.dirOf(imported); ours && dir == rule.dir && s.dir != rule.dir && !slices.Contains(rule.owners, s.dir) {
					t.Errorf("%s imports %s, which belongs to %v: %s", s.path, dir, rule.owners, rule.why)
				}
			}
		}
	}
}

func TestBannedImports(t *testing.T) {
	tr := theTree(t)
	for _, ban := range bannedImports {
		excused := map[string]bool{}
		for _, s := range tr.sources {
			if s.test && !ban.tests || !covers(path.Join(ban.in, "..."), s.dir) || !slices.Contains(importsOf(t, s), ban.path) {
				continue
			}
			if ban.except[s.path] != "" {
				excused[s.path] = true
				continue
			}
			t.Errorf("%s imports %s; take %s: %s", s.path, ban.path, ban.instead, ban.why)
		}
		reportUnused(t, ban.except, excused)
	}
}

// covers reports whether pattern, a folder or "folder/...", is or holds dir.
func covers(pattern, dir string) bool {
	above, all := strings.CutSuffix(pattern, "...")
	if !all {
		return pattern == dir
	}
	above = strings.TrimSuffix(above, "/")
	return above == "" || above == "." || dir == above || strings.HasPrefix(dir, above+"/")
}

func importsOf(t *testing.T, s *source) []string {
	var paths []string
	for _, spec := range s.ast.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Errorf("%s: %v", s.at(spec), err)
		}
		paths = append(paths, p)
	}
	return paths
}

// dirOf turns an import path of ours into its folder.
func (tr *tree) dirOf(imported string) (dir string, ours bool) {
	if imported == rootModule {
		return ".", true
	}
	return strings.CutPrefix(imported, rootModule+"/")
}

func isStd(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

func (tr *tree) mayDependOn(dir, imported string) bool {
	return slices.ContainsFunc(tr.moduleOf(dir).require, func(dep string) bool {
		return imported == dep || strings.HasPrefix(imported, dep+"/")
	})
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		pattern, dir string
		want         bool
	}{
		{".", ".", true}, {".", "a", false}, {"./...", "a/b", true}, {"...", "a", true},
		{"a", "a", true}, {"a", "a/b", false}, {"a/...", "a", true}, {"a/...", "a/b", true}, {"a/...", "ab", false},
	} {
		if got := covers(c.pattern, c.dir); got != c.want {
			t.Errorf("covers(%q, %q) = %v, want %v", c.pattern, c.dir, got, c.want)
		}
	}
}
