package write

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// A file that git tracks gets no key, by whichever target; in development it does
// after a yes, and the plan names it.
func TestATrackedFileGetsNoSecret(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("SKIPPED: git is not installed")
	}
	const before = "SECRET_KEY=x\n"
	for name, c := range map[string]struct {
		spec, path, environment string
		track, yes, refused     bool
	}{
		"its own":               {"dotenv", ".env", "", true, false, true},
		"with a yes":            {"dotenv", ".env", "", true, true, false},
		"not tracked":           {"dotenv", ".env", "", false, false, false},
		"another file":          {"dotenv:web.env", "web.env", "", true, false, true},
		"by compose":            {"compose:compose.yml#web", "web.env", "", true, false, true},
		"elsewhere":             {"dotenv:web.env", "web.env", "staging", true, false, true},
		"elsewhere, with a yes": {"dotenv:web.env", "web.env", "staging", true, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			run := withKey(stepstest.NewRun(t, before, nil))
			root := run.Project.Root
			for file, text := range map[string]string{"web.env": before, "compose.yml": "services:\n  web:\n    env_file: web.env\n"} {
				if err := os.WriteFile(filepath.Join(root, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			git := func(args ...string) {
				cmd := exec.Command("git", args...)
				cmd.Dir = root
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			}
			git("init", "-q")
			if c.track {
				git("add", "-f", c.path)
			}
			run.Options.Environment, run.Options.Static = c.environment, true
			if c.yes {
				run.Options.TrackedEnv = "keysplit.toml:1"
			}
			var err error
			if run.Targets, err = Targets([]string{c.spec}); err != nil {
				t.Fatal(err)
			}
			plan, err := (&Step{}).Plan(context.Background(), run)
			var failure *steps.Failure
			if refused := errors.As(err, &failure) && failure.Findings[0].Code == "env-file-tracked-by-git"; refused != c.refused || !refused && err != nil {
				t.Fatalf("%+v, %v", plan, err)
			}
			if named := strings.Contains(stepstest.Rendered(plan.Effects, " "), "keysplit.toml:1"); named != (c.yes && !c.refused) {
				t.Errorf("effects %q", stepstest.Rendered(plan.Effects, " "))
			}
			if data, err := os.ReadFile(filepath.Join(root, c.path)); err != nil || string(data) != before {
				t.Errorf("%q, %v", data, err)
			}
		})
	}
}

// A folder that is not there is called that, by its full path.
func TestAMissingFolderIsCalledOne(t *testing.T) {
	t.Parallel()
	run := withKey(stepstest.NewRun(t, "SECRET_KEY=x\n", nil))
	var err error
	if run.Targets, err = Targets([]string{"dotenv:no/such/.env"}); err != nil {
		t.Fatal(err)
	}
	want := "There is no folder " + filepath.Join(run.Project.Root, "no", "such") + ","
	_, planErr := (&Step{}).Plan(context.Background(), run)
	_, lookErr := run.Targets[0].Look(context.Background(), run)
	for _, err := range []error{planErr, lookErr} {
		var failure *steps.Failure
		if !errors.As(err, &failure) || failure.Findings[0].Code != "place-not-found" || !strings.HasPrefix(failure.Findings[0].Message.Rendered(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
