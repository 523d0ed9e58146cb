package preflight

import (
	"os/exec"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// That git tracks the .env is an error where an upgrade would write to it, and a
// warning where the file is as it should be.
func TestATrackedFileIsAnErrorWhenItIsToBeWritten(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: git is not installed")
	}
	good := "SECRET_KEY=" + stepstest.Key() + "\nJWT_SECRET_KEY=" + stepstest.Key() + "\n"
	for name, c := range map[string]struct {
		env  string
		set  func(*steps.Run)
		want finding.Severity
	}{
		"a good key":             {good, nil, finding.Warning},
		"a good key, to rotate":  {good, func(r *steps.Run) { r.Answers.Rotate = true }, finding.Error},
		"a good key, to import":  {good, func(r *steps.Run) { r.Answers.Import = r.Secret(stepstest.Key()) }, finding.Error},
		"no key":                 {"SECRET_KEY=" + stepstest.Key() + "\n", nil, finding.Error},
		"no key, on purpose":     {"SECRET_KEY=" + stepstest.Key() + "\n", func(r *steps.Run) { r.Options.TrackedEnv = "keysplit.toml:1" }, finding.Info},
		"a good key, on purpose": {good, func(r *steps.Run) { r.Options.TrackedEnv = "keysplit.toml:1" }, finding.Info},
	} {
		t.Run(name, func(t *testing.T) {
			dir := lay(t, tree(c.env, map[string]string{".git/HEAD": "-", ".gitignore": "x\n"}))
			for _, args := range [][]string{{"init", "-q"}, {"add", "-f", "backend/.env"}} {
				cmd := exec.Command("git", args...)
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
			run := &steps.Run{Prints: secret.NewFingerprinter(nil)}
			run.Options = steps.Options{Folder: dir, Static: true, ReadOnly: true}
			if c.set != nil {
				c.set(run)
			}
			if err := (&Step{}).Apply(t.Context(), run, func(steps.Event) {}); err != nil {
				t.Fatal(err)
			}
			for _, f := range run.Project.Findings {
				if f.Code == "env-file-tracked-by-git" {
					if f.Severity != c.want || f.Fixable {
						t.Errorf("%+v", f)
					}
					return
				}
			}
			t.Errorf("it is not found: %v", codes(run.Project.Findings))
		})
	}
}
