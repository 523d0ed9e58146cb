//go:build unix

package envfile

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncMode is how a file is opened only to sync it: it may have become read-only in the meantime.
const syncMode = os.O_RDONLY

// syncFolder makes the names in a folder durable.
func syncFolder(folder *os.File) error { return folder.Sync() }

// cannotRename knows the two answers to a rename over a file that is a mount of its own.
func cannotRename(err error) bool {
	return errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EXDEV)
}
