package retrylog

import (
	"io"

	"github.com/seed8b1f0744/aio/refire"
	"github.com/seed8b1f0744/aio/refire/accesslog"
)

// Latest calls visit for the last outcome of each entry in r, which holds size bytes, in the order in which these stand there. It reads r twice, and
// remembers about 50 bytes for each entry. What a run appends meanwhile does not matter. Errors are those of Read.
func Latest(r io.ReaderAt, size int64, visit func(*refire.Outcome) error) (Extent, error) {
	last := map[accesslog.ID]int64{} // the number of its line
	var n int64
	ext, err := Read(io.NewSectionReader(r, 0, size), func(o *refire.Outcome) error {
		last[o.ID] = n
		n++
		return nil
	})
	if err != nil {
		return ext, err
	}
	n = 0
	_, err = Read(io.NewSectionReader(r, 0, ext.Bytes), func(o *refire.Outcome) error {
		n++
		if last[o.ID] == n-1 {
			return visit(o)
		}
		return nil
	})
	return ext, err
}
