package demo

import (
	"os"

	"golang.org/x/sys/windows"
)

func tryLock(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	return windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, &windows.Overlapped{})
}

// ours reports whether path is a folder. Each user of Windows has a folder for
// temporary files of their own.
func ours(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}
