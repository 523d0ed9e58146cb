package file

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadSmall(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, []byte(strings.Repeat("x", MaxRead+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSmall(big); err == nil {
		t.Error("a file over the limit was read")
	}
	if err := os.Truncate(big, MaxRead); err != nil {
		t.Fatal(err)
	}
	if data, err := ReadSmall(big); err != nil || len(data) != MaxRead {
		t.Errorf("a file at the limit: %d bytes, %v", len(data), err)
	}
	if _, err := ReadSmall(dir); err == nil {
		t.Error("a folder was read")
	}
}

// Where a path of a file that systems share leads, on Windows too.
func TestFrom(t *testing.T) {
	folder := t.TempDir()
	drive := filepath.VolumeName(folder)
	for path, want := range map[string]string{
		"a/.env":                 filepath.Join(folder, "a", ".env"),
		"../.env":                filepath.Join(filepath.Dir(folder), ".env"),
		"/etc/shop.env":          drive + "/etc/shop.env",
		folder:                   folder,
		filepath.ToSlash(folder): filepath.ToSlash(folder),
	} {
		if got := From(folder, path); got != want {
			t.Errorf("%s leads to %s, want %s", path, got, want)
		}
	}
}

func TestWithin(t *testing.T) {
	top := filepath.Join(t.TempDir(), "top")
	for path, want := range map[string]bool{top: true, filepath.Join(top, "a", "b"): true, filepath.Join(top, "..x"): true,
		filepath.Dir(top): false, top + "x": false, filepath.Join(top, "..", "other"): false} {
		if Within(top, path) != want {
			t.Errorf("%s is in %s: %t, want %t", path, top, !want, want)
		}
	}
}

func TestResolved(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Skip(err)
	}
	if got, want := Resolved(filepath.Join(link, "a", "b")), filepath.Join(dir, "a", "b"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Signs of a pattern in a folder's own name are a part of its name.
func TestGlob(t *testing.T) {
	top := filepath.Join(t.TempDir(), "[a-c] {x}")
	if err := os.MkdirAll(filepath.Join(top, "requirements"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"requirements/base.txt", "requirements.txt", "setup.py"} {
		if err := os.WriteFile(filepath.Join(top, filepath.FromSlash(name)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for pattern, want := range map[string]int{"requirements*.txt": 1, "requirements/*.txt": 1, "*": 3, "setup.py": 1, "Pipfile": 0, "gone/*": 0} {
		if got := Glob(top, pattern); len(got) != want || want > 0 && !Within(top, got[0]) {
			t.Errorf("%s: %q", pattern, got)
		}
	}
	if got := Glob(filepath.Join(top, "gone"), "*"); len(got) != 0 {
		t.Errorf("a folder that is not there: %q", got)
	}
}
