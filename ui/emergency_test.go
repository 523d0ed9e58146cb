package ui

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
)

// The emergency plan is about the user's own commit, and says so once it is found.
func TestTheEmergencyPlanIsAboutTheProjectsCommit(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir) // git is typed there
	settings := filepath.Join(dir, "settings.py")
	git := func(args ...string) string {
		t.Helper()
		c := exec.Command("git", args...)
		c.Dir = dir
		c.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b", "GIT_CONFIG_GLOBAL="+os.DevNull)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Skipf("NOT TESTED: git: %v: %s", err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q")
	for _, text := range []string{"SECRET_KEY = 'x'\n", "SECRET_KEY = 'x'\nJWT_SECRET_KEY = config('JWT_SECRET_KEY')\n"} {
		if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		git("add", ".")
		git("commit", "-q", "-m", "change")
	}
	st := newStage(t, plainLight)
	look := st.fakes[steps.Preflight].apply
	st.fakes[steps.Preflight].apply = func(ctx context.Context, r *steps.Run, emit steps.Emit) error {
		err := look(ctx, r, emit)
		r.Project.Root, r.Project.TopLevel, r.Project.SettingsFile = dir, dir, settings
		return err
	}
	st.open().hold = true
	if v := st.press("b").w.View(); !strings.Contains(v, "Looking for the change's commit.") {
		t.Errorf("before it is found:\n%s", v)
	}
	st.release()
	commit, plan := git("rev-parse", "--short", "HEAD"), ""
	for range 60 {
		plan += st.w.View()
		st.press("down")
	}
	if !strings.Contains(plan, commit) {
		t.Errorf("the plan does not name %s:\n%s", commit, st.w.View())
	}
	if st.press("c"); len(st.copied) != 1 || !strings.HasPrefix(st.copied[0], "git revert --no-commit "+commit+" && ") {
		t.Errorf("copied %q", st.copied)
	}
}
