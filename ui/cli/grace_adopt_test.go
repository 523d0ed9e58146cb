//go:build unix

package cli_test

import (
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// The lines of a grace period go into the settings on request, the backend starts with
// them, and a rollback takes them out.
func TestGraceAddsTheLinesToTheSettings(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	state := filepath.Join(t.TempDir(), "state")
	do := func(args ...string) prepared {
		t.Helper()
		r := (invocation{args: append(args, "--python", p.Python), dir: p.Root}).run(t, state)
		return prepared{r.code, r.out + r.errOut}
	}
	before := read(t, p.Settings)
	for _, wrong := range [][]string{{"grace", "--adopt"}, {"grace", "--prepare", "--adopt", "--env", "staging"}} {
		if r := do(wrong...); r.code != 2 || read(t, p.Settings) != before {
			t.Errorf("%v: exit %d\n%s", wrong, r.code, r.said)
		}
	}
	if r := do("grace", "--prepare", "--adopt", "--dry-run"); r.code != 0 || read(t, p.Settings) != before || !strings.Contains(r.said, "Would add the three lines to") || strings.Contains(r.said, "Add these lines") {
		t.Errorf("a dry run: exit %d\n%s", r.code, r.said)
	}
	r := do("grace", "--prepare", "--adopt")
	after := read(t, p.Settings)
	if r.code != 0 || !strings.Contains(r.said, "add the three lines to") || strings.Contains(r.said, "Add these lines") ||
		strings.Count(after, "\n") != strings.Count(before, "\n")+3 || !strings.Contains(after, "INSTALLED_APPS += ['jwt_grace.GraceConfig']\n") {
		t.Fatalf("exit %d\n%s\n%s", r.code, r.said, after)
	}
	if out, err := p.Manage(t, nil, "check"); err != nil {
		t.Errorf("%s", out)
	}
	if r := do("grace", "--prepare", "--adopt"); r.code != 0 || read(t, p.Settings) != after {
		t.Errorf("again: exit %d\n%s", r.code, r.said)
	}
	if r := do("rollback", "--yes", "--restart", "none"); r.code != 0 || read(t, p.Settings) != before {
		t.Errorf("rollback: exit %d\n%s", r.code, r.said)
	}
}

type prepared struct {
	code int
	said string
}
