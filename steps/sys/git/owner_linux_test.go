package git

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Root is told what git knows of the repository of another user, which git as root does
// not say.
func TestRootAsksAsTheOwnerOfTheFolder(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil || os.Geteuid() != 0 {
		t.Skip("SKIPPED: this needs root and git")
	}
	dir := t.TempDir()
	for d := dir; d != os.TempDir(); d = filepath.Dir(d) { // the test's own folders are closed to others
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, ".env"), []byte("KEY=one\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"git", "init", "-q"}, {"git", "add", ".env"}, {"chown", "-R", "65534:65534", "."}} {
		c := exec.Command(args[0], args[1:]...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			t.Skip("SKIPPED: no folder of another user can be made: ", string(out))
		}
	}
	if res, ok := Ask(t.Context(), dir, nil, 100, "ls-files"); !ok || res.Code != 0 || string(res.Stdout) != ".env\n" {
		t.Errorf("%v, %d, %q, %s", ok, res.Code, res.Stdout, res.Stderr)
	}
}
