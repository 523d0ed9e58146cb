//go:build unix

package envfile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// openFlags keep a name that was swapped a moment ago from being followed or from blocking.
const openFlags = unix.O_NOFOLLOW | unix.O_NONBLOCK

func identify(_ *os.File, fi fs.FileInfo) (identity, error) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}, errors.New("the system tells no inode")
	}
	return identity{volume: uint64(st.Dev), number: st.Ino, links: uint64(st.Nlink)}, nil
}

func ownerOf(fi fs.FileInfo) int {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

func groupOf(fi fs.FileInfo) int {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return int(st.Gid)
	}
	return -1
}

// shown is a mode as the system shows it once a file has it.
func shown(mode fs.FileMode) fs.FileMode { return mode }

// MayWrite asks the system whether this user may write to a file or folder; nil means yes.
func MayWrite(path string) error { return unix.Access(path, unix.W_OK) }

func isLoop(err error) bool           { return errors.Is(err, unix.ELOOP) }
func isNameTooLong(err error) bool    { return errors.Is(err, unix.ENAMETOOLONG) }
func isNotDir(err error) bool         { return errors.Is(err, unix.ENOTDIR) }
func isReadOnlySystem(err error) bool { return errors.Is(err, unix.EROFS) }
