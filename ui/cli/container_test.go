//go:build unix

package cli_test

import (
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// A container, and the guide's "environment variables in hosting platform", set the
// key in the environment and in no file. A good one is kept and proved; a bad one
// is fixed where it is set.
func TestAKeyThatOnlyTheEnvironmentSets(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n"})
	state := filepath.Join(t.TempDir(), "state")
	before, key := read(t, p.EnvPath), djangotest.NewKey()
	do := func(key string, args ...string) ran {
		return invocation{args: append(args, "--python", p.Python), dir: p.Root, env: []string{"JWT_SECRET_KEY=" + key}}.run(t, state)
	}
	if r := do(key, "check"); r.code != 0 || !strings.Contains(r.out, "Ready") {
		t.Errorf("check: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	r := do(key, "upgrade", "--yes", "--skip", "restart,smoke-test")
	if r.code != 0 || !strings.Contains(r.out, "The key that the environment sets is good") || !strings.Contains(r.out, "The backend gets the key from the environment") {
		t.Errorf("upgrade: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	r = do(key[:20], "upgrade", "--yes", "--skip", "restart,smoke-test")
	if r.code != 1 || !strings.Contains(r.out, "JWT_SECRET_KEY in the environment has 20 characters") || !strings.Contains(r.out, "Set a new key where that variable is set") ||
		strings.Contains(r.out, "in the file") || strings.Contains(r.out, "keysplit fixes this") {
		t.Errorf("a short one: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	r = do(key, "upgrade", "--yes", "--rotate", "--skip", "restart,smoke-test")
	if r.code != 1 || !strings.Contains(r.out, "The environment sets JWT_SECRET_KEY") || !strings.Contains(r.out, "Set a new key where that variable is set") {
		t.Errorf("a rotation: exit %d\n%s%s", r.code, r.out, r.errOut)
	}
	if read(t, p.EnvPath) != before {
		t.Error("the .env changed")
	}
}
