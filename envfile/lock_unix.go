//go:build unix

package envfile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// TryLock takes the system's advisory lock on an open file, or returns ErrHeld at once. It is held until the file is
// closed, or the process ends in any way.
func TryLock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EWOULDBLOCK):
			return ErrHeld
		default:
			return os.NewSyscallError("flock", err)
		}
	}
}

// lockFolder locks the target's folder by its descriptor, until the deadline at most. Anyone who may read the folder can
// hold that lock for as long as they like; so beyond the deadline the write goes on without it, and holder says who has it.
// Some file systems cannot lock a folder, such as NFS, which wants it open for writing; and one that may not be read cannot
// be opened. In all of these cases the lock in the caller's own folder has to do, and the last look before the replacement.
func lockFolder(ctx context.Context, dir, path string, deadline time.Time) (f *os.File, holder string, err error) {
	f, err = os.OpenFile(dir, os.O_RDONLY|unix.O_DIRECTORY, 0)
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrNotExist):
		return nil, "", nil
	case err != nil:
		return nil, "", fmt.Errorf("lock the folder of %s: %w", path, err)
	}
	err = take(ctx, f, path, deadline, func() string { return lockHolder(f) })
	if err == nil {
		return f, "", nil
	}
	f.Close()
	var refused *RefusedError
	if errors.As(err, &refused) {
		return nil, refused.Detail, nil
	}
	for _, cannot := range []error{unix.EBADF, unix.EINVAL, unix.ENOTSUP, unix.ENOLCK, unix.ENOSYS} {
		if errors.Is(err, cannot) {
			return nil, "", nil
		}
	}
	return nil, "", err
}
