//go:build linux || darwin

package envfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// freeIn is how many bytes the file system of a folder can still take from this user: 0
// where it can take no more files. Some file systems count nothing, and say so by having
// no size.
func freeIn(folder string) (bytes uint64, known bool) {
	var st unix.Statfs_t
	if err := unix.Statfs(folder, &st); err != nil || st.Blocks == 0 {
		return 0, false
	}
	if st.Files > 0 && st.Ffree == 0 {
		return 0, true
	}
	blocks := st.Bavail
	if os.Geteuid() == 0 {
		blocks = st.Bfree // what is kept for root
	}
	return blocks * uint64(st.Bsize), true // #nosec G115 -- a size of blocks is above 0
}
