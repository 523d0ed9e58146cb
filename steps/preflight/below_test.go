package preflight

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// What lies below is listed nearest first, and no more than asked for; a folder in a
// project is its own.
func TestProjectsBelow(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	for _, dir := range []string{"b/deep", "a", "a/inner", "c/d/e", "c/d/e/f/g", "flask"} {
		manage := "import django\n"
		if dir == "flask" {
			manage = "import flask\n"
		}
		if err := os.MkdirAll(filepath.Join(top, dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(top, dir, "manage.py"), []byte(manage), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for most, want := range map[int][]string{1: {"a"}, 9: {"a", "b/deep", "c/d/e"}} {
		var got []string
		for _, dir := range Below(top, most) {
			rel, _ := filepath.Rel(top, dir)
			got = append(got, filepath.ToSlash(rel))
		}
		if !slices.Equal(got, want) {
			t.Errorf("at most %d: %v, want %v", most, got, want)
		}
	}
}
