package job_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/seed8b1f0744/aio/job"
)

type fuzzed struct {
	N     int
	Small int8
	F     float64
	S     string
	B     []byte
	H     [4]byte
	P     *fuzzed
	L     []fuzzed
	Ints  []int
	M     map[string]*int
	T     time.Time
	E     struct{}
	A     [2][]bool
	X     any
	Err   error
}

var fuzzJob = job.Define("fuzz", func(_ context.Context, in fuzzed) (fuzzed, error) { return in, nil })

// fuzzSeeds are calls and outcomes as they are on the wire.
func fuzzSeeds(t testing.TB) (payloads, outcomes [][]byte) {
	seven := 7
	for _, in := range []fuzzed{
		{},
		{N: -1, S: "text", B: []byte{1}, P: &fuzzed{F: 1.5}, L: []fuzzed{{Small: 3}}, M: map[string]*int{"a": &seven, "b": nil}},
		{T: time.Unix(1e9, 1), A: [2][]bool{{true}, {}}, X: []any{1, "x", map[string]any{"k": 2.5}}, Err: errTooBig, Ints: []int{1, -1}},
	} {
		ex := new(far)
		if _, err := fuzzJob.In(t.Context(), ex, in).Await(t.Context()); err != nil {
			t.Fatal(err)
		}
		payloads = append(payloads, ex.calls[0].Payload)
		outcomes = append(outcomes, job.Serve(t.Context(), ex.calls[0]))
	}
	for _, how := range []string{"plain", "two", "panic", "panic error", "panic inside"} {
		ex := new(far)
		if _, err := fail.In(t.Context(), ex, how).Await(t.Context()); err == nil {
			t.Fatalf("%s has not failed", how)
		}
		outcomes = append(outcomes, job.Serve(t.Context(), ex.calls[0]))
	}
	outcomes = append(outcomes, job.Serve(t.Context(), job.Call{Name: "none", Payload: payloads[0]}))
	return payloads, outcomes
}

// A worker survives every payload, and answers with an outcome that the caller can read.
func FuzzServe(f *testing.F) {
	payloads, _ := fuzzSeeds(f)
	for _, p := range payloads {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		outcome := job.Serve(t.Context(), job.Call{Name: "fuzz", Payload: payload})
		first, err := fuzzJob.In(t.Context(), answers(outcome), fuzzed{}).Await(t.Context())
		if err != nil {
			asType[*job.EncodeError](t, err)
			return
		}
		// What was read can be written, and is then read as the same.
		ex := new(far)
		again, err := fuzzJob.In(t.Context(), ex, first).Await(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		twice, err := fuzzJob.In(t.Context(), ex, again).Await(t.Context())
		if err != nil || !hasNaN(first) && !reflect.DeepEqual(again, twice) {
			t.Fatalf("%+v became %+v, %v", again, twice, err)
		}
	})
}

// hasNaN reports whether v is not equal to itself.
func hasNaN(v fuzzed) bool { return !reflect.DeepEqual(v, v) }

// A caller survives every outcome: it is a value, or one of the errors there are.
func FuzzOutcome(f *testing.F) {
	_, outcomes := fuzzSeeds(f)
	for _, o := range outcomes {
		f.Add(o)
	}
	f.Fuzz(func(t *testing.T, outcome []byte) {
		_, err := fuzzJob.In(t.Context(), answers(outcome), fuzzed{}).Await(t.Context())
		if err == nil {
			return
		}
		if err.Error() == "" && !errors.As(err, new(*job.RemoteError)) {
			t.Error("an error without a text")
		}
	})
}
