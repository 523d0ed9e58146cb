//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A login that cannot work is refused before anything is looked at or written.
func TestALoginWithoutAPassword(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{"manage.py": "", ".env": "SECRET_KEY=x\n"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("KEYSPLIT_STATE_DIR", filepath.Join(t.TempDir(), "state"))
	for name, c := range map[string]struct {
		set  bool
		says string
	}{
		"none":  {false, "needs a password"},
		"empty": {true, "the password is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KEYSPLIT_PASSWORD", "") // restored at the end
			if !c.set {
				_ = os.Unsetenv("KEYSPLIT_PASSWORD")
			}
			code, out, errOut := inProcess(t, newUpgrade, []string{"upgrade", "--yes", "--username", "ada", "--project", root})
			if code != ExitUsage || !strings.Contains(oneLine(out+errOut), c.says) {
				t.Errorf("exit %d: %s%s", code, out, errOut)
			}
			if data, err := os.ReadFile(filepath.Join(root, ".env")); err != nil || string(data) != "SECRET_KEY=x\n" {
				t.Errorf("%q, %v", data, err)
			}
		})
	}
}
