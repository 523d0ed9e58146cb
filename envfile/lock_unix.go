//go:build unix

package envfile

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// tryLock takes the lock or returns errHeld at once.
func tryLock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return errHeld
		default:
			return os.NewSyscallError("flock", err)
		}
	}
}

// lockFolder locks the target's folder by its descriptor, until the deadline at most. Some file systems cannot lock a
// folder, such as NFS, which wants it open for writing; and one that may not be read cannot be opened. There the lock in
// the caller's own folder has to do, and the last look before the replacement.
func lockFolder(ctx context.Context, dir, path string, deadline time.Time) (*os.File, error) {
	f, err := os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, nil //nolint:nilerr // see above
	}
	err = take(ctx, f, path, deadline, func() string { return "another user or another state folder" })
	if err == nil {
		return f, nil
	}
	f.Close()
	for _, cannot := range []error{unix.EBADF, unix.EINVAL, unix.ENOTSUP, unix.ENOLCK, unix.ENOSYS} {
		if errors.Is(err, cannot) {
			return nil, nil
		}
	}
	return nil, err
}
