package vendor

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"dj/keysplit/steps"
)

// A compose file is named from the project's folder, or else from the top of the work tree.
func TestWhereAComposeFileIs(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	run := &steps.Run{Found: steps.Found{Project: &steps.Project{Root: filepath.Join(top, "backend"), TopLevel: top}}}
	for _, path := range []string{filepath.Join(top, "compose.yml"), filepath.Join(top, "backend", "compose.yml")} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := (compose{file: "compose.yml"}).Described(run); got != path {
			t.Errorf("%s, want %s", got, path)
		}
	}
}

// A folder that a link leads to contains what lies in it.
func TestWhatAFolderContains(t *testing.T) {
	t.Parallel()
	top, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(top, "link")
	if err := errors.Join(os.Mkdir(filepath.Join(top, "backend"), 0o700), os.Symlink("backend", link)); err != nil {
		t.Skipf("SKIPPED: %v", err)
	}
	if path := filepath.Join(top, "backend", "app"); !contains(link, path) || contains(link, top) {
		t.Errorf("%s and %s", link, path)
	}
}
