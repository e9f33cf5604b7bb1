package retrylog

import (
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
)

// TestReadFired: what a crash leaves of an announcement is none; what nobody announced is refused.
func TestReadFired(t *testing.T) {
	var enc Encoder
	line := func(i int, unsent bool) string {
		o := outcomes(i + 1)[i]
		o.Status, o.Error, o.Unsent = 0, refire.Unknown.String()+": "+unknownDetail, unsent
		text, err := enc.Append(nil, &o)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	zeros := strings.Repeat("\x00", 5000)
	for name, c := range map[string]struct {
		text string
		left int // -1: refused
	}{
		"nothing":             {"", 0},
		"two":                 {line(0, false) + line(1, false), 2},
		"one of them twice":   {line(0, false) + line(1, false) + line(0, false), 2},
		"withdrawn":           {line(0, false) + line(1, false) + line(0, true), 1},
		"announced after all": {line(0, false) + line(0, true) + line(0, false), 1},
		"torn":                {line(0, false) + line(1, false)[:40], 1},
		"torn, and zeros":     {line(0, false) + line(1, false)[:40] + zeros, 1},
		"zeros at the end":    {line(0, false) + zeros, 1},
		"zeros only":          {zeros, 0},
		"one zero":            {zeros[:1], 0},
		"zeros, then a line":  {zeros + line(0, false), -1},
		"zeros in the middle": {line(0, false) + zeros + "\n" + line(1, false), -1},
		"somebody else's":     {"dear diary", -1},
	} {
		f, err := readFired(strings.NewReader(c.text))
		switch {
		case err != nil && c.left >= 0, err == nil && c.left < 0:
			t.Errorf("%s: %v", name, err)
		case err == nil && (f.Len() != c.left || !f.there):
			t.Errorf("%s: %d left", name, f.Len())
		}
	}
}
