package envfile

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// exchange swaps what two names mean, in one step. Where the file system cannot do that (some network file systems),
// from is renamed over to, and exchanged is false.
func exchange(from, to string) (exchanged bool, err error) {
	err = rename2(from, to, unix.RENAME_EXCHANGE)
	if cannotExchange(err) {
		return false, os.Rename(from, to)
	}
	return err == nil, err
}

// renameNew renames, and fails with fs.ErrExist rather than replace anything.
func renameNew(from, to string) error {
	err := rename2(from, to, unix.RENAME_NOREPLACE)
	if cannotExchange(err) {
		return os.Rename(from, to)
	}
	return err
}

func cannotExchange(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.ENOTSUP)
}

func rename2(from, to string, flags uint) error {
	for {
		err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, flags)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
		}
	}
}

// mayKeep reports why a new file in a folder could not be given the owner, access list and mode of the one that is there.
// It tries that on a file without a name, where there is such a thing; root may do it.
func mayKeep(s *Snapshot, folder string) error {
	if me := os.Geteuid(); me == 0 || s.UID == me && s.GID == os.Getegid() && len(s.ACL) == 0 {
		return nil
	}
	fd, err := unix.Open(folder, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil // the replacement itself finds out
	}
	f := os.NewFile(uintptr(fd), folder) // #nosec G115 -- an open descriptor is above 0
	defer f.Close()
	return keepMeta(f, s.Path, s.meta())
}
