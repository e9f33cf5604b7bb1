package main

import (
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
)

// TestWhenUp: of a place that was given up, who is to be looked at is said: the server, its address, or the proxy before it.
func TestWhenUp(t *testing.T) {
	flags := newRunFlags()
	flags.base = "http://shop.test"
	routes, err := flags.routes()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		proxy    string
		trouble  refire.Trouble
		noAnswer int
		want     string
	}{
		{"", refire.Refused, 3, "nothing at all answered at http://shop.test: is it up, and are scheme and port right?\ngo on"},
		{"", refire.Refused, 2, "is it up? go on"},
		{"http://127.0.0.1:3128", refire.AtProxy, 3, "nothing got past the proxy http://127.0.0.1:3128: is it up, may it connect to http://shop.test, and is that up?\n"},
		{"http://127.0.0.1:3128", refire.Timeout, 3, "nothing at all answered at http://shop.test: "},
	} {
		flags.proxy = c.proxy
		e := &ended{
			flags: flags, Progress: refire.Progress{Done: 3, Unreachable: c.noAnswer, NoAnswer: c.noAnswer, Asked: []refire.Origin{routes.Base}}, tally: refire.Tally{ByTrouble: map[refire.Trouble]int{c.trouble: c.noAnswer}},
			read: &reading{plan: refire.Plan{Routes: routes}},
		}
		if got := e.whenUp("go on"); !strings.HasPrefix(got, c.want) || !strings.Contains(got, "go on") {
			t.Errorf("%v: %q, want %q", c, got, c.want)
		}
	}
}
