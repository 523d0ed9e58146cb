package envfile

import (
	"os"

	"golang.org/x/sys/windows"
)

// syncMode is how a file is opened only to sync it: FlushFileBuffers asks for write access.
const syncMode = os.O_RDWR

// syncFolder: Windows has no sync for folders; its file systems journal names by themselves.
func syncFolder(*os.File) error { return nil }

// cannotRename: Windows has no mounts of single files.
func cannotRename(error) bool { return false }

// exchange renames from over to: Windows does not swap two names.
func exchange(from, to string) (exchanged bool, err error) { return false, os.Rename(from, to) }

// renameNew renames, and fails with fs.ErrExist rather than replace anything.
func renameNew(from, to string) error {
	old, err := windows.UTF16PtrFromString(from)
	if err != nil {
		return err
	}
	name, err := windows.UTF16PtrFromString(to)
	if err != nil {
		return err
	}
	if err := windows.MoveFileEx(old, name, windows.MOVEFILE_WRITE_THROUGH); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}
