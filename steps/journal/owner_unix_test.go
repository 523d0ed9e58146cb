//go:build unix

package journal

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A state folder that somebody else could have written is refused, for reading too.
func TestAStateFolderOfOthersIsRefused(t *testing.T) {
	t.Attr("part", "state folders of others")
	t.Parallel()
	replace := func(path string, put func(old, path string) error) error {
		if err := os.Rename(path, path+"-old"); err != nil {
			return err
		}
		return put(path+"-old", path)
	}
	for name, c := range map[string]struct {
		spoil func(j *Journal) error
		says  string
		root  bool
	}{
		"the folder is for the group":    {spoil: func(j *Journal) error { return os.Chmod(string(j.state), 0o770) }, says: "may be written by others (mode 0770)"},
		"the journal is for everyone":    {spoil: func(j *Journal) error { return os.Chmod(j.dir, 0o707) }, says: "may be written by others (mode 0707)"},
		"the key is for everyone":        {spoil: func(j *Journal) error { return os.Chmod(filepath.Join(string(j.state), "key"), 0o606) }, says: "may be written by others (mode 0606)"},
		"the folder is a link":           {spoil: func(j *Journal) error { return replace(string(j.state), os.Symlink) }, says: "is a symbolic link"},
		"the journal's folder is a link": {spoil: func(j *Journal) error { return replace(j.dir, os.Symlink) }, says: "is a symbolic link"},
		"the lines are a link":           {spoil: func(j *Journal) error { return replace(j.path(), os.Symlink) }, says: "is a symbolic link"},
		"the key is a pipe":              {spoil: func(j *Journal) error { return replace(filepath.Join(string(j.state), "key"), pipe) }, says: "is not a regular file"},
		"the folder is somebody else's":  {spoil: func(j *Journal) error { return os.Chown(string(j.state), 1234, 1234) }, says: "belongs to the user with the number 1234", root: true},
		"the lines are somebody else's":  {spoil: func(j *Journal) error { return os.Chown(j.path(), 1234, 1234) }, says: "belongs to the user with the number 1234", root: true},
		"a backup that is somebody else's": {spoil: func(j *Journal) error {
			id, err := j.Keep("", []byte("x"))
			return errors.Join(err, os.Chown(filepath.Join(j.dir, id), 1234, 1234))
		}, says: "belongs to the user with the number 1234", root: true},
	} {
		t.Run(name, func(t *testing.T) {
			if c.root && os.Getuid() != 0 {
				t.Skip("SKIPPED, NOT TESTED: only root gives files away")
			}
			j, env := journalFor(t, "K=1\n")
			if err := c.spoil(j); err != nil {
				t.Fatal(err)
			}
			for what, open := range map[string]func(string, string) (*Journal, error){"open": j.state.Open, "read": j.state.Read} {
				if _, err := open(filepath.Dir(env), "development"); !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
}

func pipe(_, path string) error { return syscall.Mkfifo(path, 0o600) }

// A pipe that comes in the place of a file after the look hangs nothing.
func TestAPipeInTheStateFolderHangsNothing(t *testing.T) {
	t.Attr("part", "state folders of others")
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	path := filepath.Join(t.TempDir(), "key")
	if err := pipe("", path); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := readOwn(path)
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil {
			t.Error("a pipe was read")
		}
	case <-ctx.Done():
		t.Error("it hangs")
	}
}

// A home folder that is not this user's, as sudo keeps it, gets no state folder: root's
// files there would be in its owner's way.
func TestAStateFolderInAnotherUsersHomeIsNotMade(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: only root can make a home of another user")
	}
	home := t.TempDir()
	if err := os.Chown(home, 1234, 1234); err != nil {
		t.Fatal(err)
	}
	state := Folder(filepath.Join(home, ".local", "state", "keysplit"))
	for name, open := range map[string]func() error{
		"journal": func() error { _, err := state.Open(t.TempDir(), "development"); return err },
		"lock":    func() error { _, err := state.Hold(t.Context(), t.TempDir(), "development", "", nil); return err },
	} {
		var misplaced *PlaceError
		if err := open(); !errors.As(err, &misplaced) || !strings.Contains(err.Error(), home) || !strings.Contains(err.Error(), "the user with the number 1234") || !strings.Contains(err.Error(), "sudo -H") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Lstat(filepath.Join(home, ".local")); err == nil {
			t.Errorf("%s: a folder was made", name)
		}
	}
	// The control: in this user's own.
	if err := os.Chown(home, os.Geteuid(), -1); err != nil {
		t.Fatal(err)
	}
	if _, err := state.Open(t.TempDir(), "development"); err != nil {
		t.Error(err)
	}
}

func TestWithoutAHomeThereIsNoStateFolder(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("HOME", "")
	var misplaced *PlaceError
	if err := UsersFolder().Absolute(); !errors.As(err, &misplaced) || !strings.Contains(err.Error(), "HOME is not set") {
		t.Errorf("%v", err)
	}
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	if err := UsersFolder().Absolute(); err != nil {
		t.Errorf("with XDG_STATE_HOME: %v", err)
	}
}

// What the disk takes in part is published under no name. It runs alone: the limit is that of the whole process.
func TestWhatIsWrittenInPartIsNotPublished(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	low := was
	low.Cur = 4
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &low); err != nil {
		t.Fatal(err)
	}
	err := publish(path, []byte("more than that"))
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if _, there := os.Lstat(path); err == nil || !os.IsNotExist(there) {
		t.Errorf("%v, and under its name: %v", err, there)
	}
}
