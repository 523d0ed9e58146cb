//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest/djangotest"
)

// --yes alone does not write to a file that the backend does not read.
func TestAnEnvFileThatIsNotReadIsNotWrittenByYesAlone(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Env: rest})
	other := filepath.Join(p.Root, "other.env")
	const was = "DEBUG=True\n"
	if err := os.WriteFile(other, []byte(was), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"upgrade", "--yes", "--env-file", "other.env", "--skip", "restart,login", "--python", p.Python}
	state := t.TempDir()
	r := invocation{args: args, dir: p.Root}.run(t, state)
	if now, err := os.ReadFile(other); err != nil || string(now) != was || r.code != 2 || !strings.Contains(r.errOut, "the backend does not read other.env: --yes alone does not change it, add --confirm other.env; nothing was written") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	r = invocation{args: append(args, "--confirm", "other.env"), dir: p.Root}.run(t, state)
	if now, err := os.ReadFile(other); err != nil || !strings.Contains(string(now), "JWT_SECRET_KEY=") {
		t.Errorf("with a yes: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
}
