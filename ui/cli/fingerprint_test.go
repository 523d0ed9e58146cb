//go:build unix

package cli_test

import (
	"regexp"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// One key has the same fingerprint in every command, project and environment.
func TestOneKeyHasOneFingerprint(t *testing.T) {
	t.Parallel()
	s, key := elsewhere(t, nil), djangotest.NewKey()
	for _, name := range []string{".env.staging", ".env.prod"} {
		s.write(name, "SECRET_KEY="+djangotest.NewKey()+"\nJWT_SECRET_KEY="+key+"\n")
	}
	seen := map[string]int{}
	note := func(what, said string) {
		t.Helper()
		found := regexp.MustCompile(`(?:fingerprint|Key) ([0-9a-f]{6})\b`).FindAllStringSubmatch(stepstest.OneLine(said), -1)
		if len(found) == 0 {
			t.Errorf("%s shows no fingerprint: %s", what, said)
		}
		for _, m := range found {
			seen[m[1]]++
		}
	}
	for _, env := range []string{"staging", "prod"} {
		at := []string{"--env", env, "--target", "dotenv:.env." + env}
		for _, words := range [][]string{{"upgrade", "--yes", "--skip", "restart,login", "--confirm", "prod"}, {"upgrade", "--dry-run"}, {"check"}, {"status"}} {
			_, out := s.run(append(words, at...)...)
			note(words[0]+" of "+env, out)
		}
	}
	if len(seen) != 1 {
		t.Errorf("one key has the fingerprints %v", seen)
	}
}
