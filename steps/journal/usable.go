package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/secret"
)

// Usable reports, without making anything, why a run could not keep its notes of a project
// and environment in the folder: what Hold and Open would say.
func (f Folder) Usable(project, environment string) error {
	if err := f.placed(project); err != nil {
		return err
	}
	at, info, err := existing(f.Of(project, environment))
	if err == nil && !info.IsDir() {
		err = fmt.Errorf("%s is not a folder", secret.Inert(at))
	}
	if err == nil {
		err = envfile.MayWrite(at)
	}
	if err != nil {
		return f.cannotKeep(err)
	}
	if _, err = f.Read(project, environment); err != nil {
		return err
	}
	return f.Room(1)
}

// Room reports why the folder cannot take one more file of so many bytes, as
// envfile.Room does.
func (f Folder) Room(size int) error {
	at, _, _ := existing(string(f)) // what cannot be looked at has no known end
	return envfile.Room(string(f), at, size)
}

// cannotKeep is the error of a folder that cannot be made or written.
func (f Folder) cannotKeep(err error) error {
	return fmt.Errorf("keysplit cannot keep its notes and backups in %s: %w. Set KEYSPLIT_STATE_DIR to a folder that you may write to", secret.Inert(string(f)), err)
}

// full is the error of a folder whose disk has no room, with what to do; any other error
// stays as it is.
func (f Folder) full(err error) error {
	if !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return fmt.Errorf("keysplit cannot keep its notes and backups in %s: %w. Make room there, or set KEYSPLIT_STATE_DIR to a folder on another disk", secret.Inert(string(f)), err)
}

// existing is a path, or the nearest folder above it that is there.
func existing(path string) (at string, info fs.FileInfo, err error) {
	for at = path; ; at = filepath.Dir(at) {
		info, err = os.Stat(at)
		if !errors.Is(err, fs.ErrNotExist) || at == filepath.Dir(at) {
			return at, info, err
		}
	}
}
