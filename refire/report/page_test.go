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
	for _, want := range []string{"does not say when these requests had failed", "All times in this page are UTC.</p>", "The request in here had failed, as the access log has it."} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// TestPage_zone: the zone stands where the first times do, and whose it is.
func TestPage_zone(t *testing.T) {
	o := outcome(0, "/", 200)
	o.Logged = o.Logged.In(time.FixedZone("", 3*3600))
	page := htmlOf(t, gather(t, 0, o))
	lead, _, _ := strings.Cut(page, "</header>")
	if want := "All times in this page are UTC&#43;03:00, as in the access log."; !strings.Contains(lead, want) {
		t.Errorf("no %q in %s", want, lead)
	}
}

// TestPage_redirects: where half of what recovered was redirected, it is said at the top.
func TestPage_redirects(t *testing.T) {
	const says = "that recovered were answered with a redirect"
	for want, statuses := range map[string][]int{
		"":            {200, 200, 302, 503, 0},
		"1 of the 2 ": {200, 302},
		"2 of the 3 ": {307, 200, 301, 404},
		" ":           {304, 304, 200}, // nothing is redirected: not modified
	} {
		var all []refire.Outcome
		for i, status := range statuses {
			o := outcome(i, "/", status)
			if status == 0 {
				o.Error = "refused: nobody"
			}
			all = append(all, o)
		}
		page := htmlOf(t, gather(t, 0, all...))
		if shown := strings.Contains(page, says); shown != (len(want) > 1) || !strings.Contains(page, want) {
			t.Errorf("%v: said %v", statuses, shown)
		}
	}
}

// TestPage_paper: print has the first entries only, says so, and style and words agree.
func TestPage_paper(t *testing.T) {
	var all []refire.Outcome
	for i := range 21 {
		all = append(all, outcome(i, "/", 200))
	}
	if page := htmlOf(t, gather(t, 0, all[:20]...)); strings.Contains(page, "On paper") {
		t.Error("20 entries are all printed")
	}
	page := htmlOf(t, gather(t, 0, all...))
	if !strings.Contains(page, "On paper there are the first 20;") || !strings.Contains(page, "tr:nth-child(n+21 of :not([hidden]))") {
		t.Error("words and style do not agree on how many are printed")
	}
}

// TestPage_places: where a path is, is said where there are several places.
func TestPage_places(t *testing.T) {
	a, b := outcome(0, "/a/1", 503), outcome(1, "/a/2", 503)
	if page := htmlOf(t, gather(t, 0, a, b)); !strings.Contains(page, `<span class="url">GET /a/1</span>`) {
		t.Error("one place, and it is said")
	}
	b.Origin.Port = 8443
	if page := htmlOf(t, gather(t, 0, a, b)); !strings.Contains(page, `<span class="url">GET https://shop.test:8443/a/2</span>`) {
		t.Error("several places, and not told which")
	}
}
