package djangotest

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// GiveTo gives the project to another user, with a Python that he can run: a virtual
// environment in root's home is closed to others. Only root can.
func (p *Project) GiveTo(t testing.TB, uid uint32) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(p.Python)), "lib", "python3*", "site-packages"))
	must(t, err)
	if len(found) != 1 {
		t.Fatal(found)
	}
	open := filepath.Dir(p.Dir) // the test's own folder, which is closed too
	must(t, os.Chmod(open, 0o755))
	packages := filepath.Join(open, "site-packages")                // with its times, by which Python knows the bytecode
	if exec.Command("cp", "-al", found[0], packages).Run() != nil { // links, where they lie on one disk
		if out, err := exec.Command("cp", "-aT", found[0], packages).CombinedOutput(); err != nil {
			t.Fatal(string(out), err)
		}
	}
	p.Python = filepath.Join(open, "python")
	must(t, os.WriteFile(p.Python, []byte("#!/bin/sh\nPYTHONPATH='"+packages+"' exec /usr/bin/python3 \"$@\"\n"), 0o755))
	p.Give(t, uid)
}

// Give makes all files of the project the user's.
func (p *Project) Give(t testing.TB, uid uint32) {
	t.Helper()
	must(t, filepath.WalkDir(p.Dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, int(uid), -1))
	}))
}

// Of are the files of the project that belong to the user.
func (p *Project) Of(t testing.TB, uid uint32) (found []string) {
	t.Helper()
	must(t, filepath.WalkDir(p.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Sys().(*syscall.Stat_t).Uid == uid {
			found = append(found, path)
		}
		return err
	}))
	return found
}
