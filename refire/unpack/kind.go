package unpack

import "fmt"

// Kind is what a stream is packed with.
type Kind uint8

// The kinds. Plain is all that is not recognised. Those after XZ are recognised only to say what they are.
const (
	Plain Kind = iota
	Gzip
	Zstd
	Bzip2
	XZ
	Zip
	SevenZip
	LZ4
	Lzip
	Compress // of Unix: .Z
	Tar      // archives of files; nothing in it is packed
)

// known says how each kind begins; a question mark stands for any byte.
var known = [...]struct {
	name, command string
	at            int
	magic         string
}{
	Gzip:     {"gzip", "gzip -dc", 0, "\x1f\x8b\x08"},
	Zstd:     {"zstd", "zstd -dc", 0, "\x28\xb5\x2f\xfd"},
	Bzip2:    {"bzip2", "bzip2 -dc", 0, "BZh?1AY&SY"},
	XZ:       {"xz", "xz -dc", 0, "\xfd7zXZ\x00"},
	Zip:      {"zip", "unzip -p", 0, "PK\x03\x04"},
	SevenZip: {"7z", "7z x -so", 0, "7z\xbc\xaf\x27\x1c"},
	LZ4:      {"lz4", "lz4 -dc", 0, "\x04\x22\x4d\x18"},
	Lzip:     {"lzip", "lzip -dc", 0, "LZIP\x01"},
	Compress: {"compress", "gzip -dc", 0, "\x1f\x9d"},
	Tar:      {"tar", "tar -xOf", 257, "ustar"},
}

// MagicBytes is how many bytes of a stream are enough to recognise every kind but Tar, for which TarMagicBytes are.
const (
	MagicBytes    = 10
	TarMagicBytes = 262
)

// Recognise says what a stream that begins with head is packed with.
func Recognise(head []byte) Kind {
	for kind := Gzip; kind <= Tar; kind++ {
		if k := &known[kind]; len(head) >= k.at && begins(head[k.at:], k.magic) {
			return kind
		}
	}
	if emptyBzip2(head) {
		return Bzip2
	}
	if len(head) >= 4 && head[0]&0xf0 == 0x50 && string(head[1:4]) == "\x2a\x4d\x18" {
		return Zstd // a frame to skip, as pzstd writes before each other one
	}
	return Plain
}

// begins reports whether head begins with magic, in which a question mark is any byte.
func begins(head []byte, magic string) bool {
	if len(head) < len(magic) {
		return false
	}
	for i := range len(magic) {
		if magic[i] != '?' && head[i] != magic[i] {
			return false
		}
	}
	return true
}

// emptyBzip2 is an archive of nothing: it has no block, so its end follows its header.
func emptyBzip2(head []byte) bool { return begins(head, "BZh?\x17\x72\x45\x38\x50\x90") }

// String returns the name.
func (k Kind) String() string {
	switch {
	case k == Plain:
		return "plain"
	case int(k) < len(known):
		return known[k].name
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// CanRead reports whether NewReader reads this kind.
func (k Kind) CanRead() bool { return k <= XZ }

// Command is the program, with its flags, that writes what a file of this kind holds to standard output; empty for Plain.
func (k Kind) Command() string {
	if int(k) < len(known) {
		return known[k].command
	}
	return ""
}
