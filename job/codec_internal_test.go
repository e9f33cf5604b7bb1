package job

import (
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/rand"
	"net"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/quick"
	"time"
)

// roundTrip sends v as a T and receives it as a U.
func roundTrip[T, U any](v T) (U, error) {
	var none U
	b, err := new(codec[T]).encode(0, &v)
	if err != nil {
		return none, fmt.Errorf("encode: %w", err)
	}
	m, err := parseMessage(b)
	if err != nil {
		return none, err
	}
	return new(codec[U]).decode(m)
}

func checkSame[T any](t *testing.T, v T) {
	t.Helper()
	got, err := roundTrip[T, T](v)
	if err != nil {
		t.Errorf("%T: %v", v, err)
	} else if !reflect.DeepEqual(got, v) {
		t.Errorf("got %#v, want %#v", got, v)
	}
}

type (
	color  uint8
	label  string
	labels []label
	ints   []int
	tree   struct {
		Name        string
		Left, Right *tree
		Kids        []tree
		ByName      map[string]*tree
	}
	ring  []ring
	base  struct{ ID int }
	outer struct {
		base
		Name string
		_    int
		Skip chan int `job:"-"`
	}
	rich struct {
		B    bool
		I    int
		I8   int8
		I16  int16
		I32  int32
		I64  int64
		U    uint
		U8   uint8
		U16  uint16
		U32  uint32
		U64  uint64
		F32  float32
		F64  float64
		C64  complex64
		C128 complex128
		S    string
		Y    []byte
		H    [5]byte
		A    [3]int16
		A0   [0]int
		H0   [2][0]byte
		P    *int
		PP   **string
		PB   *[]byte
		M    map[string]int
		MM   map[color]map[label][]byte
		MS   map[[2]int8]struct{ X, Y float32 }
		SS   []string
		SP   []*int
		SI   []int
		SI32 []int32
		SI64 []int64
		SF32 []float32
		SF64 []float64
		SC   []color
		L    labels
		IS   ints
		E    struct{}
		SE   []struct{}
		Sub  struct {
			In struct{ Deep []map[string][]byte }
		}
	}
)

func TestCodec_keepsValues(t *testing.T) {
	zero, seven, word := 0, 7, "word"
	pword := &word
	checkSame(t, rich{})
	checkSame(t, rich{P: &zero, PP: &pword, PB: new([]byte), SP: []*int{nil, &seven, &zero}, SE: make([]struct{}, 3)})
	checkSame(t, []int{})
	checkSame(t, []int(nil))
	checkSame(t, map[string]int{})
	checkSame(t, map[string]int(nil))
	checkSame(t, []byte{})
	checkSame(t, []byte(nil))
	checkSame(t, []byte("bytes"))
	checkSame(t, json.RawMessage(`{"a":1}`))
	checkSame(t, "")
	checkSame(t, "text")
	checkSame(t, label("text"))
	checkSame(t, struct{}{})
	checkSame(t, [][]byte{nil, {}, {1}})
	checkSame(t, []float64{math.Inf(1), math.Copysign(0, -1), math.SmallestNonzeroFloat64})
	checkSame(t, []int64{math.MinInt64, math.MaxInt64, -1, 0})
	checkSame(t, uint64(math.MaxUint64))
	checkSame(t, ring{{}, nil, {{}}})
	checkSame(t, tree{Name: "a", Left: &tree{Name: "b"}, Kids: []tree{{Name: "c"}}, ByName: map[string]*tree{"d": {}, "e": nil}})
	checkSame(t, outer{base: base{ID: 3}, Name: "x"})
	checkSame(t, (*int)(nil))
	checkSame(t, map[int][2000]byte{1: {1}, 2: {2}, 3: {3}})
	checkSame(t, map[[1500]uint8]string{{1}: strings.Repeat("x", 3000), {2}: strings.Repeat("y", 3000)})
	checkSame(t, &seven)

	if got, err := roundTrip[float64, float64](math.NaN()); err != nil || !math.IsNaN(got) {
		t.Errorf("NaN became %v, %v", got, err)
	}
	if got, err := roundTrip[outer, outer](outer{Skip: make(chan int)}); err != nil || got.Skip != nil {
		t.Errorf("what is left behind became %v, %v", got.Skip, err)
	}
}

func TestCodec_keepsRandomValues(t *testing.T) {
	seed := rand.Int63()
	same := func(v rich) bool {
		got, err := roundTrip[rich, rich](v)
		if err != nil {
			t.Error(err)
		}
		return reflect.DeepEqual(got, v)
	}
	filled := map[string]bool{}
	values := func(args []reflect.Value, r *rand.Rand) { args[0] = randomRich(t, r, filled) }
	if err := quick.Check(same, &quick.Config{MaxCount: 100, Rand: rand.New(rand.NewSource(seed)), Values: values}); err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
	for f := range reflect.TypeFor[rich]().Fields() {
		if f.Type.Size() > 0 && !filled[f.Name] {
			t.Errorf("seed %d: the field %s had nothing in it, ever", seed, f.Name)
		}
	}
	sameTree := func(v struct {
		T []byte
		M map[int32]*[]string
	}) bool {
		got, err := roundTrip[any, any](map[string]any{"v": []any{v.T, len(v.M)}})
		return err == nil && reflect.DeepEqual(got, map[string]any{"v": []any{v.T, len(v.M)}})
	}
	if err := quick.Check(sameTree, &quick.Config{Rand: rand.New(rand.NewSource(seed))}); err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
}

// randomRich has each field made by itself: of so many, quick gives each no more than an empty one.
func randomRich(t *testing.T, r *rand.Rand, filled map[string]bool) reflect.Value {
	v := reflect.New(reflect.TypeFor[rich]()).Elem()
	for f, part := range v.Fields() {
		x, ok := quick.Value(f.Type, r)
		if !ok {
			t.Fatalf("no random %v", f.Type)
		}
		part.Set(x)
		if hasLength := strings.Contains("slice map string", x.Kind().String()); hasLength && x.Len() > 0 || !hasLength && !x.IsZero() {
			filled[f.Name] = true
		}
	}
	return v
}

func TestCodec_methods(t *testing.T) {
	u, err := url.Parse("http://user:pass@host/path?q#f")
	if err != nil {
		t.Fatal(err)
	}
	checkSame(t, *u)
	checkSame(t, u)
	checkSame(t, map[string]*url.URL{"u": u, "none": nil})
	checkSame(t, net.IPv4(1, 2, 3, 4).To4())
	checkSame(t, *big.NewInt(-1 << 40))
	checkSame(t, []*big.Int{big.NewInt(1), nil})
	checkSame(t, map[time.Duration]struct{ Big big.Int }{3: {}})

	re, err := roundTrip[*regexp.Regexp, *regexp.Regexp](regexp.MustCompile("a+b"))
	if err != nil || re.String() != "a+b" {
		t.Errorf("got %v, %v", re, err)
	}
	long := strings.Repeat("x", 5000)
	checkSame(t, url.URL{Scheme: "http", Host: "h", Path: "/" + long})
}

// stamp's MarshalBinary is that of the time it embeds, which knows no Name.
type stamp struct {
	time.Time
	Name string
}

// own has a MarshalBinary although it embeds one.
type own struct {
	time.Time
	Name string
}

func (o own) MarshalBinary() ([]byte, error)  { return []byte("own " + o.Name), nil }
func (o *own) UnmarshalBinary(b []byte) error { o.Name = string(b); return nil }

func TestCodec_promotedMethods(t *testing.T) {
	when := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	checkSame(t, stamp{when, "name"})
	checkSame(t, &stamp{when, "name"})
	checkSame(t, struct{ time.Time }{when})
	got, err := roundTrip[own, own](own{when, "name"})
	if err != nil || got.Name != "own name" {
		t.Errorf("got %v, %v; its own method should have been called", got, err)
	}
}

func TestCodec_time(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		zone = time.FixedZone("EDT", -4*3600)
	}
	now := time.Now()
	for _, want := range []time.Time{{}, now, now.UTC(), now.In(zone), time.Date(-4, 1, 1, 0, 0, 0, 1, time.UTC)} {
		got, err := roundTrip[struct{ T time.Time }, struct{ T time.Time }](struct{ T time.Time }{want})
		if err != nil {
			t.Errorf("%v: %v", want, err)
			continue
		}
		_, offset := want.Zone()
		if _, o := got.T.Zone(); !got.T.Equal(want) || o != offset {
			t.Errorf("got %v, want %v", got.T, want)
		}
		if strings.Contains(got.T.String(), "m=") {
			t.Errorf("%v has a reading of another process's clock", got.T)
		}
		if want.Location() == time.UTC && got.T.Location() != time.UTC {
			t.Errorf("%v is no longer in UTC: %v", want, got.T)
		}
	}
}

type shape interface{ Area() float64 }

type square struct {
	Side float64
	Tags []string
}

type circle struct{ R float64 }

type closed struct{ F func() }

func (s square) Area() float64  { return s.Side * s.Side }
func (c *circle) Area() float64 { return c.R * c.R * math.Pi }

func init() {
	gob.Register(square{})
	gob.Register(&circle{})
	gob.Register(closed{})
}

func TestCodec_interfaces(t *testing.T) {
	when := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	checkSame[any](t, nil)
	checkSame[any](t, 7)
	checkSame[any](t, []byte(nil))
	checkSame(t, []any{true, "s", []byte{1}, int8(1), uint64(2), 3.5, 2i, when, time.Second, nil, []string{"x"}, map[string]any{"k": []any{}}})
	checkSame(t, []shape{square{2, []string{}}, &circle{1}, nil, square{}})
	checkSame(t, map[any]int{"a": 1, 2: 2, square{}.Side: 3})
	checkSame[fmt.Stringer](t, time.Minute)

	_, err := roundTrip[any, any](label("x"))
	if err == nil || !strings.Contains(err.Error(), "job.label") || !strings.Contains(err.Error(), "gob.Register") {
		t.Errorf("got %v, want how to have a job.label travel", err)
	}
	_, err = roundTrip[map[string]any, map[string]any](map[string]any{"f": closed{}})
	if err == nil || !strings.Contains(err.Error(), `map[string]interface {}[f]`) || !strings.Contains(err.Error(), "closed.F is a func()") {
		t.Errorf("got %v, want what cannot travel, and where it is", err)
	}
	_, err = roundTrip[[]any, []any](cycle())
	if err == nil || !strings.Contains(err.Error(), "[0][...][0]") || !strings.Contains(err.Error(), "contain itself") {
		t.Errorf("got %.200v, want that it contains itself", err)
	} else if len(err.Error()) > 300 {
		t.Errorf("got %.200v and %d bytes in all, want the path of what contains itself shortened", err, len(err.Error()))
	}
	if _, err := roundTrip[[]any, []shape]([]any{7}); err == nil || !strings.Contains(err.Error(), "[]job.shape[0]: a int is not a job.shape") {
		t.Errorf("got %v, want that an int is no shape", err)
	}
}

func cycle() []any {
	c := []any{nil}
	c[0] = c
	return c
}

func TestCodec_errorsInValues(t *testing.T) {
	type result struct {
		N   int
		Err error
	}
	got, err := roundTrip[[]result, []result]([]result{{N: 1}, {Err: fmt.Errorf("reading: %w", io.ErrUnexpectedEOF)}})
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Err != nil || got[1].Err.Error() != "reading: unexpected EOF" || !errors.Is(got[1].Err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", got)
	}
}

func TestCodec_cannotTravel(t *testing.T) {
	type hidden struct {
		Shown  int
		secret int
	}
	_ = hidden{secret: 1}.secret
	for _, c := range []struct {
		t    reflect.Type
		want []string
	}{
		{reflect.TypeFor[func()](), []string{"func(): a function cannot travel: make it a job of its own"}},
		{reflect.TypeFor[chan int](), []string{"a channel cannot travel"}},
		{reflect.TypeFor[uintptr](), []string{"another process"}},
		{reflect.TypeFor[struct {
			A struct{ OnDone func(int) error }
		}](), []string{".A.OnDone is a func(int) error", "job:\"-\""}},
		{reflect.TypeFor[map[string][]*hidden](), []string{"map[string][]*job.hidden[][].secret is unexported and would be lost", "give job.hidden MarshalBinary", "not yours"}},
		{reflect.TypeFor[map[chan int]bool](), []string{"[key] is a chan int"}},
	} {
		err := planOf(c.t).err
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v: got %v, want %q in it", c.t, err, want)
			}
		}
		if err != nil && strings.Contains(err.Error(), "tag the field") != strings.Contains(err.Error(), ".") {
			t.Errorf("%v: got %v, want a word of a field's tag where there is a field", c.t, err)
		}
	}
}

type selfMarshaller struct{ mode string }

func (s selfMarshaller) MarshalBinary() ([]byte, error) {
	switch s.mode {
	case "fail":
		return nil, io.ErrShortWrite
	case "panic":
		panic("marshal")
	}
	return []byte(s.mode), nil
}

func (s *selfMarshaller) UnmarshalBinary(b []byte) error {
	switch s.mode = string(b); s.mode {
	case "unfail":
		return io.ErrShortBuffer
	case "unpanic":
		panic("unmarshal")
	}
	return nil
}

func TestCodec_methodsThatFail(t *testing.T) {
	type holder struct{ List []selfMarshaller }
	for mode, want := range map[string]string{
		"fine":    "",
		"fail":    "encode: job.holder.List[1]: short write",
		"unfail":  "job.holder.List[1]: short buffer",
		"panic":   "aio: panic: marshal",
		"unpanic": "aio: panic: unmarshal",
	} {
		_, err := roundTrip[holder, holder](holder{[]selfMarshaller{{}, {mode}}})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %.100v, want %q", mode, err, want)
		}
	}
}
