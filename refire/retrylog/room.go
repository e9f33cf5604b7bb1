package retrylog

import (
	"os"
	"sync"
	"sync/atomic"
)

// lineRoom is room for one outcome; most are half as long.
const lineRoom = 1 << 9

// room is what is taken on the disk for outcomes to come, so that on a disk that fills up what is under way can be written down.
type room struct {
	size atomic.Int64 // of the file: no less than what is written of settled entries

	mu  sync.Mutex
	own int64 // guarded by mu: bytes for the outcomes that may be under way at a time; 0: none is taken
	end int64 // guarded by mu: up to where there is room
}

// Reserve takes room on the disk for so many outcomes, as many as will be under way at a time, where the system can (Linux, most file systems), and keeps it
// while the file grows; an error says that there is none. So a run on a disk that is full ends before it has fired what it cannot write down. The file's length
// stays as it is.
func (j *Journal) Reserve(outcomes int) error {
	j.room.mu.Lock()
	j.room.own = int64(outcomes) * lineRoom
	j.room.mu.Unlock()
	err := j.keepRoom(0)
	if err != nil { // what it got of it before
		j.giveRoom()
	}
	return err
}

// keepRoom sees to it that there is room for what is under way, and for so many bytes more. Without Reserve it does nothing.
func (j *Journal) keepRoom(bytes int64) error {
	f, ok := j.f.(*os.File)
	r := &j.room
	r.mu.Lock()
	defer r.mu.Unlock()
	if !ok || r.own == 0 {
		return nil
	}
	size, need := r.size.Load(), bytes+r.own
	if size+need <= r.end {
		return nil
	}
	const ahead = 4 // so that it is not asked for with each line
	take := need + ahead*r.own
	err := allocate(f, size, take)
	if err != nil {
		take = need
		err = allocate(f, size, take)
	}
	if err == nil {
		r.end = size + take
	}
	return err
}

// giveRoom gives back what was taken and is not needed.
func (j *Journal) giveRoom() {
	j.room.mu.Lock()
	defer j.room.mu.Unlock()
	f, ok := j.f.(*os.File)
	if size := j.room.size.Load(); ok && j.room.own > 0 {
		if info, err := f.Stat(); err == nil && info.Size() == size {
			_ = f.Truncate(size)
		}
	}
}
