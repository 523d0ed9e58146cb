//go:build unix

package journal

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// noBlock keeps the open of a pipe from waiting for its other end.
const noBlock = syscall.O_NONBLOCK | syscall.O_NOFOLLOW

func openOwn(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDONLY|noBlock, 0) }

// othersMayWrite says who else could change a file or folder, "" for nobody.
func othersMayWrite(info fs.FileInfo) string {
	if sys, ok := info.Sys().(*syscall.Stat_t); ok && int64(sys.Uid) != int64(os.Geteuid()) {
		return fmt.Sprintf("belongs to the user with the number %d, not to you", sys.Uid)
	}
	// In a folder with the sticky bit, such as /tmp, nobody moves the files of others.
	if info.Mode().Perm()&0o022 != 0 && info.Mode()&fs.ModeSticky == 0 {
		return fmt.Sprintf("may be written by others (mode %04o)", info.Mode().Perm())
	}
	return ""
}

// anothers names the owner of a folder who is neither this user nor root, "" else.
func anothers(info fs.FileInfo) string {
	sys, ok := info.Sys().(*syscall.Stat_t)
	if !ok || sys.Uid == 0 || int64(sys.Uid) == int64(os.Geteuid()) {
		return ""
	}
	number := strconv.FormatUint(uint64(sys.Uid), 10)
	if u, err := user.LookupId(number); err == nil {
		return u.Username
	}
	return "the user with the number " + number
}
