package job

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// nested is a list in a list, so many times.
func nested(times int) (r ring) {
	for range times {
		r = ring{r}
	}
	return r
}

// What is nested as deep as may be travels, what is deeper is refused by both sides, with words that a
// person can read.
func TestCodec_depth(t *testing.T) {
	deepest := nested(maxDepth)
	if _, err := roundTrip[ring, ring](deepest); err != nil {
		t.Errorf("%d levels: %.200v", maxDepth, err)
	}
	_, err := roundTrip[ring, ring](nested(maxDepth + 1))
	checkTooDeep(t, "encode", err, "encode: job.ring[0]")

	lists := append(bytes.Repeat([]byte{2}, maxDepth+1), 0) // of one element each
	_, err = decodeBody[ring](lists)
	checkTooDeep(t, "decode", err, "job.ring[0]")
}

// decodeBody reads what stands behind the schema of T.
func decodeBody[T any](value []byte) (T, error) {
	c := new(codec[T])
	return c.decode(message{kind: kindTyped, body: append(appendString(nil, c.ready().schema), value...)})
}

func checkTooDeep(t *testing.T, what string, err error, begins string) {
	t.Helper()
	if err == nil || !strings.HasPrefix(err.Error(), begins) || !strings.Contains(err.Error(), fmt.Sprintf("nested deeper than %d", maxDepth)) {
		t.Errorf("%s: got %.200v, want that it is too deep", what, err)
	} else if len(err.Error()) > 500 {
		t.Errorf("%s: the error has %d bytes", what, len(err.Error()))
	}
}

// What stands side by side is not nested, however much it is.
func TestCodec_breadth(t *testing.T) {
	const many = maxDepth + 1
	one := 1
	var pointers []*int
	var lists [][]string
	var arrays [][1]*int
	var maps []map[string]int
	var anys []any
	for i := range many {
		pointers, lists, arrays = append(pointers, &one), append(lists, []string{"x"}), append(arrays, [1]*int{&one})
		maps, anys = append(maps, map[string]int{"x": i}), append(anys, i)
	}
	checkSame(t, pointers)
	checkSame(t, lists)
	checkSame(t, arrays)
	checkSame(t, maps)
	checkSame(t, anys)
	type gone struct{ Much [many]*int }
	if _, err := roundTrip[gone, struct{}](gone{}); err != nil {
		t.Errorf("what is not known here, and zero: %v", err)
	}
}

// Lists and maps larger than what memory is taken for beforehand.
func TestCodec_many(t *testing.T) {
	type pair struct{ A, B int }
	pairs, byKey := make([]pair, maxAhead), map[pair]bool{}
	for i := range pairs {
		pairs[i] = pair{i, -i}
		if i%8 == 0 {
			byKey[pairs[i]] = true
		}
	}
	checkSame(t, pairs)
	checkSame(t, byKey)
	keys := map[[2]any]int{} // the keys have parts that are written as nothing
	for i := range 64 {
		keys[[2]any{i, nil}], keys[[2]any{nil, i}] = i, -i
	}
	checkSame(t, keys)
	values := map[int]any{}
	for i := range 64 {
		if values[i] = i; i%2 == 0 {
			values[i] = nil
		}
	}
	checkSame(t, values)
}

// A length that is not true costs no memory but for what the message has.
func TestCodec_falseLengths(t *testing.T) {
	value := append([]byte{0xff, 0xff, 0x03}, bytes.Repeat([]byte{0xff}, 1<<16)...) // of 65,534 elements
	for what, decode := range map[string]func() error{
		"slice": func() error { return second(decodeBody[[]struct{ X [1000]int64 }](value)) },
		"map":   func() error { return second(decodeBody[map[int64][16]int64](value)) },
		"ints":  func() error { return second(decodeBody[struct{ S []int64 }](value)) },
	} {
		var err error
		if n := bytesPerRun(func() { err = decode() }); n > 1<<20 || err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: %d bytes of memory for a message of %d, and the error %.200v", what, n, len(value), err)
		}
	}
}

// A few bytes must not keep a big message, nor see what becomes of it.
func TestCodec_smallBytesAreCopied(t *testing.T) {
	type parts struct{ Big, Small []byte }
	msg, err := new(codec[parts]).encode(0, &parts{make([]byte, 1000), []byte("small")})
	if err != nil {
		t.Fatal(err)
	}
	m, err := parseMessage(msg)
	if err != nil {
		t.Fatal(err)
	}
	got, err := new(codec[parts]).decode(m)
	if err != nil {
		t.Fatal(err)
	}
	for i := range msg {
		msg[i] = 'x'
	}
	if string(got.Small) != "small" {
		t.Errorf("the small ones are %q once the message is overwritten", got.Small)
	}
}

// appender says itself how it travels, without a copy.
type appender struct{ Text string }

func (a appender) AppendBinary(b []byte) ([]byte, error) {
	if a.Text == "fail" {
		return append(b, "something already"...), io.ErrShortWrite
	}
	return append(b, a.Text...), nil
}
func (a appender) MarshalBinary() ([]byte, error)  { return nil, io.ErrNoProgress } // not asked
func (a *appender) UnmarshalBinary(b []byte) error { a.Text = string(b); return nil }

func TestCodec_appends(t *testing.T) {
	for _, n := range []int{1, 126, 127, 128, 5000} {
		checkSame(t, []appender{{strings.Repeat("x", n)}, {"y"}, {}})
	}
	_, err := roundTrip[[]appender, []appender]([]appender{{"fine"}, {"fail"}})
	if err == nil || err.Error() != "encode: []job.appender[1]: short write" {
		t.Errorf("got %v", err)
	}
}

// What was refused once is refused in the same words again.
func TestCodec_refusesAgain(t *testing.T) {
	type there struct{ A, B int }
	type here struct {
		A int
		B string
	}
	for range 3 {
		_, err := roundTrip[there, here](there{})
		if err == nil || err.Error() != "job.here.B is a string here and was an int there: build both sides with the same types" {
			t.Errorf("got %.200v", err)
		}
	}
}

// Damage is told with its place.
func TestCodec_damageHasAPlace(t *testing.T) {
	type part struct {
		N  int
		Ok bool
	}
	for want, value := range map[string][]byte{
		"[]job.part[1].Ok: the message is damaged": {3, 0, 1, 0, 2},
		"[]job.part[0].N: the message is damaged":  {2, 0xff},
		"the message is damaged":                   {2, 0, 1, 0},
	} {
		if _, err := decodeBody[[]part](value); err == nil || err.Error() != want {
			t.Errorf("%v: got %v, want %q", value, err, want)
		}
	}
	if _, err := decodeBody[map[string]part]([]byte{2, 1, 'k', 0, 2}); err == nil || err.Error() != "map[string]job.part[k].Ok: the message is damaged" {
		t.Errorf("in a map: got %v", err)
	}
}

// What stands where something else should is damage, or a type that this side does not have.
func TestCodec_strangeMarks(t *testing.T) {
	type nothing struct{ E struct{} }
	for what, c := range map[string]struct {
		err  error
		want string
	}{
		"a pointer":                 {second(decodeBody[*int]([]byte{2, 0})), "damaged"},
		"an array of none":          {second(decodeBody[[0]int]([]byte{1})), "damaged"},
		"a struct of none":          {second(decodeBody[nothing]([]byte{1})), "damaged"},
		"an interface":              {second(decodeBody[any]([]byte{byte(len(basicTypes) + 1), 0})), "damaged"},
		"an interface with a token": {second(decodeBody[any]([]byte{wireRegistered, 1, 'x', 0})), "gob.Register"},
		"an interface with no more": {second(decodeBody[any]([]byte{wireRegistered})), "damaged"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) || strings.Contains(c.err.Error(), "panic") {
			t.Errorf("%s: got %v, want %q", what, c.err, c.want)
		}
	}
}
