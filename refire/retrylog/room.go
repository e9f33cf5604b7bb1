package retrylog

import (
	"errors"
	"os"
)

// lineRoom is room for one outcome; most are half as long.
const lineRoom = 1 << 9

// Reserve takes room on the disk for so many outcomes that come next, where the system can (Linux, most file systems); an error says that there is none. So a
// run on a disk that is full ends before it has fired what it cannot write down. The file's length stays as it is.
func (j *Journal) Reserve(outcomes int) error {
	f, ok := j.f.(*os.File)
	if !ok {
		return nil
	}
	err := allocate(f, j.size, int64(outcomes)*lineRoom)
	if err != nil { // what it got of it before
		err = errors.Join(err, f.Truncate(j.size))
	}
	return err
}
