package report_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire/report"
)

// worst lists what was counted.
func worst(p *report.Paths, most int) string {
	var list []string
	for _, path := range p.Worst(most) {
		list = append(list, fmt.Sprintf("%d %s %s%s %v", path.Count, path.Method, path.Place, path.Path, path.Outcomes))
	}
	return strings.Join(list, "\n")
}

// TestPaths: queries never tell paths apart, numbers and ids do where one path has a twentieth of all, and what stands alone keeps its name.
func TestPaths(t *testing.T) {
	var p report.Paths
	add := func(n int, target, outcome string) {
		for range n {
			p.Add("GET", "http://h", target, outcome, "")
		}
	}
	for i := range 40 {
		add(1, fmt.Sprintf("/item/%d/price?q=%d", i, i), "500")
	}
	add(20, "/item/7/price", "404")
	add(2, "/user/0b9f6a52-7c1d-4f6e-9a57-3d1c5b9e8f00", "503")
	add(1, "/user/ffffffffffffffff0", "503")
	add(3, "/img/12.png", "500")
	add(2, "/img/13.png", "500")
	add(1, "/year/2024", "500")
	add(4, "/v1/facade/", "500")
	p.Add("POST", "http://h", "/item/1/price", "500", "")
	want := `39 GET http://h/item/*/price map[500:39]
21 GET http://h/item/7/price map[404:20 500:1]
5 GET http://h/img/*.png map[500:5]
4 GET http://h/v1/facade/ map[500:4]
3 GET http://h/user/* map[503:3]
1 GET http://h/year/2024 map[500:1]
1 POST http://h/item/1/price map[500:1]`
	for range 2 { // what was counted stays as it is
		if got := worst(&p, 10); got != want {
			t.Fatalf("%s\nwant\n%s", got, want)
		}
	}
	if got := worst(&p, 1); strings.Count(got, "\n") != 0 || p.Total() != 74 {
		t.Errorf("%s; %d in all", got, p.Total())
	}
}

// TestPaths_many: of more paths than there is room for, those with numbers are still counted by their shapes.
func TestPaths_many(t *testing.T) {
	var p report.Paths
	for i := range 30_000 {
		p.Add("GET", "", fmt.Sprintf("/item/%d", i), "500", "x")
	}
	for i := range 30_000 {
		p.Add("GET", "", fmt.Sprintf("/q%dx", i), "500", "")
	}
	if got := worst(&p, 1); got != "30000 GET /item/* map[500:30000]" {
		t.Error(got)
	}
	if p.Total() != 60_000 {
		t.Errorf("%d in all", p.Total())
	}
}

// TestPaths_Remove: what is taken back is in no count.
func TestPaths_Remove(t *testing.T) {
	var p report.Paths
	a := p.Add("GET", "", "/a", "500", "")
	b := p.Add("GET", "", "/b/1", "404", "")
	p.Add("GET", "", "/a", "404", "")
	p.Remove(a, "500")
	p.Remove(b, "404")
	if got := worst(&p, 9); got != "1 GET /a map[404:1]" || p.Total() != 1 {
		t.Errorf("%s; %d in all", got, p.Total())
	}
}

// TestPaths_few: where all of them can be shown, they are.
func TestPaths_few(t *testing.T) {
	var p report.Paths
	for _, target := range []string{"/a/1", "/a/2", "/a/2", "/b"} {
		p.Add("GET", "", target, "500", "")
	}
	if got := worst(&p, 3); got != "2 GET /a/2 map[500:2]\n1 GET /a/1 map[500:1]\n1 GET /b map[500:1]" {
		t.Error(got)
	}
	if got := worst(&p, 2); got != "3 GET /a/* map[500:3]\n1 GET /b map[500:1]" {
		t.Error(got)
	}
}
