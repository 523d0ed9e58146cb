package cli

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A disk without room is found before the first write: that of the file, and that of the
// backups. Where there is room for both, the plan works.
func TestADiskThatIsFull(t *testing.T) {
	for name, full := range map[string][]string{"none": nil, "that of the file": {"place"}, "that of the backups": {"state"}} {
		t.Run(name, func(t *testing.T) {
			root, _ := elsewhere(t, nil)
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
					t.Setenv("KEYSPLIT_STATE_DIR", path)
				} else if err := os.Symlink(path, filepath.Join(root, folder)); err != nil {
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
			code := ExitOK
			if full != nil {
				code = ExitFinding
			}
			for _, flag := range []string{"--dry-run", "--yes"} {
				got, out, errOut := inProcess(t, newUpgrade, append(args, flag))
				said := oneLine(out + errOut)
				if (got == ExitOK) != (code == ExitOK) || got == ExitUsage || full != nil && !strings.Contains(said, "disk-full") && !strings.Contains(said, "Make room there, or set KEYSPLIT_STATE_DIR") {
					t.Errorf("%s: exit %d: %s", flag, got, said)
				}
				if key := keyOf(t, filepath.Join(root, "place", "shop.env")); (key != "") != (full == nil && flag == "--yes") {
					t.Errorf("%s: the file has a key: %t", flag, key != "")
				}
			}
		})
	}
}
