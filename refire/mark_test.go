package refire_test

import (
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
)

func TestMark(t *testing.T) {
	for _, c := range []struct{ target, want string }{
		{"/", "/?retry=True"},
		{"/a/b", "/a/b?retry=True"},
		{"/a?", "/a?retry=True"},
		{"/a?x=1", "/a?x=1&retry=True"},
		{"/a?x=1&", "/a?x=1&retry=True"},
		{"/a?&", "/a?&retry=True"},
		{"/a#top", "/a?retry=True#top"},
		{"/a?x#top", "/a?x&retry=True#top"},
		{"/a?#top", "/a?retry=True#top"},
		{"/a#top?x=1", "/a?retry=True#top?x=1"},
		{"/a?retry=True", "/a?retry=True"},
		{"/a?x&retry=True&y#z", "/a?x&retry=True&y#z"},
		{"/a?retry=True&retry=True", "/a?retry=True&retry=True"},
		{"/a?retry=False", "/a?retry=False&retry=True"},
		{"/a?retry=true", "/a?retry=true&retry=True"},
		{"/a?retry", "/a?retry&retry=True"},
		{"/a?retry=True1", "/a?retry=True1&retry=True"},
		{"/a?noretry=True", "/a?noretry=True&retry=True"},
		{"/a?x=1;retry=True", "/a?x=1;retry=True&retry=True"},
		{"/a?q=why?", "/a?q=why?&retry=True"},
		{"/a?q=why?retry=True", "/a?q=why?retry=True&retry=True"},
		{"/a#?retry=True", "/a?retry=True#?retry=True"},
		{"/a&retry=True", "/a&retry=True?retry=True"},
		{"/%zz?%2F+%20;b&a", "/%zz?%2F+%20;b&a&retry=True"},
		{"//a//../b", "//a//../b?retry=True"},
	} {
		if got := refire.Mark(c.target); got != c.want {
			t.Errorf("Mark(%q) = %q, want %q", c.target, got, c.want)
		}
	}
}

// FuzzMark holds what Mark promises: one parameter more at most, no other byte changed, and marking twice is marking once.
func FuzzMark(f *testing.F) {
	for _, seed := range []string{"", "/", "/a?", "/a?b&", "/a?retry=True", "/a?xretry=True#?retry=True&", "#", "?", "/a?&#&?"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, target string) {
		marked := refire.Mark(target)
		if again := refire.Mark(marked); again != marked {
			t.Fatalf("marked %q, marked again %q", marked, again)
		}
		if want, had := 1, count(target); count(marked) != max(had, want) {
			t.Fatalf("%q has the parameter %d times, marked %q %d times", target, had, marked, count(marked))
		}
		if marked == target {
			return
		}
		if !withoutOne(marked, target) {
			t.Fatalf("%q became %q: more than one parameter was added", target, marked)
		}
	})
}

// count says how often the parameter stands in the query, found another way than Mark finds it.
func count(target string) (n int) {
	target, _, _ = strings.Cut(target, "#")
	_, query, _ := strings.Cut(target, "?")
	for rest := "&" + query + "&"; ; {
		i := strings.Index(rest, "&retry=True&")
		if i < 0 {
			return n
		}
		n++
		rest = rest[i+len("&retry=True"):]
	}
}

// withoutOne reports whether taking the mark out of marked somewhere, with or without its separator, gives target.
func withoutOne(marked, target string) bool {
	for _, piece := range []string{"?retry=True", "&retry=True", "retry=True"} {
		for i := range len(marked) {
			if strings.HasPrefix(marked[i:], piece) && marked[:i]+marked[i+len(piece):] == target {
				return true
			}
		}
	}
	return false
}
