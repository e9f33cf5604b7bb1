package job

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// What is on the wire is written down here: another build must be able to read it. Whoever has to
// change a line changes the version, too.
func TestWire(t *testing.T) {
	type pair struct {
		A int
		B []string
	}
	seven := 7
	for _, c := range []struct{ got, want string }{
		{wireOf(t, 0, []byte("ab")), "01 02 00 | ab"},
		{wireOf(t, 0, []byte(nil)), "01 04 00 | "},
		{wireOf(t, 0, "ab"), "01 03 00 | ab"},
		{wireOf(t, 300, "ab"), "01 03 ac02 | ab"},
		{wireOf(t, 0, true), `01 01 00 | \x01b\x01`},
		{wireOf(t, 0, -3), `01 01 00 | \x01i\x05`},
		{wireOf(t, 0, uint8(200)), `01 01 00 | \x01u\xc8\x01`},
		{wireOf(t, 0, float32(1)), `01 01 00 | \x01f\x00\x00\x80?`},
		{wireOf(t, 0, 1.0), `01 01 00 | \x01d\x00\x00\x00\x00\x00\x00\xf0?`},
		{wireOf(t, 0, complex64(1)), `01 01 00 | \x01c\x00\x00\x00\x00\x00\x00\xf0?\x00\x00\x00\x00\x00\x00\x00\x00`},
		{wireOf(t, 0, [2]byte{'a', 'b'}), `01 01 00 | \x02h\x02ab`},
		{wireOf(t, 0, [2]bool{true, false}), `01 01 00 | \x03a\x02b\x01\x00`},
		{wireOf(t, 0, []int{1, -1}), `01 01 00 | \x02[i\x03\x02\x01`},
		{wireOf(t, 0, []float32{1}), `01 01 00 | \x02[f\x02\x00\x00\x80?`},
		{wireOf(t, 0, []string(nil)), `01 01 00 | \x02[s\x00`},
		{wireOf(t, 0, map[string]bool{"k": true}), `01 01 00 | \x03msb\x02\x01k\x01`},
		{wireOf(t, 0, &seven), `01 01 00 | \x02*i\x01\x0e`},
		{wireOf(t, 0, struct{}{}), `01 01 00 | \x02{\x00\x00`},
		{wireOf(t, 0, []pair{{1, []string{"x"}}}), `01 01 00 | \n[{\x02\x01Ai\x01B[s\x02\x02\x02\x01x`},
		{wireOf(t, 0, ring{{}, nil}), `01 01 00 | \x03[^\x00\x03\x01\x00`},
		{wireOf(t, 0, time.Unix(0, 0).UTC()), `01 01 00 | \x01B\x10\x01\x00\x00\x00\x0ew\x91\xf7\x00\x00\x00\x00\x00\xff\xff`},
		{wireOf(t, 0, []error{nil, errBadSchema}), `01 01 00 | \x02[e\x03\x00\x01\x1fthe message's schema is damaged\x00\x00`},
		{wireOf(t, 0, []any{nil, "s", 7}), `01 01 00 | \x02[x\x04\x00\x02\x01s\x04\x0e`},
		{wired(encodeError(errBadSchema)), `01 05 00 | \x1fthe message's schema is damaged\x00\x00`},
		{wired(encodeUnknown("x"))[:len(`01 07 00 | \x01x`)], `01 07 00 | \x01x`},
		{wired(encodeRefusal(errBadSchema)), `01 08 00 | \x1fthe message's schema is damaged\x00\x00`},
	} {
		if c.got != c.want {
			t.Errorf("got  %s\nwant %s", c.got, c.want)
		}
	}
	const basics = "bool string []uint8 int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 float32 float64 complex64 complex128 time.Time time.Duration []interface {} map[string]interface {} map[string]string []string []int []float64"
	var names []string
	for _, basic := range basicTypes {
		names = append(names, basic.String())
	}
	if got := strings.Join(names, " "); got != basics {
		t.Errorf("what is in an interface is numbered in another order: %s", got)
	}
}

func wireOf[T any](t *testing.T, left time.Duration, v T) string {
	t.Helper()
	msg, err := new(codec[T]).encode(left, &v)
	if err != nil {
		t.Fatal(err)
	}
	return wired(msg)
}

// wired shows a message: what is before its body in hexadecimal digits.
func wired(msg []byte) string {
	m, err := parseMessage(msg)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%02x %02x %x | %s", msg[0], msg[1], msg[2:len(msg)-len(m.body)], strings.Trim(fmt.Sprintf("%q", m.body), `"`))
}

func TestParseMessage(t *testing.T) {
	for wire, want := range map[string]string{
		"":                         "cut short",
		"\x01":                     "cut short",
		"\x01\x01":                 "cut short",
		"\x02":                     "version 2 of the wire, this one speaks 1",
		"\x01\x00\x00":             "kind 0, which there is not",
		"\x01\x09\x00":             "kind 9, which there is not",
		"\x01\x01\x80":             "cut short",
		"\x01\x01" + tooLong:       "cut short",
		"\x01\x01" + tooLong + "x": "cut short",
	} {
		if _, err := parseMessage([]byte(wire)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", wire, err, want)
		}
	}
	m, err := parseMessage([]byte("\x01\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7fbody"))
	if err != nil || m.kind != kindEncode || m.left != 1<<63-1 || string(m.body) != "body" {
		t.Errorf("got %+v, %v", m, err)
	}
}

// tooLong is a time left of 2^63 ns.
const tooLong = "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"

func TestParseSchema(t *testing.T) {
	for _, good := range []string{
		"i", "[i", "*i", "msi", "a\x02i", "a\x00i", "h\x05", "{\x00", "{\x02\x01A[i\x01B^\x01", "{\x01\x01F*^\x00",
		"a\xff\xff\xff\xff\x07i", strings.Repeat("*", maxDepth) + "i",
	} {
		if s, err := parseSchema([]byte(good)); err != nil || string(appendSchema(nil, s, make(map[*schema]int))) != good {
			t.Errorf("%.20q: %v", good, err)
		}
	}
	for bad, want := range map[string]error{
		"": errBadSchema, "?": errBadSchema, "ii": errBadSchema, "[": errBadSchema, "mi": errBadSchema, "^\x00": errBadSchema,
		"{\x01\x01F^\x01": errBadSchema, "{\x02\x01Fi": errBadSchema, "{\x01\x05F": errBadSchema,
		"h\x00": errBadSchema, "h": errBadSchema, "a\x80\x80\x80\x80\x08i": errBadSchema,
		strings.Repeat("*", maxDepth+1) + "i":                                    errBadSchema,
		"{\x01" + string(appendString(nil, strings.Repeat("x", maxSchemaBytes))): nil,
	} {
		_, err := parseSchema([]byte(bad))
		if err == nil || want != nil && err != want || want == nil && !strings.Contains(err.Error(), fmt.Sprintf("more than %d", maxSchemaBytes)) {
			t.Errorf("%.20q: got %v", bad, err)
		}
	}
}

// Who has one half of a pair of methods only does not travel by it.
type (
	marshals   struct{ N int }
	unmarshals struct{ N int }
	gobEncodes struct{ N int }
	gobDecodes struct{ N int }
	toText     struct{ n int }
	fromText   struct{ n int }
	gobs       struct{ n byte }
	texts      struct{ n byte }
)

func (marshals) MarshalBinary() ([]byte, error)  { panic("not asked") }
func (*unmarshals) UnmarshalBinary([]byte) error { panic("not asked") }
func (gobEncodes) GobEncode() ([]byte, error)    { panic("not asked") }
func (*gobDecodes) GobDecode([]byte) error       { panic("not asked") }
func (v toText) MarshalText() ([]byte, error)    { panic(v.n) }
func (v *fromText) UnmarshalText([]byte) error   { panic(v.n) }
func (g gobs) GobEncode() ([]byte, error)        { return []byte{g.n}, nil }
func (g *gobs) GobDecode(b []byte) error         { g.n = b[0]; return nil }
func (x texts) MarshalText() ([]byte, error)     { return []byte{x.n}, nil }
func (x *texts) UnmarshalText(b []byte) error    { x.n = b[0]; return nil }

func TestCodec_halves(t *testing.T) {
	checkSame(t, []marshals{{1}})
	checkSame(t, []unmarshals{{1}})
	checkSame(t, []gobEncodes{{1}})
	checkSame(t, []gobDecodes{{1}})
	checkSame(t, []gobs{{1}, {}})
	checkSame(t, []texts{{1}, {}})
	for of, want := range map[reflect.Type]string{
		reflect.TypeFor[toText]():           "job.toText.n is unexported",
		reflect.TypeFor[fromText]():         "job.fromText.n is unexported",
		reflect.TypeFor[struct{ b base }](): ".b is unexported",
		reflect.TypeFor[struct{ label }]():  ".label is unexported",
		reflect.TypeFor[struct {
			gobs
			N int
		}](): ".gobs is unexported",
		reflect.TypeFor[struct {
			texts
			N int
		}](): ".texts is unexported",
	} {
		if err := planOf(of).err; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v, want %q", of, err, want)
		}
	}
}
