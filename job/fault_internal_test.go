package job

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio"
)

// touchy is an error whose own method panics.
type touchy struct{}

func (touchy) Error() string   { return "touchy" }
func (touchy) Is(error) bool   { panic("do not compare") }
func (touchy) Unwrap() []error { return []error{context.Canceled} }

// failureOf is the error of an outcome.
func failureOf(t *testing.T, outcome []byte) error {
	t.Helper()
	m, err := parseMessage(outcome)
	if err != nil {
		t.Fatal(err)
	}
	return m.failure("job")
}

// The job has failed, not panicked, also if what it returned does so when it is looked at.
func TestFault_methodsThatPanic(t *testing.T) {
	err := failureOf(t, encodeError(fmt.Errorf("it is %w", touchy{})))
	if remote, ok := err.(*RemoteError); !ok || remote.Text != "it is touchy" {
		t.Errorf("got %#v", err)
	}
}

// Panics with errors with panics arrive, so many of them, and what is deeper is in the text.
func TestFault_depth(t *testing.T) {
	err := errors.New("the first")
	for i := range 100 {
		err = fmt.Errorf("number %d: %w", i, &aio.PanicError{Value: err, Stack: []byte{byte(i)}})
	}
	count := func(err error) (n int) {
		for p, ok := errors.AsType[*aio.PanicError](err); ok; n++ {
			value, isError := p.Value.(error)
			if !isError {
				return n + 1
			}
			p, ok = errors.AsType[*aio.PanicError](value)
		}
		return n
	}
	got := failureOf(t, encodeError(err))
	if n := count(got); n != maxFaultDepth || !strings.Contains(got.Error(), "number 0: aio: panic: the first") {
		t.Errorf("of an error with 100 panics %d arrived, want %d: %.200v", n, maxFaultDepth, got)
	}
	if n := count(failureOf(t, encodePanic(err))); n != maxFaultDepth+1 {
		t.Errorf("of a panic with 100 panics %d arrived, want %d", n, maxFaultDepth+1)
	}
}

func TestFault_damage(t *testing.T) {
	// A fault without a text and names, in so many panics.
	within := func(n int) string {
		return strings.Repeat("\x00\x00\x01", n) + "\x00\x00\x00" + strings.Repeat("\x01\x00", n)
	}
	if err := failureOf(t, append(header(kindError, 0, 0), within(maxFaultDepth)...)); errors.Is(err, errDamaged) {
		t.Errorf("%d panics: %v", maxFaultDepth, err)
	}
	for what, c := range map[string]struct {
		kind byte
		body string
	}{
		"too many panics":        {kindError, within(maxFaultDepth + 2)},
		"more names than bytes":  {kindError, "\x00\x05\x00"},
		"a strange mark":         {kindError, "\x00\x00\x02"},
		"a strange value":        {kindPanic, "\x00\x00\x00\x02\x00"},
		"no stack":               {kindPanic, "\x00\x00\x00\x01"},
		"a byte behind an error": {kindError, "\x00\x00\x00\x00"},
		"a byte behind a name":   {kindUnknown, "\x01a\x01b\x00"},
	} {
		err := failureOf(t, append(header(c.kind, 0, 0), c.body...))
		if _, ok := err.(*EncodeError); !ok || !errors.Is(err, errDamaged) {
			t.Errorf("%s: got %v, want that it is damaged", what, err)
		}
	}
	if got, err := decodeBody[struct{ Err error }]([]byte{2}); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a value's error that is neither there nor nil: %+v, %v", got, err)
	}
}

// Who asks for a job that is not there is told of those with such a name.
func TestTable_near(t *testing.T) {
	named := func(names ...string) *table {
		var all table
		for _, name := range names {
			all.add("job", entry{name: name})
		}
		return &all
	}
	six := []string{"resize image", "send mail", "report", "resise images", "sum", "index"}
	for _, c := range []struct {
		have *table
		ask  string
		want string
	}{
		{named(), "sum", "none at all"},
		{named(six[:5]...), "nothing like them", `"resize image", "send mail", "report", "resise images", "sum"`},
		{named(six...), "resize images", `"resize image", "resise images"`},
		{named(six...), "sun", `"sum"`},
		{named(six...), "nothing like them", "6 others"},
		{named("a1", "a2", "a3", "a4", "a5", "other"), "a0", `"a1", "a2", "a3", "a4", "a5"`},
		{named("a1", "a2", "a3", "a4", "a5", "a6"), "a0", `"a1", "a2", "a3", "a4", "a5", ...`},
	} {
		if got := c.have.near(c.ask); got != c.want {
			t.Errorf("%q among %q: got %s, want %s", c.ask, c.have.order, got, c.want)
		}
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"same", "same", 0}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"xabc", "abc", 1}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("from %q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
	if err := checkName(strings.Repeat("x", maxName)); err != "" {
		t.Errorf("a name of %d bytes %s", maxName, err)
	}
}
