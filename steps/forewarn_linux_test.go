package steps

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"dj/keysplit/steps/journal"
)

// A disk that has room, but not for the backup of a file, is found before the first write.
func TestNoRoomForABackup(t *testing.T) {
	t.Parallel()
	run, top := ground(t, map[string]string{"a.md": strings.Repeat("a line\n", 20000), "b.md": "a line\n"})
	disk := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=64k,mode=0700"); err != nil {
		t.Skipf("SKIPPED: a disk of its own needs root: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	run.Options.State = journal.Folder(disk)
	for name, fits := range map[string]bool{"a.md": false, "b.md": true} {
		if err := run.mayEdit([]Edit{{On: true, File: filepath.Join(top, name)}}); (err == nil) != fits {
			t.Errorf("%s: %v", name, err)
		}
	}
}
