package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/seed8b1f0744/aio/refire/accesslog"
	"github.com/ulikunitz/xz"
)

// pack packs text: gzip, zstd, xz.
func pack(kind string, text []byte) ([]byte, error) {
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch kind {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zstd":
		w, err = zstd.NewWriter(&b)
	case "xz":
		w, err = xz.NewWriter(&b)
	default:
		err = fmt.Errorf("unknown kind %q", kind)
	}
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// endless is a reader that always has more, and waits where it is told to.
type endless struct{ wait chan struct{} }

func (e endless) Read(p []byte) (int, error) {
	if e.wait != nil {
		<-e.wait
	}
	return copy(p, "x\n"), nil
}

// TestInterruptible: everything arrives in order and whole, the end too; and a read that hangs keeps nobody.
func TestInterruptible(t *testing.T) {
	want := bytes.Repeat([]byte("0123456789abcdef\n"), 200_000)
	got, err := io.ReadAll(newInterruptible(t.Context(), bytes.NewReader(want)))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d of %d bytes, %v", len(got), len(want), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	i := newInterruptible(ctx, endless{make(chan struct{})})
	cancel()
	if n, err := i.Read(make([]byte, 10)); n != 0 || err != context.Canceled {
		t.Errorf("%d, %v", n, err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	i = newInterruptible(ctx, endless{})
	for range 100 {
		if n, err := i.Read(make([]byte, 10)); n != 2 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
	}
	cancel()
	<-i.done
}

// BenchmarkPacked is how fast packed logs are read.
func BenchmarkPacked(b *testing.B) {
	var text bytes.Buffer
	for i := range 200_000 {
		status := 200
		if i%100 == 0 {
			status = 503
		}
		fmt.Fprintf(&text, "192.0.2.%d - - [12/Mar/2026:14:%02d:%02d +0000] \"GET /item/%d?page=%d HTTP/1.1\" %d %d \"-\" \"Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/115.0\"\n",
			i%250, i/6000%60, i/100%60, i*7919%100_000, i%17, status, i*31%5000)
	}
	for _, kind := range []string{"gzip", "zstd", "xz"} {
		data, err := pack(kind, text.Bytes())
		if err != nil {
			b.Fatal(err)
		}
		name := b.TempDir() + "/access.log"
		if err := os.WriteFile(name, data, 0o600); err != nil {
			b.Fatal(err)
		}
		b.Run(kind, func(b *testing.B) {
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				l, err := openLog(name, stdio{})
				if err != nil {
					b.Fatal(err)
				}
				stats, err := l.scan(b.Context(), accesslog.Options{}, func(*accesslog.Entry, *accesslog.BadLine) error { return nil })
				if err != nil || stats.Lines != 200_000 || l.trouble != nil {
					b.Fatal(stats.Lines, err, l.trouble)
				}
			}
		})
	}
}
