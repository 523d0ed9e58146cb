package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/ui/cli"
)

// A disk without room is found before the first write: that of the file, and that of the
// backups. Where there is room for both, the plan works.
func TestADiskThatIsFull(t *testing.T) {
	t.Parallel()
	for name, full := range map[string][]string{"none": nil, "that of the file": {"place"}, "that of the backups": {"state"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := elsewhere(t, nil)
			for _, folder := range []string{"place", "state"} {
				path := filepath.Join(t.TempDir(), folder)
				if err := os.Mkdir(path, 0o700); err != nil {
					t.Fatal(err)
				}
				if err := syscall.Mount("tmpfs", path, "tmpfs", 0, "size=64k,mode=0700"); err != nil {
					t.Skipf("SKIPPED: a disk of its own needs root: %v", err)
				}
				t.Cleanup(func() { _ = syscall.Unmount(path, syscall.MNT_DETACH) })
				if folder == "state" {
					s.state = path
				} else if err := os.Symlink(path, s.path(folder)); err != nil {
					t.Fatal(err)
				}
				text := "SECRET_KEY=x\n"
				if err := os.WriteFile(filepath.Join(path, "shop.env"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				if strings.Join(full, "") == folder {
					_ = os.WriteFile(filepath.Join(path, "all"), make([]byte, 1<<20), 0o600) // as much as there is room for
				}
			}
			args := []string{"upgrade", "--env", "staging", "--target", "dotenv:place/shop.env", "--restart", "none", "--skip", "login"}
			code := cli.ExitOK
			if full != nil {
				code = cli.ExitFinding
			}
			for _, flag := range []string{"--dry-run", "--yes"} {
				got, out := s.run(append(args, flag)...)
				said := stepstest.OneLine(out)
				if (got == cli.ExitOK) != (code == cli.ExitOK) || got == cli.ExitUsage || full != nil && !strings.Contains(said, "disk-full") && !strings.Contains(said, "Make room there, or set KEYSPLIT_STATE_DIR") {
					t.Errorf("%s: exit %d: %s", flag, got, said)
				}
				if key := s.keyIn("place/shop.env"); (key != "") != (full == nil && flag == "--yes") {
					t.Errorf("%s: the file has a key: %t", flag, key != "")
				}
			}
		})
	}
}
