//go:build unix

package cli_test

import (
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/ui/cli"
)

// A login that cannot work is refused before anything is looked at or written.
func TestALoginWithoutAPassword(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  []string
		says string
	}{
		"none":  {nil, "needs a password"},
		"empty": {[]string{"KEYSPLIT_PASSWORD="}, "the password is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := elsewhere(t, map[string]string{".env": "SECRET_KEY=x\n"})
			s.env = c.env
			if code, out := s.run("upgrade", "--yes", "--username", "ada"); code != cli.ExitUsage || !strings.Contains(stepstest.OneLine(out), c.says) {
				t.Errorf("exit %d: %s", code, out)
			}
			if text := read(t, s.path(".env")); text != "SECRET_KEY=x\n" {
				t.Errorf("%q", text)
			}
		})
	}
}
