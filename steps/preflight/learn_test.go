//go:build unix

package preflight

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// What settings say that do not load may hold a secret that no file has: the
// environment alone. The interpreter of this test says one and ends.
func TestASecretOfTheEnvironmentIsNotShown(t *testing.T) {
	value := stepstest.Key()[:30]
	t.Setenv("BROKER_PASSWORD", value)
	root := lay(t, tree("A=1\n", nil))
	python := filepath.Join(root, "python")
	if err := stepstest.WriteProgram(python, "#!/bin/sh\necho \"broken by $BROKER_PASSWORD at the end\" >&2\nexit 3\n"); err != nil {
		t.Fatal(err)
	}
	run := newRun(t)
	run.Options.Folder, run.Options.Python = root, python
	defer run.Close()
	var events stepstest.Events
	err := (&Step{}).Apply(t.Context(), run, events.Emit)
	var failure *steps.Failure
	if !errors.As(err, &failure) || !strings.Contains(failure.Findings[0].Message.Rendered(), "broken by **** at the end") || strings.Contains(err.Error(), value) {
		t.Errorf("error %v", err)
	}
}

// Nor is one of the file that --env-file names, wherever it lies and whatever it is called.
func TestASecretOfANamedFileIsNotShown(t *testing.T) {
	t.Parallel()
	value := stepstest.Key()[:30]
	root, other := lay(t, tree("A=1\n", nil)), lay(t, map[string]string{"vars.txt": "BROKER_PASSWORD=" + value + "\n"})
	run := newRun(t)
	run.Project = &steps.Project{Root: root, TopLevel: root, EnvFile: steps.EnvFile{Path: filepath.Join(other, "vars.txt")}}
	learn(run, run.Project, nil)
	if shown := run.Redactor.Show(secret.Said("broken by " + value)); strings.Contains(shown, value[:8]) {
		t.Error("the secret is shown")
	}
}
