package journal

import (
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

const noBlock = 0

// openOwn opens a file for reading, and lets others remove it or another name of it in the meantime: os.Open forbids
// that on Windows, and fails itself while a run that began at the same time removes its draft of the key.
func openOwn(path string) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(path)
	var h windows.Handle
	if err == nil {
		const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
		h, err = windows.CreateFile(name, windows.GENERIC_READ, share, nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(h), path), nil
}

// othersMayWrite finds nothing: who may write is not in the mode here, and the
// folder inherits the rights of the user's profile.
func othersMayWrite(fs.FileInfo) string { return "" }

// anothers names nobody: a profile of Windows is closed to other users.
func anothers(fs.FileInfo) string { return "" }
