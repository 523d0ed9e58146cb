package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/file"
)

// PlaceError says that the state folder lies where it must not, and what to do.
type PlaceError struct{ Problem string }

func (e *PlaceError) Error() string { return e.Problem }

// Absolute refuses no folder at all, and a relative one: that would be another one in
// every working directory.
func (f Folder) Absolute() error {
	if f == "" {
		return &PlaceError{"HOME is not set, so there is no place for keysplit's notes. Set HOME, or KEYSPLIT_STATE_DIR to an absolute path"}
	}
	if !filepath.IsAbs(string(f)) {
		return &PlaceError{fmt.Sprintf("KEYSPLIT_STATE_DIR needs an absolute path, and is %q", secret.Inert(string(f)))}
	}
	return nil
}

// placed refuses a state folder that is relative, in another user's home, or in the
// project's work tree: git would pick up the backups, which hold keys.
func (f Folder) placed(project string) error {
	if err := f.Absolute(); err != nil {
		return err
	}
	if at, whose := f.others(); at != "" {
		return &PlaceError{fmt.Sprintf("keysplit's folder %s would lie in %s, which belongs to %s: keysplit runs as another user. "+
			"Set HOME to this user's own (`sudo -H`), or KEYSPLIT_STATE_DIR", secret.Inert(string(f)), secret.Inert(at), whose)}
	}
	top := workTree(project)
	if file.Within(top, file.Resolved(string(f))) {
		return &PlaceError{fmt.Sprintf("keysplit's folder %s is in the project's work tree %s, where git would pick up the backups: set KEYSPLIT_STATE_DIR to a folder elsewhere",
			secret.Inert(string(f)), secret.Inert(top))}
	}
	return nil
}

// others is the folder in which the state folder is to be made, and its owner, where
// that is neither this user nor root.
func (f Folder) others() (at, whose string) {
	if _, err := os.Lstat(string(f)); err == nil {
		return "", "" // it is there, and is looked at itself
	}
	for at = filepath.Dir(string(f)); ; at = filepath.Dir(at) {
		if info, err := os.Stat(at); err == nil {
			if whose = anothers(info); whose == "" {
				return "", ""
			}
			return at, whose
		}
		if at == filepath.Dir(at) {
			return "", ""
		}
	}
}

// workTree is the top of the git work tree that a folder belongs to, or the folder
// itself. A home folder that is a work tree as a whole does not count: the usual
// state folder is in it.
func workTree(dir string) string {
	home, _ := os.UserHomeDir() // "" is no folder
	for at := dir; ; at = filepath.Dir(at) {
		if at == filepath.Dir(at) || at == home || at == file.Resolved(home) {
			return dir
		}
		if _, err := os.Lstat(filepath.Join(at, ".git")); err == nil {
			return at
		}
	}
}

// trusted refuses a journal that somebody else could have written: the state
// folder, the journal's own, and everything in it must be the user's, no links, and
// writable for nobody else.
func (j *Journal) trusted() error {
	for _, folder := range []string{string(j.state), j.dir} {
		if err := ours(folder, true); err != nil {
			return err
		}
	}
	files, err := os.ReadDir(j.dir)
	if err != nil {
		return fmt.Errorf("look at keysplit's folder: %w", err)
	}
	paths := []string{filepath.Join(string(j.state), "key")}
	for _, f := range files {
		paths = append(paths, filepath.Join(j.dir, f.Name()))
	}
	for _, path := range paths { // another run's draft may be gone
		if err := ours(path, false); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// ours refuses what somebody else could have written.
func ours(path string, folder bool) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("look at keysplit's folder: %w", err)
	}
	if wrong := notOurs(info, folder); wrong != "" {
		return untrusted(path, wrong)
	}
	return nil
}

// notOurs says what is wrong with a file or folder of the state, "" for nothing.
func notOurs(info fs.FileInfo, folder bool) string {
	switch mode := info.Mode(); {
	case mode&fs.ModeSymlink != 0:
		return "is a symbolic link"
	case folder && !mode.IsDir():
		return "is not a folder"
	case !folder && !mode.IsRegular():
		return "is not a regular file"
	}
	return othersMayWrite(info)
}

func untrusted(path, wrong string) error {
	return fmt.Errorf("%w: %s %s, so what it says cannot be trusted. Look at it, and move it aside or fix its owner and mode (chmod go-w)",
		ErrUnusable, secret.Inert(path), wrong)
}

// readOwn reads a file of the journal. It waits for nothing: a pipe in its place
// is refused.
func readOwn(path string) ([]byte, error) {
	f, err := openOwn(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}
