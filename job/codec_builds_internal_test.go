package job

import (
	"bytes"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Two builds: what the receiver has less than the sender must be zero.
func TestCodec_otherBuilds(t *testing.T) {
	type point1 struct{ X, Y int }
	type point2 struct {
		Name string
		Y    int
		Z    *int
		X    int
		When time.Time
	}
	type old struct {
		P    []point1
		Gone map[string]int
	}
	type new_ struct {
		Added [3]float64
		P     []point2
	}
	got, err := roundTrip[old, new_](old{P: []point1{{1, 2}, {3, 4}}})
	if want := (new_{P: []point2{{X: 1, Y: 2}, {X: 3, Y: 4}}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	back, err := roundTrip[new_, old](got)
	if want := (old{P: []point1{{1, 2}, {3, 4}}}); err != nil || !reflect.DeepEqual(back, want) {
		t.Errorf("got %+v, %v, want %+v", back, err, want)
	}
	type nested struct {
		Map  map[string]string
		List [2]struct{ Text string }
	}
	_, err = roundTrip[struct{ N nested }, struct{}](struct{ N nested }{nested{Map: map[string]string{"long enough": "to be misread"}}})
	if err == nil || !strings.Contains(err.Error(), "the field N, which is not zero") {
		t.Errorf("got %v, want that N would be lost", err)
	}
	if _, err = roundTrip[struct{ N nested }, struct{}](struct{ N nested }{}); err != nil {
		t.Error(err)
	}
	one := 1
	for _, lossy := range []point2{{Name: "x"}, {Z: &one}, {When: time.Now()}} {
		if _, err := roundTrip[[]point2, []point1]([]point2{{}, lossy}); err == nil || !strings.Contains(err.Error(), "would be lost") {
			t.Errorf("%+v: got %v, want that a field would be lost", lossy, err)
		}
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{second(roundTrip[[]point1, []struct{ X string }](nil)), ".X is a string here and was an int there"},
		{second(roundTrip[int, uint](1)), "uint is a uint here and was an int there"},
		{second(roundTrip[int, int8](300)), "300 does not fit into a int8"},
		{second(roundTrip[uint, uint8](256)), "256 does not fit into a uint8"},
		{second(roundTrip[[]int64, []int32]([]int64{math.MaxInt64})), "damaged"},
		{second(roundTrip[[]byte, string]([]byte("x"))), "it was a []byte there and is a string here"},
		{second(roundTrip[int, string](1)), "it was an int there and is a string here"},
		{second(roundTrip[int, []byte](1)), "it was an int there and is a []uint8 here"},
		{second(roundTrip[[]byte, string](nil)), "it was a []byte there and is a string here"},
		{second(roundTrip[[]byte, int](nil)), "it was a []byte there and is a int here"},
		{second(roundTrip[string, []byte]("x")), "it was a string there and is a []uint8 here"},
		{second(roundTrip[string, int]("x")), "it was a string there and is a int here"},
		{second(roundTrip[[2]byte, [3]byte]([2]byte{})), "[3]uint8 here and was an array of bytes there"},
		{second(roundTrip[[2]int, [3]int]([2]int{})), "[3]int here and was an array there"},
		{second(roundTrip[time.Time, struct{ Wall int }](time.Now())), "what its MarshalBinary made"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("got %v, want %q in it", c.err, c.want)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// Every prefix of a message is refused, and so is one with something behind it.
func TestCodec_damage(t *testing.T) {
	seven := 7
	whole, err := new(codec[rich]).encode(time.Second, &rich{P: &seven, SP: []*int{nil, &seven}, SS: []string{"a", "b"}, SF64: []float64{1}, M: map[string]int{"a": 1}})
	if err != nil {
		t.Fatal(err)
	}
	decode := func(b []byte) error {
		m, err := parseMessage(b)
		if err != nil {
			return err
		}
		_, err = new(codec[rich]).decode(m)
		return err
	}
	if err := decode(whole); err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if decode(whole[:n]) == nil {
			t.Fatalf("a message of %d bytes was read from its first %d", len(whole), n)
		}
	}
	if decode(append(bytes.Clone(whole), 0)) == nil {
		t.Error("a byte behind a message was not noticed")
	}
	whole[0]++
	if err := decode(whole); err == nil || !strings.Contains(err.Error(), "version 2 of the wire, this one speaks 1") {
		t.Errorf("got %v, want what the versions are", err)
	}
}

// Big bytes are copied once on the way out, and not at all on the way in.
func TestCodec_copiesBytesOnce(t *testing.T) {
	type file struct {
		Name string
		Data []byte
		More string
	}
	const size = 8 << 20
	in := file{"name", make([]byte, size), "more"}
	var msg []byte
	if n := bytesPerRun(func() { msg, _ = new(codec[file]).encode(0, &in) }); n > size*5/4 {
		t.Errorf("to encode %d bytes took %d", size, n)
	}
	var out file
	if n := bytesPerRun(func() {
		m, err := parseMessage(msg)
		if err == nil {
			out, err = new(codec[file]).decode(m)
		}
		if err != nil {
			t.Fatal(err)
		}
	}); n > size/8 {
		t.Errorf("to decode %d bytes took %d", size, n)
	}
	if len(out.Data) != size || out.More != "more" {
		t.Errorf("got %d bytes and %q", len(out.Data), out.More)
	}
	raw := make([]byte, size)
	if n := bytesPerRun(func() { msg, _ = new(codec[[]byte]).encode(0, &raw) }); n > size*5/4 {
		t.Errorf("to encode %d bytes took %d", size, n)
	}
}

// bytesPerRun is what f allocates when it runs for the second time.
func bytesPerRun(f func()) uint64 {
	f()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A stranger's schema must not cost more than its message.
func TestCodec_hostileSchemas(t *testing.T) {
	for what, schema := range map[string]string{
		"an array of 2^30 nothings":  "{\x01\x01Fa\x80\x80\x80\x80\x04h\x00",
		"an array of 2^30 structs":   "{\x01\x01Fa\x80\x80\x80\x80\x04{\x00",
		"a struct in itself":         "{\x01\x01F^\x00",
		"a reference to what is not": "{\x01\x01F^\x01",
		"a kind there is not":        "{\x01\x01F?",
		"2^30 fields":                "{\x80\x80\x80\x80\x04",
		"depth":                      strings.Repeat("*", 20_000) + "i",
		"length":                     "{\x01" + string(appendString(nil, strings.Repeat("x", maxSchemaBytes))) + "i",
	} {
		m := message{kind: kindTyped, body: append(appendString(nil, schema), 0, 0, 0)}
		if _, err := new(codec[struct{}]).decode(m); err == nil || strings.Contains(err.Error(), "panic") {
			t.Errorf("%s: got %.200v, want a refusal", what, err)
		}
	}
}

// Of two fields of one name the second would be lost.
func TestCodec_fieldTwice(t *testing.T) {
	m := message{kind: kindTyped, body: append(appendString(nil, "{\x02\x01Fi\x01Fi"), 2, 4)}
	if got, err := new(codec[struct{ F int }]).decode(m); err == nil || !strings.Contains(err.Error(), "the field F, which is not zero") {
		t.Errorf("got %+v, %v, want that F would be lost", got, err)
	}
}

// Whatever a field that is not known here is: zero it is read past, and anything else would be lost.
func TestCodec_unknownFields(t *testing.T) {
	one := 1
	checkLost(t, true)
	checkLost(t, -1)
	checkLost(t, uint16(300))
	checkLost(t, float32(1))
	checkLost(t, math.Copysign(0, -1))
	checkLost(t, 1i)
	checkLost(t, "text")
	checkLost(t, []byte{})
	checkLost(t, []byte("bytes"))
	checkLost(t, [3]byte{2: 1})
	checkLost(t, [3]int{2: 1})
	checkLost(t, struct{ A, B int }{B: 1})
	checkLost(t, []int{})
	checkLost(t, map[string]int{})
	checkLost(t, &one)
	checkLost(t, any(0))
	checkLost(t, errBadSchema)
	checkLost(t, time.Unix(0, 0))
	checkLost(t, gobs{1})
	checkLost(t, texts{1})
	checkLost(t, struct {
		None  [0]int
		Empty struct{}
		N     int
	}{N: 1})
}

func checkLost[T any](t *testing.T, v T) {
	t.Helper()
	type there struct {
		X    T
		Last int
	}
	type here struct{ Last int }
	if got, err := roundTrip[there, here](there{Last: 5}); err != nil || got.Last != 5 {
		t.Errorf("a %T that is zero: the field behind it is %d, %v", v, got.Last, err)
	}
	if _, err := roundTrip[there, here](there{X: v, Last: 5}); err == nil || !strings.Contains(err.Error(), "the field X, which is not zero") {
		t.Errorf("%T %v: got %v, want that it would be lost", v, v, err)
	}
}
