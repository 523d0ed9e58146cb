package envfile

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// openFlags: Windows has neither a pipe in the file system nor a flag against links for os.OpenFile.
const openFlags = 0

func identify(f *os.File, _ fs.FileInfo) (identity, error) {
	var info windows.ByHandleFileInformation
	if err := windows.GetFileInformationByHandle(windows.Handle(f.Fd()), &info); err != nil {
		return identity{}, err
	}
	return identity{
		volume: uint64(info.VolumeSerialNumber),
		number: uint64(info.FileIndexHigh)<<32 | uint64(info.FileIndexLow),
		links:  uint64(info.NumberOfLinks),
	}, nil
}

func ownerOf(fs.FileInfo) int { return -1 }
func groupOf(fs.FileInfo) int { return -1 }

// shown is a mode as the system shows it once a file has it: Windows knows only whether a file is read-only. Who may
// read it says the folder's access list, which new files inherit.
func shown(mode fs.FileMode) fs.FileMode {
	if mode&0o200 == 0 {
		return 0o444
	}
	return 0o666
}

// MayWrite leaves the question to the writing itself: only trying tells on Windows.
func MayWrite(string) error { return nil }

func isLoop(err error) bool           { return errors.Is(err, windows.ERROR_CANT_RESOLVE_FILENAME) }
func isNameTooLong(err error) bool    { return errors.Is(err, windows.ERROR_FILENAME_EXCED_RANGE) }
func isNotDir(err error) bool         { return errors.Is(err, windows.ERROR_DIRECTORY) }
func isReadOnlySystem(err error) bool { return errors.Is(err, windows.ERROR_WRITE_PROTECT) }
