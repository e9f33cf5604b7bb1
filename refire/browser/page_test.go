package browser_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
)

// looks are the ways in which the page is looked at.
var looks = []look{
	{"desktop-light", "light", 1100},
	{"desktop-dark", "dark", 1100},
	{"phone-light", "light", 390},
	{"phone-dark", "dark", 390},
}

// TestPage_accessible: axe finds nothing serious, in light and dark, on a desk and on a phone, and nothing has to be scrolled sideways to be read.
func TestPage_accessible(t *testing.T) {
	axe := needAxe(t)
	unknown := line(50, "/pay", 0, "unknown: fired, and refire was stopped before the outcome was written")
	b := open(t, writePage(t, append(outcomes(50), unknown))) // axe takes long for long lists
	for _, l := range looks {
		t.Run(l.name, func(t *testing.T) {
			b.see(t, l)
			violations := evaluate[string](t, b, axe+`;axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations))`)
			for _, v := range serious(t, violations) {
				t.Errorf("%s: %s", v.Impact, v)
			}
			if wide := evaluate[int](t, b, `document.documentElement.scrollWidth`); wide > l.width {
				t.Errorf("the page is %d px wide, the window %d", wide, l.width)
			}
			background := evaluate[string](t, b, `getComputedStyle(document.body).backgroundColor`)
			if dark := strings.HasPrefix(background, "rgb(20, "); dark != (l.scheme == "dark") {
				t.Errorf("the background is %s", background)
			}
			b.keep(t, l.name)
		})
	}
}

// TestAxe_finds: axe would tell, if something was wrong.
func TestAxe_finds(t *testing.T) {
	axe := needAxe(t)
	b := open(t, writePage(t, outcomes(3)))
	violations := evaluate[string](t, b, `document.querySelector("footer p").style.color = "#ddd"; document.querySelector(".filter label").outerHTML = "<input>";`+
		axe+`;axe.run(document).then(r => JSON.stringify(r.violations))`)
	if len(serious(t, violations)) == 0 {
		t.Errorf("nothing found: %.300s", violations)
	}
}

type violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML           string
		FailureSummary string
	}
}

func (v violation) String() string {
	text := v.ID + ": " + v.Help
	for i, n := range v.Nodes {
		if i == 3 {
			break
		}
		text += fmt.Sprintf("\n\t%.200s\n\t%s", n.HTML, n.FailureSummary)
	}
	return text
}

func serious(t *testing.T, violations string) (list []violation) {
	t.Helper()
	var all []violation
	if err := json.Unmarshal([]byte(violations), &all); err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if v.Impact == "serious" || v.Impact == "critical" {
			list = append(list, v)
		}
	}
	return list
}

// TestPage_search: the list is narrowed by words and by fate, and says how much of it is shown.
func TestPage_search(t *testing.T) {
	b := open(t, writePage(t, outcomes(400)))
	const shown = `[...document.querySelectorAll("#entries tbody tr")].filter(r => r.offsetParent !== null).length`
	if n := evaluate[int](t, b, shown); n != 400 {
		t.Errorf("%d entries are shown at first", n)
	}
	type step struct {
		words, fate string
		want        int
		says        string
	}
	for _, s := range []step{
		{"CART", "", 40, "40 of 400 listed entries"},
		{"cart get", "failing", 8, "8 of 400 listed entries"},
		{"", "failing", 80, "80 of 400 listed entries"},
		{"no such thing", "", 0, "0 of 400 listed entries"},
		{"", "", 400, "400 of 400 listed entries"},
	} {
		set := fmt.Sprintf(`for (const [id, v, e] of [["words", %q, "input"], ["fate", %q, "change"]]) {
			const x = document.getElementById(id); x.value = v; x.dispatchEvent(new Event(e, {bubbles: true})); } document.getElementById("shown").textContent`, s.words, s.fate)
		if says := evaluate[string](t, b, set); says != s.says {
			t.Errorf("%+v: it says %q", s, says)
		}
		if n := evaluate[int](t, b, shown); n != s.want {
			t.Errorf("%+v: shows %d", s, n)
		}
	}
}

// TestPage_hostile: whatever strangers wrote into a log, nothing of it runs, and the browser asks nobody for anything.
func TestPage_hostile(t *testing.T) {
	b := open(t, writePage(t, hostile()))
	if owned := evaluate[bool](t, b, `"owned" in window`); owned {
		t.Error("a script out of the log ran")
	}
	const strange = `[...document.querySelectorAll("script, img, iframe, object, embed, link, base, form[action], a, svg script, foreignObject")].map(e => e.outerHTML.slice(0, 80)).join("\n")`
	if found := evaluate[string](t, b, strange); strings.Count(found, "<script>") != 1 || strings.Count(found, "\n") != 0 {
		t.Errorf("the page has\n%s", found)
	}
	const handlers = `[...document.querySelectorAll("*")].flatMap(e => [...e.attributes]).filter(a => /^on|^style$|^href$|^src$/i.test(a.name)).map(a => a.name + "=" + a.value).join("\n")`
	if found := evaluate[string](t, b, handlers); found != "" {
		t.Errorf("attributes out of the log: %s", found)
	}
	if n := evaluate[int](t, b, `document.querySelectorAll("#entries tbody tr").length`); n != len(payloads) {
		t.Errorf("%d entries are listed, want %d", n, len(payloads))
	}
	const text = `[...document.querySelectorAll("#entries .url")].map(e => e.textContent).join("\n")`
	listed := evaluate[string](t, b, text)
	for _, p := range payloads {
		if !strings.Contains(listed, p) {
			t.Errorf("%s is not shown as it is", p)
		}
	}
	b.quiet(t)
}

// TestPage_policy: even a script that got into the page could not run, nor ask anybody.
func TestPage_policy(t *testing.T) {
	var asked atomic.Int32
	others := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(others.Close)
	page := writePage(t, outcomes(3))
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	smuggled := strings.ReplaceAll(`<script>window.owned = 1; fetch("URL")</script><script src="URL"></script><img src="URL" onerror="window.owned = 1">`+
		`<link rel="stylesheet" href="URL"><iframe src="URL"></iframe><p style="background: url(URL)">`, "URL", others.URL)
	text = []byte(strings.Replace(string(text), "<main>", "<main>"+smuggled, 1))
	if err := os.WriteFile(page, text, 0o600); err != nil {
		t.Fatal(err)
	}
	b := open(t, page)
	if owned := evaluate[bool](t, b, `"owned" in window`); owned {
		t.Error("a script that the page does not name ran")
	}
	if !evaluate[bool](t, b, `!document.getElementById("filter").hidden`) {
		t.Error("the page's own script did not run")
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the browser asked %d times", n)
	}
}

// TestPage_print: it prints on pages of paper, in light colours, and not the whole list.
func TestPage_print(t *testing.T) {
	b := open(t, writePage(t, outcomes(400)))
	b.media(t, "", "dark")
	pdf := b.print(t)
	if !strings.HasPrefix(string(pdf), "%PDF") || len(pdf) < 20_000 {
		t.Errorf("%d bytes: %.20q", len(pdf), pdf)
	}
	if dir := os.Getenv(keepIn); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "print.pdf"), pdf, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.media(t, "print", "dark")
	if background := evaluate[string](t, b, `getComputedStyle(document.body).backgroundColor`); background != "rgb(255, 255, 255)" {
		t.Errorf("it is printed on %s", background)
	}
	if hidden := evaluate[bool](t, b, `getComputedStyle(document.getElementById("filter")).display === "none"`); !hidden {
		t.Error("the search is printed")
	}
	const printed = `[...document.querySelectorAll("#entries tbody tr")].filter(tr => getComputedStyle(tr).display !== "none").length`
	if n := evaluate[int](t, b, printed); n != 20 {
		t.Errorf("%d entries are printed", n)
	}
}

func evaluate[T any](t *testing.T, b *browser, script string) T {
	t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%.200s: %v", script, err)
	}
	return v
}
