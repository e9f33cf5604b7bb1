package retrylog

import (
	"os"
	"syscall"
)

// networks are file systems whose flock may hold on this machine only, by the number that statfs(2) gives them.
var networks = map[uint32]string{
	0x6969:     "NFS",
	0x517B:     "SMB",
	0xFE534D42: "SMB",
	0xFF534D42: "SMB",
	0x01021997: "9P",
	0x65735546: "FUSE",
}

// network names the file system that f is on, if that is one of those.
func network(f *os.File) string {
	var s syscall.Statfs_t
	if err := syscall.Fstatfs(int(f.Fd()), &s); err != nil {
		return ""
	}
	return networks[uint32(s.Type)]
}
