package doors_test

import (
	"slices"
	"testing"

	"github.com/seed8b1f0744/aio/internal/doors"
)

const api = `p: const A State = 1
p: func Gather[T any, A Awaitable[T]](ctx context.Context, as ...A) ([]T, error)
p: func Now(ctx context.Context) time.Time
p: func Do(fn func(context.Context) error) func(context.Context) (struct{}, error)
p: method (*Queue[T]) Get(ctx context.Context) (T, error)
p: method (*Queue[T]) Len() int
p: method (*Loop) Close() error
p: method (Handle) Cancel() bool
p: type Clock interface, Wait(wake <-chan struct{}, until time.Time)
other: func Wait(ctx context.Context)
`

func TestUnlisted(t *testing.T) {
	reasons := map[string]string{"Now": "does not wait"}
	for _, c := range []struct {
		name   string
		rows   []string
		others map[string]string
		want   []string
	}{
		{"all", []string{"Gather", "Queue.Get by priority", "Queue.Get, full", "Loop.Close"}, reasons, nil},
		{"no row", []string{"Gather", "Queue.Get"}, reasons, []string{"p.Loop.Close looks as if it could wait: give it a row, or a reason why it does not"}},
		{"no reason", []string{"Gather", "Queue.Get", "Loop.Close"}, nil, []string{"p.Now looks as if it could wait: give it a row, or a reason why it does not"}},
		{"a row for nothing", []string{"Gather", "Queue.Get", "Loop.Close", "Wait"}, reasons, []string{"p.Wait has a row, and is not exported"}},
		{"both", []string{"Gather", "Queue.Get", "Loop.Close", "Now"}, reasons, []string{"p.Now has a row, and a reason to have none: does not wait"}},
		{"a reason for nothing", []string{"Gather", "Queue.Get", "Loop.Close"}, map[string]string{"Now": "x", "Do": "x"}, []string{"p.Do needs no reason to have no row"}},
	} {
		if got := doors.Unlisted(api, "p", c.rows, c.others); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
