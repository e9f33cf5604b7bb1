package retrylog_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/retrylog"
)

// TestLatest: the last line about an entry counts, in its place; a torn end is told and left out.
func TestLatest(t *testing.T) {
	first, second, again := outcome(1), outcome(2), outcome(1)
	first.Status, again.Round = 503, 1
	const torn = `{"url":"http://base`
	text := encode(t, first, second, again) + torn
	var got []refire.Outcome
	ext, err := retrylog.Latest(strings.NewReader(text), int64(len(text)), func(o *refire.Outcome) error {
		got = append(got, *o)
		return nil
	})
	if err != nil || ext.Lines != 3 || ext.Torn != int64(len(torn)) {
		t.Errorf("%+v, %v", ext, err)
	}
	if len(got) != 2 || got[0] != second || got[1] != again {
		t.Errorf("%+v", got)
	}
	stop := errors.New("enough")
	if _, err := retrylog.Latest(strings.NewReader(text), int64(len(text)), func(*refire.Outcome) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
	if _, err := retrylog.Latest(strings.NewReader("GET /\n"), 6, nil); err == nil {
		t.Error("takes what is no retry log")
	}
}
