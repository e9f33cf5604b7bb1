package report_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/report"
)

// TestPage_words: the summary in words, for each kind of end.
func TestPage_words(t *testing.T) {
	ok, bad := outcome(0, "/", 200), outcome(1, "/", 503)
	none := outcome(2, "/", 0)
	none.Error = "refused: nobody"
	for _, test := range []struct {
		headline, says string
		outcomes       []refire.Outcome
	}{
		{"Nothing was fired yet", "The retry log holds no outcome.", nil},
		{"The one fired request has recovered", "The request in here had failed on 12 March 2026 at 14:02:00, as the access log has it. Fired again on 12 March 2026 at 16:00:00, 1 recovered (100%).", []refire.Outcome{ok}},
		{"None of 2 fired requests has recovered", "1 still fails and 1 got no whole answer.", []refire.Outcome{bad, none}},
		{"1 of 3 fired requests have recovered", "between 14:02:00 and 14:02:02, as the access log has it. Fired again on 12 March 2026 between 16:00:00 and 16:00:02, 1 recovered (33.3%), 1 still fails and 1 got no whole answer.", []refire.Outcome{ok, bad, none}},
		{"The one fired request has not recovered", "1 got no whole answer.", []refire.Outcome{none}},
		{"All 2 fired requests have recovered", "2 recovered (100%).", []refire.Outcome{ok, outcome(5, "/x", 302)}},
	} {
		page := htmlOf(t, gather(t, 0, test.outcomes...))
		if !strings.Contains(page, "<h1>"+test.headline+"</h1>") || !strings.Contains(page, test.says) {
			t.Errorf("%s: %s: not in the page", test.headline, test.says)
		}
	}
}

var reference = regexp.MustCompile(`(?i)(src|href|action|data|poster|srcset)\s*=|url\(|@import|//[a-z0-9]`)

// TestPage_alone: the page refers to nothing outside of itself, and has a policy that forbids to. What names a URL is text.
func TestPage_alone(t *testing.T) {
	page := htmlOf(t, gather(t, 0))
	script := strings.Index(page, "<script>")
	for _, found := range reference.FindAllString(page[:script], -1) {
		t.Errorf("the page has %q", found)
	}
	for _, want := range []string{"default-src &#39;none&#39;", "script-src &#39;sha256-", `<html lang="en">`, "width=device-width"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %s", want)
		}
	}
	for _, never := range []string{"unsafe-", "ZgotmplZ", "http://", "https://", " style=\""} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %s", never)
		}
	}
}

// TestPage_escapes what strangers wrote, in every place that it comes to.
func TestPage_escapes(t *testing.T) {
	const evil = `</script><script>alert(1)</script>"'><img/src=x/onerror=alert(1)>{{.}}`
	o := outcome(0, "/"+evil, 500)
	o.Source, o.Error = evil, "other: "+evil
	rep := gather(t, 0, o)
	page := htmlOf(t, rep, report.Note{Name: "skipped", Count: 3, Parts: evil})
	if n := strings.Count(page, "<script>"); n != 1 {
		t.Errorf("%d scripts", n)
	}
	if strings.Contains(page, "<img") || strings.Contains(page, "ZgotmplZ") {
		t.Error("not escaped")
	}
	if n := strings.Count(page, "&lt;img/src=x/onerror=alert(1)&gt;{{.}}"); n < 6 {
		t.Errorf("shown %d times", n)
	}
}

// TestPage_undated: retry logs of earlier versions do not say when the requests had failed.
func TestPage_undated(t *testing.T) {
	o := outcome(0, "/", 200)
	o.Logged = time.Time{}
	page := htmlOf(t, gather(t, 0, o))
	for _, want := range []string{"does not say when these requests had failed", "All times are UTC.", "The request in here had failed, as the access log has it."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}
