package policy

import (
	"bytes"
	"regexp"
	"testing"
	"unicode/utf8"
)

// wordRules: what no file may contain, because it is true on one machine only.
// The expressions are written so that they do not match themselves.
var wordRules = []struct {
	pattern *regexp.Regexp
	except  map[string]string // file -> reason
	why     string
}{
	// A path in code or prose stands behind a blank, a quote, a bracket, "=" or
	// ":". A sample log that asks for such a target needs an exception.
	{regexp.MustCompile(`(?:^|[\s"'` + "`" + `(=:])/(?:work|workspace|root|home/[a-z]+|Users/[A-Za-z]+)/`), nil,
		"a folder of one machine"},
	{regexp.MustCompile(`\.\./` + `shared\b`), nil,
		"a folder beside the checkout: a clone has none"},
	{regexp.MustCompile(`[A-Z]:\\` + `Users\\`), nil,
		"a folder of one machine"},
}

func TestNoPathsOfOneMachine(t *testing.T) {
	tr := theTree(t)
	for _, rule := range wordRules {
		used := map[string]bool{}
		for _, f := range tr.files {
			for i, line := range bytes.Split(f.text, []byte("\n")) {
				m := rule.pattern.Find(line)
				if m == nil {
					continue
				}
				if rule.except[f.path] != "" {
					used[f.path] = true
					continue
				}
				t.Errorf("%s:%d: %q: %s", f.path, i+1, m, rule.why)
			}
		}
		reportUnused(t, rule.except, used)
	}
}

func TestWordRules(t *testing.T) {
	for line, want := range map[string]bool{
		`see /wo` + `rk/main/x.go`:        true,
		`"/ro` + `ot/go"`:                 true,
		`DIR=/ho` + `me/ann/src`:          true,
		`go test ../` + `shared/x`:        true,
		`go test work`:                    false,
		`GET https://x.org/work/1`:        false,
		`a/root/b`:                        false,
		`../sharedfile`:                   false,
		`C:\Us` + `ers\Ann`:               true,
		`the folder /home is not checked`: false,
	} {
		got := false
		for _, rule := range wordRules {
			got = got || rule.pattern.MatchString(line)
		}
		if got != want {
			t.Errorf("%q: forbidden %v, want %v", line, got, want)
		}
	}
}

// maxFileBytes keeps built programs, captures and logs out of every clone.
const maxFileBytes = 512 << 10

var binaryFiles = map[string]string{}

func TestFilesAreSmallText(t *testing.T) {
	used := map[string]bool{}
	for _, f := range theTree(t).files {
		what := ""
		switch {
		case len(f.text) > maxFileBytes:
			what = "is bigger than 512 KiB"
		case !utf8.Valid(f.text) || bytes.IndexByte(f.text, 0) >= 0:
			what = "is not UTF-8 text"
		default:
			continue
		}
		if binaryFiles[f.path] != "" {
			used[f.path] = true
			continue
		}
		t.Errorf("%s %s: is it a program, a log or a capture? If it is meant, it needs a row with its reason in binaryFiles", f.path, what)
	}
	reportUnused(t, binaryFiles, used)
}
