package envfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// mounted makes the target a mount of its own, as a container does with a single file.
func mounted(t *testing.T, old []byte) place {
	t.Helper()
	p := newPlace(t, old)
	source := filepath.Join(filepath.Dir(p.house), "source")
	put(t, source, old)
	if err := unix.Mount(source, p.target, "", unix.MS_BIND, ""); err != nil {
		missingTool(t, "may not mount", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(p.target, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return p
}

func TestReplaceMountedFile(t *testing.T) {
	for name, data := range map[string]string{"longer": "A=2\nB=3\nC=4\n", "shorter": "A\n", "empty": ""} {
		t.Run(name, func(t *testing.T) {
			p := mounted(t, []byte("A=1\nB=2\n"))
			out, err := p.replace(t, []byte(data))
			if err != nil || out != (Outcome{State: Replaced, InPlace: true}) {
				t.Fatalf("%+v, %v", out, err)
			}
			p.holds(t, []byte(data))
			p.clean(t)
			in := p.only(t)
			if kept, err := p.ledger.Kept(in.StagedID); err != nil || string(kept) != data || !in.InPlace {
				t.Errorf("the new version was not staged: %v", err)
			}
			if out, err := Revert(context.Background(), in, p.ledger, p.opts, false); err != nil || !out.InPlace {
				t.Errorf("revert: %+v, %v", out, err)
			}
			p.holds(t, []byte("A=1\nB=2\n"))
			p.clean(t)
		})
	}
}

func TestReadOnlyFileSystem(t *testing.T) {
	p := newPlace(t, []byte("A=1\n"))
	if err := unix.Mount(p.house, p.house, "", unix.MS_BIND, ""); err != nil {
		missingTool(t, "may not mount", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(p.house, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	if err := unix.Mount("", p.house, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		missingTool(t, "may not mount", err)
	}
	_, err := p.replace(t, []byte("A=2\n"))
	refusedWith(t, err, ReasonReadOnlySystem)
	p.clean(t)
}

// TestOverwriteFailsCleanly stops the way for mounted files at each of its steps.
func TestOverwriteFailsCleanly(t *testing.T) {
	broken := errors.New("injected")
	for _, name := range []string{
		"remove the temporary file of", "keep the new version of", "note the overwriting of", "open", "compare", "overwrite",
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, []byte("A=1\n"))
			busy := false
			p.opts.before = func(step string) error {
				switch {
				case step == renameStep:
					busy = true
					return unix.EBUSY
				case busy && step == name:
					return broken
				}
				return nil
			}
			out, err := p.replace(t, []byte("A=2\n"))
			if !errors.Is(err, broken) || out.State != Unchanged {
				t.Errorf("%+v, %v", out, err)
			}
			p.holds(t, []byte("A=1\n"))
			p.clean(t)
		})
	}
}

func TestOverwriteKeepsTheEditors(t *testing.T) {
	t.Attr("part", "writers and editors at once")
	p := newPlace(t, []byte("A=1\n"))
	p.opts.before = func(step string) error {
		switch step {
		case renameStep:
			return unix.EXDEV
		case "open":
			put(t, p.target, []byte("A=editor\n"))
		}
		return nil
	}
	_, err := p.replace(t, []byte("A=2\n"))
	refusedWith(t, err, ReasonChanged)
	p.holds(t, []byte("A=editor\n"))
	p.clean(t)
}

// When neither version can be written the outcome is Damaged, the intent stays open, and Recover repairs.
func TestOverwriteDamaged(t *testing.T) {
	p := newPlace(t, []byte("AAAA=1\n"))
	healthy := p.opts
	p.opts.before = func(step string) error {
		switch step {
		case renameStep:
			return unix.EBUSY
		case "overwrite":
			put(t, p.target, []byte("BBAA=1\n"))
			return unix.EIO
		case "restore":
			return unix.EIO
		}
		return nil
	}
	out, err := p.replace(t, []byte("BBBB=2\n"))
	if err == nil || out != (Outcome{State: Damaged, InPlace: true}) {
		t.Fatalf("%+v, %v", out, err)
	}
	p.opts = healthy
	if err := recoverAll(p); err != nil {
		t.Fatal(err)
	}
	p.holds(t, []byte("AAAA=1\n"))
}

// What the disk took is read back: a file that takes every byte and returns others is found.
func TestOverwriteReadsBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	put(t, path, []byte("A=1\n"))
	f, err := os.OpenFile(path, os.O_WRONLY, 0) // it can be written, cut and synced, and not read
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := overwriteAll(f, []byte("A=22\n")); err == nil {
		t.Error("nothing was read back, and that is no error")
	}
	g, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if err := overwriteAll(g, []byte("A=3\n")); err != nil {
		t.Error(err)
	}
}
