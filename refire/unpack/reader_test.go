package unpack_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
	"github.com/seed8b1f0744/aio/refire/unpack"
)

// packedText is what all of packed hold.
var packedText = func() string {
	var b strings.Builder
	for i := range 40 {
		fmt.Fprintf(&b, "192.0.2.1 - - [12/Mar/2026:14:02:00 +0000] \"GET /%d HTTP/1.1\" 503 0 \"-\" \"-\"\n", i)
	}
	return b.String()
}()

func archive(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReader(t *testing.T) {
	for _, a := range packed {
		t.Run(a.name, func(t *testing.T) {
			data := archive(t, a.base64)
			if kind := unpack.Recognise(data[:unpack.MagicBytes]); kind != a.kind {
				t.Fatalf("recognised as %v", kind)
			}
			for name, r := range map[string]io.Reader{
				"at once": bytes.NewReader(data), "byte by byte": iotest.OneByteReader(bytes.NewReader(data)), "end with data": iotest.DataErrReader(bytes.NewReader(data)),
			} {
				z := unpack.NewReader(r, a.kind)
				text, err := io.ReadAll(z)
				if err != nil || string(text) != packedText {
					t.Errorf("%s: %d bytes, %v", name, len(text), err)
				}
				if z.Packed() != int64(len(data)) {
					t.Errorf("%s: %d of %d bytes are used up", name, z.Packed(), len(data))
				}
				if n, err := z.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Errorf("%s: after the end: %d, %v", name, n, err)
				}
				if err := z.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// step is 1, but for kinds whose decoders take megabytes to begin with.
func step(kind unpack.Kind) int {
	if kind == unpack.Bzip2 || kind == unpack.XZ {
		return 3
	}
	return 1
}

// TestReader_cutShort: wherever an archive is cut, what is read is a beginning of the text, and the end is an error, unless it is cut between two.
func TestReader_cutShort(t *testing.T) {
	for _, a := range packed {
		data := archive(t, a.base64)
		whole := 0
		for n := unpack.MagicBytes; n < len(data); n += step(a.kind) {
			z := unpack.NewReader(bytes.NewReader(data[:n]), a.kind)
			text, err := io.ReadAll(z)
			if !strings.HasPrefix(packedText, string(text)) {
				t.Fatalf("%s cut at %d: another text", a.name, n)
			}
			var fault *unpack.Error
			switch {
			case err == nil && (len(text) == 1000 || len(text) == 0 && strings.Contains(a.name, "skip")):
				whole++ // between two
			case !errors.As(err, &fault) || !errors.Is(err, unpack.ErrCutShort):
				t.Errorf("%s cut at %d of %d: %d bytes, %v", a.name, n, len(data), len(text), err)
			case fault.Packed > int64(n) || fault.Unpacked != int64(len(text)) || fault.Kind != a.kind:
				t.Errorf("%s cut at %d: %+v", a.name, n, fault)
			}
		}
		if whole > 9 { // 8 zeros stand between the two xz streams
			t.Errorf("%s: cut at %d places without an error", a.name, whole)
		}
	}
}

// TestReader_damaged: a flipped bit is an error, or does not matter; it never yields another text without one.
func TestReader_damaged(t *testing.T) {
	for _, a := range packed {
		if strings.Contains(a.name, "without checks") || strings.Contains(a.name, "two frames") {
			continue
		}
		data := archive(t, a.base64)
		for i := unpack.MagicBytes; i < len(data); i += step(a.kind) {
			bad := bytes.Clone(data)
			bad[i] ^= 1 << (i % 8)
			text, err := io.ReadAll(unpack.NewReader(bytes.NewReader(bad), a.kind))
			var fault *unpack.Error
			if err == nil && string(text) != packedText || err != nil && !errors.As(err, &fault) {
				t.Errorf("%s, byte %d: %d bytes, %v", a.name, i, len(text), err)
			}
			if err == nil && a.kind == unpack.XZ && (i < 24 || i >= len(data)-28) { // each bit of its heads, checksums, index and footer is held by a rule
				t.Errorf("%s, byte %d: nothing is said about what is wrong", a.name, i)
			}
		}
	}
}

func TestReader_whatFollows(t *testing.T) {
	for _, a := range packed {
		data := archive(t, a.base64)
		text, err := io.ReadAll(unpack.NewReader(bytes.NewReader(append(data, "192.0.2.1 - -"...)), a.kind))
		if string(text) != packedText || !errors.Is(err, unpack.ErrTrailing) {
			t.Errorf("%s: %d bytes, %v", a.name, len(text), err)
		}
		if a.kind == unpack.Bzip2 {
			continue
		}
		text, err = io.ReadAll(unpack.NewReader(bytes.NewReader(append(data, make([]byte, 512)...)), a.kind))
		if string(text) != packedText || err != nil {
			t.Errorf("%s, padded: %d bytes, %v", a.name, len(text), err)
		}
	}
}

// TestReader_below: an error of the stream below is not the archive's.
func TestReader_below(t *testing.T) {
	broken := errors.New("the disk is broken")
	for _, a := range packed {
		data := archive(t, a.base64)
		r := io.MultiReader(bytes.NewReader(data[:len(data)-20]), iotest.ErrReader(broken))
		_, err := io.ReadAll(unpack.NewReader(r, a.kind))
		if err != broken {
			t.Errorf("%s: %v", a.name, err)
		}
	}
}

func TestReader_nested(t *testing.T) {
	inner := archive(t, packed[0].base64)
	var outer bytes.Buffer
	w, err := zstd.NewWriter(&outer)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(inner)
	w.Close()
	text, err := io.ReadAll(unpack.NewReader(&outer, unpack.Zstd))
	var nested *unpack.NestedError
	if len(text) > 0 || !errors.As(err, &nested) || *nested != (unpack.NestedError{Outer: unpack.Zstd, Inner: unpack.Bzip2}) {
		t.Errorf("%d bytes, %v", len(text), err)
	}
}

// hugeZstd is a frame that says it needs a window of that many bytes: a power of two.
func hugeZstd(log int) []byte {
	return append([]byte("\x28\xb5\x2f\xfd\x00"), byte(log-10)<<3, 1, 0, 0)
}

// hugeXZ is a block that says so.
func hugeXZ(code byte) []byte {
	b := []byte("\xfd7zXZ\x00\x00\x00")
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b[6:8]))
	block := []byte{2, 0, 0x21, 1, code, 0, 0, 0}
	return append(binary.LittleEndian.AppendUint32(append(b, block...), crc32.ChecksumIEEE(block)), 0, 0, 0, 0)
}

// TestReader_limit: what asks for more memory than the limit is refused before it is taken.
func TestReader_limit(t *testing.T) {
	tests := map[string]struct {
		data  []byte
		bytes int64 // 0: it is allowed
	}{
		"zstd at the limit":    {hugeZstd(27), 0},
		"zstd":                 {hugeZstd(28), 256 << 20},
		"zstd, all there is":   {hugeZstd(41), 2 << 40},
		"zstd, content's size": {append([]byte("\x28\xb5\x2f\xfd\xe0"), 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0), 4 << 30},
		"xz at the limit":      {hugeXZ(30), 0},
		"xz":                   {hugeXZ(31), 192 << 20},
		"xz, all there is":     {hugeXZ(40), 4<<30 - 1},
	}
	for name, test := range tests {
		kind := unpack.Recognise(test.data)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := io.ReadAll(unpack.NewReader(bytes.NewReader(test.data), kind))
		runtime.ReadMemStats(&after)
		var limit *unpack.LimitError
		if errors.As(err, &limit) != (test.bytes > 0) || test.bytes > 0 && limit.Bytes != test.bytes {
			t.Errorf("%s: %v (%+v)", name, err, limit)
		}
		if taken := after.TotalAlloc - before.TotalAlloc; test.bytes > 0 && taken > 8<<20 || taken > 2*unpack.MaxWindowBytes {
			t.Errorf("%s: %d bytes were taken", name, taken)
		}
		if test.bytes > 0 && !strings.Contains(err.Error(), "limit is 128 MiB") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRecognise(t *testing.T) {
	tests := map[string]unpack.Kind{
		"": unpack.Plain, "\x1f": unpack.Plain, "192.0.2.1 - - ": unpack.Plain, "BZhang.test:80 192.0.2.1": unpack.Plain, "PKs and others": unpack.Plain,
		"LZIP.example:80 ": unpack.Plain, "P*M\x18\x00\x00\x00\x00": unpack.Zstd, "_*M\x18": unpack.Zstd,
		"PK\x03\x04": unpack.Zip, "7z\xbc\xaf\x27\x1c": unpack.SevenZip, "\x04\x22\x4d\x18": unpack.LZ4, "LZIP\x01": unpack.Lzip, "\x1f\x9d\x90": unpack.Compress,
		"BZh9\x17\x72\x45\x38\x50\x90":                unpack.Bzip2,
		"log" + strings.Repeat("\x00", 254) + "ustar": unpack.Tar,
	}
	for head, want := range tests {
		if got := unpack.Recognise([]byte(head)); got != want {
			t.Errorf("%q: %v, want %v", head, got, want)
		}
	}
	for kind := unpack.Gzip; kind <= unpack.Tar; kind++ {
		if kind.String() == "" || kind.Command() == "" {
			t.Errorf("kind %d has no name or no command", kind)
		}
	}
	if _, err := io.ReadAll(unpack.NewReader(strings.NewReader("PK"), unpack.Zip)); err == nil {
		t.Error("zip was read")
	}
	text, err := io.ReadAll(unpack.NewReader(strings.NewReader("x"), unpack.Plain))
	if string(text) != "x" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

// FuzzReader: any bytes end in io.EOF or in an error, within bounds.
func FuzzReader(f *testing.F) {
	for _, a := range packed {
		f.Add(archive(f, a.base64))
	}
	f.Add(hugeXZ(20))
	f.Fuzz(func(t *testing.T, data []byte) {
		kind := unpack.Recognise(data)
		if !kind.CanRead() {
			return
		}
		z := unpack.NewReader(bytes.NewReader(data), kind)
		defer z.Close()
		n, err := io.Copy(io.Discard, io.LimitReader(z, 4<<20))
		var fault *unpack.Error
		if err != nil && (!errors.As(err, &fault) || fault.Unpacked != n || fault.Packed > int64(len(data))) {
			t.Errorf("%d bytes, %v", n, err)
		}
	})
}
