package envfile

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// An access list that cannot be read is no empty one: the file's owner would lose it.
func TestAnAccessListThatCannotBeRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), ".env")
	put(t, path, []byte("A=b\n"))
	fd, err := unix.Open(path, unix.O_PATH, 0) // it can be asked for its mode, and not for attributes
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	if _, err := f.Stat(); err != nil {
		t.Fatal("the control:", err)
	}
	if m, err := metaOf(f); err == nil {
		t.Errorf("it was taken for %+v", m)
	}
}

// A new version that cannot be read back is not put in the place of the old one.
func TestANewVersionThatCannotBeReadBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, ".env")
	put(t, path, []byte("A=b\n"))
	at, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	temp, err := os.OpenFile(filepath.Join(dir, "new"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer temp.Close()
	r := &replacement{snap: at, data: []byte("A=c\n"), temp: temp, intent: Intent{Temp: filepath.Base(temp.Name()), Target: path}}
	if err := r.rename(); err == nil {
		t.Error("it was renamed")
	}
	if now, err := os.ReadFile(path); err != nil || string(now) != "A=b\n" {
		t.Errorf("the file holds %q, %v", now, err)
	}
}
