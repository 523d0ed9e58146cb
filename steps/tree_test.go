package steps

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A file of the work tree is opened by the tree's own name and by the one without links,
// and by no other way.
func TestAFileOfTheTreeIsOpenedByBothNames(t *testing.T) {
	t.Parallel()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	real, link, outside := filepath.Join(top, "real"), filepath.Join(top, "link"), filepath.Join(top, "x.py")
	if err := errors.Join(os.Mkdir(real, 0o700), os.Symlink(real, link), os.WriteFile(filepath.Join(real, "a.py"), []byte("A = 1\n"), 0o600), os.WriteFile(outside, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for _, named := range []string{real, link} {
		run := &Run{Found: Found{Project: &Project{Root: named, TopLevel: named}}}
		for path, opens := range map[string]bool{filepath.Join(named, "a.py"): true, filepath.Join(real, "a.py"): true, outside: false, named + "/../x.py": false} {
			at, err := run.OpenInTree(path)
			if (err == nil) != opens || opens && at.Path != filepath.Join(real, "a.py") {
				t.Errorf("%s of %s: %v", path, named, err)
			}
		}
	}
}
