package policy

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

// module is a go.mod, as much as the rules need.
type module struct {
	dir        string // of its go.mod, from the root
	path       string
	goVersion  string
	require    []string // direct ones: module paths
	replace    map[string]string
	directives map[string]int // how often each verb stands there
}

type moduleRule struct {
	dir     string
	inWork  bool // listed in go.work
	usesAio bool // requires the root module, replaced by the tree
	why     string
}

// moduleRules says which modules there are, and why each is one.
var moduleRules = []moduleRule{
	{".", true, false, "the library: what every user gets, so it requires nothing"},
	{"refire", true, true, "a program with dependencies of its own"},
	{"refire/browser", false, false, "tests of refire's page in Chromium; nobody who builds refire should have to download a browser's protocol"},
	{"refire/servers", false, false, "tests of refire with servers as Debian has them; nobody who has one installed should have to wait for them"},
	{"examples/cthread", false, true, "cgo: it alone needs a C compiler"},
	{"examples/sdk", false, true, "a vendor's SDK is what no newcomer should have to download"},
	{"aionet/interop", false, true, "tests with libraries that know nothing of aio; nobody imports it"},
	{"bench", false, true, "never tagged; its peers are what no newcomer should have to download"},
	{"internal/tools", false, false, "in go.work its tools would move everybody's golang.org/x/*"},
}

// dependencyRules lists every direct dependency of a module, and why it is
// worth it. A dependency buys a module of its own: the root has no row.
var dependencyRules = []struct {
	module, path, why string
}{
	{"aionet/interop", "github.com/jackc/pgx/v5", "a PostgreSQL client that reads and writes in its caller's goroutine, but with CopyFrom"},
	{"aionet/interop", "github.com/lib/pq", "a PostgreSQL client for database/sql, whose pool waits"},
	{"aionet/interop", "github.com/gomodule/redigo", "a Redis client that reads and writes in its caller's goroutine, but with DoContext"},
	{"aionet/interop", "github.com/gorilla/websocket", "WebSocket on any net.Conn, server and client, in their caller's goroutine"},
	{"aionet/interop", "github.com/redis/go-redis/v9", "the Redis client most use, whose pool waits on channels: that it holds the loop, and the way round"},
	{"aionet/interop", "github.com/valyala/fasthttp", "an HTTP client and server that read and write in their caller's goroutine"},
	{"aionet/interop", "golang.org/x/net", "nettest, Go's own conformance of connections"},
	{"examples/sdk", "github.com/aws/aws-sdk-go-v2", "what its clients are configured with"},
	{"examples/sdk", "github.com/aws/aws-sdk-go-v2/service/lambda", "a vendor's client that blocks, takes its arguments by name and is maintained: what the example is about"},
	{"refire/browser", "github.com/chromedp/cdproto", "the commands that chromedp has no function for: media, printing"},
	{"refire/browser", "github.com/chromedp/chromedp", "drives a Chromium in tests; linked into no program"},
	{"refire", "github.com/bmatcuk/doublestar/v4", "std's patterns have no **"},
	{"refire", "github.com/klauspost/compress", "std has no zstd; its gzip is 1.3 times as fast as std's"},
	{"refire", "github.com/rogpeppe/go-internal", "testscript drives the real command in its tests; linked into no program"},
	{"refire", "github.com/spf13/cobra", "GNU flags, help and shell completions as people's hands know them"},
	{"refire", "github.com/spf13/pflag", "cobra's flag values, where a flag has a type of its own"},
	{"refire", "github.com/ulikunitz/xz", "std has no xz; of this one, the LZMA2 decoder"},
	{"refire", "golang.org/x/term", "is this a terminal, and how wide? std does not say"},
}

// unlistedDependencies are the modules whose dependencies need no row above.
var unlistedDependencies = map[string]string{
	"bench":          "its peers are what it measures; nobody imports it",
	"internal/tools": "tools, linked into nothing of ours",
}

// toolModules are the modules that may have tool lines.
var toolModules = map[string]string{
	"internal/tools": "what it is for",
	"bench":          "peers that are programs, built by the benchmark itself",
}

// laterGo are modules that say another Go than the root, because what they require does.
var laterGo = map[string]string{
	"bench": "1.26.2", // go-eventloop; nobody imports bench
}

func TestModules(t *testing.T) {
	tr := theTree(t)
	work, err := parseModule(find(t, tr, "go.work"))
	if err != nil {
		t.Fatal(err)
	}
	var used []string
	for _, dir := range work.require {
		used = append(used, path.Clean(dir))
	}
	goVersion := tr.moduleOf(".").goVersion
	if work.goVersion != goVersion {
		t.Errorf("go.work says go %s, go.mod says go %s", work.goVersion, goVersion)
	}
	for _, rule := range moduleRules {
		m := tr.moduleOf(rule.dir)
		if m.dir != rule.dir {
			t.Errorf("%s has no go.mod: has the module vanished? Then its rule goes too", rule.dir)
			continue
		}
		if inWork := slices.Contains(used, rule.dir); inWork != rule.inWork {
			t.Errorf("%s: listed in go.work: %v, want %v: %s", rule.dir, inWork, rule.inWork, rule.why)
		}
		if want := path.Join(rootModule, rule.dir); m.path != want {
			t.Errorf("%s/go.mod: module %s, want %s: others must find it where it says", rule.dir, m.path, want)
		}
		if m.goVersion != cmp.Or(laterGo[rule.dir], goVersion) {
			t.Errorf("%s/go.mod says go %s, the root says go %s: one version for all", rule.dir, m.goVersion, goVersion)
		}
		if n := m.directives["toolchain"] + m.directives["exclude"]; n > 0 {
			t.Errorf("%s/go.mod: toolchain and exclude lines work for the main module only; do without", rule.dir)
		}
		if m.directives["tool"] > 0 && toolModules[rule.dir] == "" {
			t.Errorf("%s/go.mod: tool lines belong to internal/tools/go.mod: they bring require lines", rule.dir)
		}
		checkReplaces(t, m, rule.usesAio)
	}
	for _, m := range tr.modules {
		if !slices.ContainsFunc(moduleRules, func(r moduleRule) bool { return r.dir == m.dir }) {
			t.Errorf("%s/go.mod: a module without a rule; add a row with its reason to moduleRules", m.dir)
		}
	}
	if len(used) != len(slices.Compact(slices.Sorted(slices.Values(used)))) {
		t.Errorf("go.work lists a folder twice: %v", used)
	}
	for _, dir := range used {
		if tr.moduleOf(dir).dir != dir {
			t.Errorf("go.work lists %s, which has no go.mod", dir)
		}
	}
}

// Until the first tag a nested module finds the root by a replace line, so
// that it builds without the workspace too. No other replace is allowed: one
// in a module that people install is refused, in a dependency it is ignored.
func checkReplaces(t *testing.T, m module, usesAio bool) {
	if usesAio {
		want := strings.TrimSuffix(strings.Repeat("../", strings.Count(m.dir, "/")+1), "/")
		if got := path.Clean(m.replace[rootModule]); got != want {
			t.Errorf("%s/go.mod: %s is replaced by %q, want %q, so that it builds with GOWORK=off", m.dir, rootModule, m.replace[rootModule], want+"/")
		}
		if !slices.Contains(m.require, rootModule) {
			t.Errorf("%s/go.mod does not require %s", m.dir, rootModule)
		}
	}
	for from := range m.replace {
		if from != rootModule || !usesAio {
			t.Errorf("%s/go.mod replaces %s: only aio itself may be replaced", m.dir, from)
		}
	}
}

func TestRootRequiresNothing(t *testing.T) {
	m := theTree(t).moduleOf(".")
	for verb, n := range m.directives {
		if verb != "module" && verb != "go" {
			t.Errorf("go.mod has %d %s line(s): whoever uses aio gets aio and nothing else; a dependency buys a module of its own", n, verb)
		}
	}
	if m.directives["module"] != 1 || m.directives["go"] != 1 {
		t.Errorf("go.mod: want one module and one go line, have %v", m.directives)
	}
}

func TestDependenciesHaveReasons(t *testing.T) {
	tr := theTree(t)
	listed := map[[2]string]bool{}
	for _, rule := range dependencyRules {
		listed[[2]string{rule.module, rule.path}] = true
		if rule.why == "" {
			t.Errorf("%s requires %s: no reason given", rule.module, rule.path)
		}
		if !slices.Contains(tr.moduleOf(rule.module).require, rule.path) {
			t.Errorf("%s/go.mod does not require %s any more: its row goes too", rule.module, rule.path)
		}
	}
	for _, m := range tr.modules {
		if unlistedDependencies[m.dir] != "" {
			continue
		}
		for _, dep := range m.require {
			if dep != rootModule && !listed[[2]string{m.dir, dep}] {
				t.Errorf("%s/go.mod requires %s: add a row with the reason to dependencyRules", m.dir, dep)
			}
		}
	}
}

func find(t *testing.T, tr *tree, name string) file {
	t.Helper()
	i := slices.IndexFunc(tr.files, func(f file) bool { return f.path == name })
	if i < 0 {
		t.Fatalf("%s does not exist", name)
	}
	return tr.files[i]
}

// parseModule reads a go.mod or a go.work (whose "use" folders it returns as
// require). The format is lines of "verb args" or blocks "verb ( args )".
func parseModule(f file) (module, error) {
	m := module{dir: path.Dir(f.path), replace: map[string]string{}, directives: map[string]int{}}
	block := ""
	for line := range strings.Lines(string(f.text)) {
		code, comment, _ := strings.Cut(line, "//")
		words := strings.Fields(code)
		switch {
		case len(words) == 0:
			continue
		case block != "" && words[0] == ")":
			block = ""
			continue
		case block != "":
			words = append([]string{block}, words...)
		case len(words) == 2 && words[1] == "(":
			block = words[0]
			continue
		}
		if len(words) < 2 {
			return module{}, fmt.Errorf("%s: cannot read the line %q", f.path, line)
		}
		m.directives[words[0]]++
		switch words[0] {
		case "module":
			m.path = words[1]
		case "go":
			m.goVersion = words[1]
		case "use":
			m.require = append(m.require, words[1])
		case "require":
			if strings.TrimSpace(comment) != "indirect" {
				m.require = append(m.require, words[1])
			}
		case "replace":
			m.replace[words[1]] = words[len(words)-1]
		}
	}
	return m, nil
}

func TestParseModule(t *testing.T) {
	const text = `// why // not
module example.org/a/b // here

go 1.26.0

require example.org/one v1.0.0
require (
	example.org/two v1.2.3
	example.org/three v1.2.3 // indirect
)
tool (
	example.org/two/cmd/x
)
replace example.org/one => ../../
`
	m, err := parseModule(file{path: "a/b/go.mod", text: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(m.dir, " ", m.path, " ", m.goVersion, " ", m.require, m.replace, m.directives)
	const want = "a/b example.org/a/b 1.26.0 [example.org/one example.org/two] map[example.org/one:../../] map[go:1 module:1 replace:1 require:3 tool:1]"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, err := parseModule(file{path: "go.mod", text: []byte("module\n")}); err == nil {
		t.Error("a module line without a path was read")
	}
}
