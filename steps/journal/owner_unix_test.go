//go:build unix

package journal

import (
	"context"
	"errors"
	"os"
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
		"the key is for everyone":        {spoil: func(j *Journal) error { return os.Chmod(filepath.Join(j.dir, "key"), 0o606) }, says: "may be written by others (mode 0606)"},
		"the folder is a link":           {spoil: func(j *Journal) error { return replace(string(j.state), os.Symlink) }, says: "is a symbolic link"},
		"the journal's folder is a link": {spoil: func(j *Journal) error { return replace(j.dir, os.Symlink) }, says: "is a symbolic link"},
		"the lines are a link":           {spoil: func(j *Journal) error { return replace(j.path(), os.Symlink) }, says: "is a symbolic link"},
		"the key is a pipe":              {spoil: func(j *Journal) error { return replace(filepath.Join(j.dir, "key"), pipe) }, says: "is not a regular file"},
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
