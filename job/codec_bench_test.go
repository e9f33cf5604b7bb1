package job

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"testing"
	"time"
)

// What ADR 9 compares: an argument written and read again, by what std has and by us. gob stream is
// one encoder and one decoder for all, which a call that any worker may get cannot have.

type benchArgs struct {
	Name  string
	Width int
	Scale float64
	Flags []string
}

type benchRow struct {
	ID    int64
	Name  string
	Price float64
	When  time.Time
	Tags  map[string]string
}

type benchBlob struct {
	Name string
	Data []byte
}

func BenchmarkCodec(b *testing.B) {
	benchCodecs(b, "args 64 B", benchArgs{"picture-0001.jpeg", 640, 0.5, []string{"sharpen", "strip"}})
	rows := make([]benchRow, 100)
	for i := range rows {
		rows[i] = benchRow{int64(i), "name of a row", 1.5 * float64(i), time.Unix(1e9+int64(i), 0), map[string]string{"a": "b"}}
	}
	benchCodecs(b, "100 rows", rows)
	benchCodecs(b, "64 KiB of bytes", benchBlob{"blob", make([]byte, 64<<10)})
	floats := make([]float64, 8<<10)
	for i := range floats {
		floats[i] = 1 / float64(i+1)
	}
	benchCodecs(b, "64 KiB of floats", floats)
	benchCodecs(b, "1 MiB of bytes", benchBlob{"blob", make([]byte, 1<<20)})
}

func benchCodecs[T any](b *testing.B, what string, in T) {
	report := func(b *testing.B, n int, err error) {
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(n), "wire-B")
		b.ReportAllocs()
	}
	b.Run(what+"/ours", func(b *testing.B) {
		var c codec[T]
		var msg []byte
		var err error
		for b.Loop() {
			if msg, err = c.encode(0, &in); err != nil {
				break
			}
			var m message
			if m, err = parseMessage(msg); err == nil {
				_, err = c.decode(m)
			}
		}
		report(b, len(msg), err)
	})
	b.Run(what+"/gob message", func(b *testing.B) {
		var n int
		var err error
		for b.Loop() {
			var buf bytes.Buffer
			if err = gob.NewEncoder(&buf).Encode(&in); err != nil {
				break
			}
			n = buf.Len()
			var out T
			err = gob.NewDecoder(&buf).Decode(&out)
		}
		report(b, n, err)
	})
	b.Run(what+"/gob stream", func(b *testing.B) {
		var buf bytes.Buffer
		enc, dec := gob.NewEncoder(&buf), gob.NewDecoder(&buf)
		var n int
		var err error
		for b.Loop() {
			if err = enc.Encode(&in); err != nil {
				break
			}
			n = buf.Len()
			var out T
			err = dec.Decode(&out)
		}
		report(b, n, err)
	})
	b.Run(what+"/json", func(b *testing.B) {
		var n int
		for b.Loop() {
			text, err := json.Marshal(&in)
			if err != nil {
				b.Fatal(err)
			}
			n = len(text)
			var out T
			if err := json.Unmarshal(text, &out); err != nil {
				b.Fatal(err)
			}
		}
		report(b, n, nil)
	})
}
