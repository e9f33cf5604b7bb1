package unpack_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/seed8b1f0744/aio/refire/unpack"
	"github.com/ulikunitz/xz"
)

// A stream of one line that asks for a window of 128 MiB, made by xz 5.4.
const xzLargeWindow = "/Td6WFoAAAFpIt42AgAhAR4AAACbB1Fm4ABMAEhdABkMArc3jZbzpnFkk9NUd6l5RXw6+ZbxHFjffWtWF+k7dtJEQQr0a+bYcg72/eu3PvVHW6pKhZF9wY88BigwALu3lEpDw/gAAACvE/8CAAFgTaHjFk2QQpkNAQAAAAABWVo="

// TestReader_xzWindowOnce: however many blocks ask for a window, it is taken once.
func TestReader_xzWindowOnce(t *testing.T) {
	const streams = 50
	data := bytes.Repeat(archive(t, xzLargeWindow), streams)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	text, err := io.ReadAll(unpack.NewReader(bytes.NewReader(data), unpack.XZ))
	runtime.ReadMemStats(&after)
	if err != nil || strings.Count(string(text), "GET /a HTTP/1.1\" 503 9") != streams {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if taken := after.TotalAlloc - before.TotalAlloc; taken > 2*unpack.MaxWindowBytes {
		t.Errorf("%d bytes were taken", taken)
	}
}

// TestReader_xzBlocks: blocks of packed chunks and of chunks that are copied because they cannot be packed, in streams with other windows and checks.
func TestReader_xzBlocks(t *testing.T) {
	noise := make([]byte, 150_000)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(noise)
	text := bytes.Repeat([]byte(packedText), 40)
	var want, data bytes.Buffer
	for i, config := range []xz.WriterConfig{
		{DictCap: 1 << 20, BlockSize: 30_000}, {DictCap: 1 << 22, BlockSize: 70_001, CheckSum: xz.CRC32}, {DictCap: 1 << 21, BlockSize: 1 << 20, CheckSum: xz.SHA256},
	} {
		w, err := config.NewWriter(&data)
		if err != nil {
			t.Fatal(err)
		}
		for _, piece := range [][]byte{text, noise[:70_000+i], text[:100], noise[i:]} {
			want.Write(piece)
			if _, err := w.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	got, err := io.ReadAll(unpack.NewReader(&data, unpack.XZ))
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("%d bytes of %d, %v", len(got), want.Len(), err)
	}
}

// TestReader_xzNothingFromBefore: a block cannot begin with what needs the block before it.
func TestReader_xzNothingFromBefore(t *testing.T) {
	// The chunks of two blocks. Those of the first one are right, and hold one byte.
	first := string([]byte{1, 0, 0, 'a', 0})
	for name, second := range map[string]string{
		"the window, copied":     string([]byte{2, 0, 0, 'b', 0}),
		"the window, packed":     string([]byte{0x80, 0, 0, 0, 0, 0, 0}),
		"the window, new coding": string([]byte{0xc0, 0, 0, 0, 0, 0x5d, 0, 0}),
		"the coding":             string([]byte{1, 0, 0, 'b', 0xa0, 0, 0, 0, 0, 0, 0}),
		"no chunk":               string([]byte{0x7f, 0, 0, 'b', 0}),
	} {
		head := hugeXZ(0)
		head = head[:len(head)-4] // what follows is in the block
		block := head[12:]
		data := bytes.Clone(head)
		data = append(data, first...)
		data = append(data, make([]byte, -len(first)&3)...)
		data = append(data, block...)
		data = append(data, second...)
		got, err := io.ReadAll(unpack.NewReader(bytes.NewReader(data), unpack.XZ))
		var fault *unpack.Error
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), "damaged") || strings.Trim(string(got), "ab") != "" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
