package steps

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"dj/keysplit/steps/sys/child"
)

// What systemd reads as root for a unit is handed to the project's code, which cannot read
// it; what that user can read, and what the environment sets, is not.
func TestTheFilesOfAUnitAreHandedIn(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("SKIPPED, NOT TESTED: only root runs code as another user")
	}
	dir := t.TempDir()
	hidden, open := filepath.Join(dir, "hidden.env"), filepath.Join(dir, "open.env")
	if err := errors.Join(os.WriteFile(hidden, []byte("A=hidden\nB=\"two words\"\nC=1\n"), 0o600), os.WriteFile(open, []byte("D=open\n"), 0o644), os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	run := &Run{Environ: func(name string) (string, bool) { return "set", name == "C" }}
	p := &Project{User: &child.Account{UID: 54321, GID: 54321}, UnitFiles: []string{hidden, open, filepath.Join(dir, "gone.env")}}
	if got := run.HandedIn(p); len(got) != 2 || got["A"] != "hidden" || got["B"] != "two words" {
		t.Errorf("%v", got)
	}
	p.User = nil
	if got := run.HandedIn(p); len(got) != 0 {
		t.Errorf("to its own user: %v", got)
	}
}
