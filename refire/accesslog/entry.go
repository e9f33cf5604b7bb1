package accesslog

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"time"
)

// Entry is one line of an access log, as far as firing its request again needs it.
// Its strings are copies: an Entry stays valid after the scan.
type Entry struct {
	// Method, Target and Proto are the request line as the client sent it: the server's log escaping is undone,
	// nothing else is changed (no cleaning of paths, no decoding of percent signs). They may hold any byte, so
	// never print them unescaped. Proto is empty for HTTP/0.9. All three are empty when NoRequest is set.
	Method, Target, Proto string

	// Status is the logged status, 0 to 999; 0 where the server had none (nginx "000", Apache "-").
	Status int

	// Time is the logged time; zero if its layout is unknown. Layouts without a zone are taken as UTC.
	Time time.Time

	// Host is the host that the request was for ("name" or "name:port"), if the line names one: a column of its own, a field
	// of that meaning, the beginning of a URL that the server wrote in place of the target. Else empty. Clients choose it.
	Host string

	// Scheme is "http" or "https" if the line tells which of them the request came by, else empty.
	Scheme string

	// Source is Options.Source.
	Source string

	// Offset is the byte in the uncompressed source where the line begins; Line its number, from 1.
	Offset, Line int64

	// ID is the entry's identity. It survives rotation, renaming, compression and growth of the file.
	// Parse leaves it zero, because a line alone has none.
	ID ID

	// NoRequest says that the request field holds nothing that could be fired: it is empty, "-", a single word, or does
	// not begin with a method (a TLS handshake, a probe of another protocol).
	NoRequest bool

	// Tagged says that the line holds Options.Tag.
	Tagged bool
}

// ID identifies an entry: 128 bits of a SHA-256 over the first line of the stream (its first MaxKeyBytes bytes), the offset
// of the line and the line itself, line ends excluded. So a last line that was caught half written and has grown since is
// another entry, and the same line at two offsets is two entries.
//
// The computation is frozen: journals hold IDs.
type ID [16]byte

// MaxKeyBytes is how much of a stream's first line goes into the IDs of its entries.
const MaxKeyBytes = 4096

// String returns the ID as 32 lower-case hex digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText returns what String returns.
func (id ID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText reads what MarshalText writes.
func (id *ID) UnmarshalText(text []byte) error {
	if len(text) != 2*len(id) {
		return fmt.Errorf("accesslog: an ID has %d hex digits, not %d", 2*len(id), len(text))
	}
	if _, err := hex.Decode(id[:], text); err != nil {
		return fmt.Errorf("accesslog: ID: %w", err)
	}
	return nil
}

// streamKey is what the IDs of one stream have in common: the hash of its first line.
type streamKey [sha256.Size]byte

// makeStreamKey takes the beginning of a stream: at least its first line, or MaxKeyBytes+1 bytes, or all there is.
func makeStreamKey(head []byte) streamKey {
	line, _, _ := cutLine(head)
	return sha256.Sum256(line[:min(len(line), MaxKeyBytes)])
}

// identifier computes IDs without allocating.
type identifier struct {
	key  streamKey
	hash hash.Hash
	sum  [sha256.Size]byte
}

func newIdentifier(key streamKey) *identifier { return &identifier{key: key, hash: sha256.New()} }

func (d *identifier) id(offset int64, line []byte) ID {
	d.hash.Reset()
	d.hash.Write(d.key[:])
	binary.BigEndian.PutUint64(d.sum[:8], uint64(offset))
	d.hash.Write(d.sum[:8])
	d.hash.Write(line)
	return ID(d.hash.Sum(d.sum[:0])[:len(ID{})])
}
