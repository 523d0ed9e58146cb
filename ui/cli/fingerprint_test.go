//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"dj/keysplit/steps/stepstest/djangotest"
)

// One key has the same fingerprint in every command, project and environment.
func TestOneKeyHasOneFingerprint(t *testing.T) {
	root, _ := staticProject(t)
	t.Chdir(root)
	key := djangotest.NewKey()
	write := func(name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(root, name), []byte("SECRET_KEY="+djangotest.NewKey()+"\nJWT_SECRET_KEY="+key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(".env.staging")
	write(".env.prod")
	seen := map[string]int{}
	note := func(what, said string) {
		t.Helper()
		found := regexp.MustCompile(`(?:fingerprint|Key) ([0-9a-f]{6})\b`).FindAllStringSubmatch(oneLine(said), -1)
		if len(found) == 0 {
			t.Errorf("%s shows no fingerprint: %s", what, said)
		}
		for _, m := range found {
			seen[m[1]]++
		}
	}
	for _, env := range []string{"staging", "prod"} {
		at := []string{"--env", env, "--target", "dotenv:.env." + env}
		_, out, errOut := inProcess(t, newUpgrade, append([]string{"upgrade", "--yes", "--skip", "restart,login", "--confirm", "prod"}, at...))
		note("upgrade of "+env, out+errOut)
		_, out, errOut = inProcess(t, newUpgrade, append([]string{"upgrade", "--dry-run"}, at...))
		note("a dry run of "+env, out+errOut)
		_, out, errOut = inProcess(t, newCheck, append([]string{"check"}, at...))
		note("check of "+env, out+errOut)
		_, out, errOut = inProcess(t, newStatus, append([]string{"status"}, at...))
		note("status of "+env, out+errOut)
	}
	if len(seen) != 1 {
		t.Errorf("one key has the fingerprints %v", seen)
	}
}
