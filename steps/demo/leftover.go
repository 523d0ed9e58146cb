package demo

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"dj/keysplit/steps/sys/file"
)

const (
	folderPrefix = "keysplit-demo-"
	markerName   = "in-use" // locked by the guardian as long as it lives
)

// newFolder makes an empty folder in dir and locks its marker.
func newFolder(dir string) (folder string, release func(), err error) {
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return "", nil, fmt.Errorf("find the folder for temporary files: %w", err)
	}
	// A demo that starts at this very moment may take the new folder for a
	// leftover. It then holds the lock, and another folder is made.
	for range 3 {
		if folder, err = os.MkdirTemp(dir, folderPrefix); err != nil {
			return "", nil, fmt.Errorf("make the demo's folder: %w", err)
		}
		if release, err = lockMarker(folder, os.O_CREATE); err == nil {
			return folder, release, nil
		}
	}
	return "", nil, fmt.Errorf("lock the demo's folder: %w", err)
}

// removeLeftovers removes the folders of demos whose guardian was killed: they
// are ours, have a marker, and nobody holds its lock.
func removeLeftovers(dir string) {
	for _, folder := range file.Glob(dir, folderPrefix+"*") {
		if !ours(folder) {
			continue
		}
		release, err := lockMarker(folder, 0)
		if err != nil {
			continue
		}
		// Removed under the lock where that is possible, so that nobody else does it as well.
		if os.RemoveAll(folder) != nil {
			release()
			_ = os.RemoveAll(folder) // Windows keeps open files; the next demo tries again
			continue
		}
		release()
	}
}

var errInUse = errors.New("the demo's folder is in use")

// lockMarker locks the folder's marker without waiting.
func lockMarker(folder string, flags int) (release func(), err error) {
	f, err := os.OpenFile(filepath.Join(folder, markerName), os.O_RDWR|flags, 0o600)
	if err != nil {
		return nil, err
	}
	if err := tryLock(f); err != nil {
		f.Close()
		return nil, errInUse
	}
	return func() { f.Close() }, nil
}
