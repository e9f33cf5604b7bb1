//go:build unix

package retrylog

import (
	"io/fs"
	"syscall"
)

// links is how many names the file has.
func links(info fs.FileInfo) (n uint64, known bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return uint64(stat.Nlink), true
}
