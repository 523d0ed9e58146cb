package grace

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/canary"
)

// A previous key that one of the file's readers could not be given as it was has no
// period: nothing is planned.
func TestAKeyThatCannotBeWrittenHasNoPeriod(t *testing.T) {
	t.Parallel()
	run, _ := rotated(t, canary.New()+"'\"`\\$x #", envfile.Decouple, envfile.Shell, envfile.Compose)
	if g, err := Plan(t.Context(), run, time.Hour, false, time.Now()); err == nil || !strings.Contains(err.Error(), "edit .env: ") {
		t.Errorf("planned: %t, %v", g != nil, err)
	}
	// One that only a reader of other files could not be given has one.
	run, _ = rotated(t, canary.New()+"'\"`\\$x #", envfile.Decouple)
	if _, err := Plan(t.Context(), run, time.Hour, false, time.Now()); err != nil {
		t.Error(err)
	}
}

// Where another's module is in the way, no edit of the settings is offered that would
// load it.
func TestNothingIsOfferedBesideAnothersModule(t *testing.T) {
	t.Parallel()
	run, _, module, _ := lacking(t, "A = 1\n")
	if err := os.WriteFile(module, []byte("# another's\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := offer(t.Context(), run, nil, nil); code(err) != finding.GraceModuleNotOurs {
		t.Errorf("%v", err)
	}
}

// The lines come into the settings only where that is safe, and a run that only looks
// writes nothing.
func TestTheLinesComeIntoTheSettings(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("SKIPPED, NOT TESTED: this machine has no python3")
	}
	const text = "import os\nSECRET_KEY = os.environ['SECRET_KEY']\nINSTALLED_APPS = [\n    'a',\n]\n"
	for name, c := range map[string]struct {
		spoil func(run *steps.Run, settings string) error
		wrote bool
		says  string // of the error, "" for none
	}{
		"as they should": {func(*steps.Run, string) error { return nil }, true, ""},
		"only a look":    {func(run *steps.Run, _ string) error { run.Options.ReadOnly = true; return nil }, false, ""},
		"they are elsewhere": {func(_ *steps.Run, settings string) error {
			other := filepath.Join(filepath.Dir(filepath.Dir(settings)), "shared.py")
			return errors.Join(os.Rename(settings, other), os.Symlink(other, settings))
		}, false, "the file is outside of the project"},
		"no journal":     {func(run *steps.Run, _ string) error { return os.RemoveAll(run.Journal.Dir()) }, false, "no such file"},
		"no Python":      {func(run *steps.Run, _ string) error { run.Project.Python += "-gone"; return nil }, false, "look for the place"},
		"with two names": {func(_ *steps.Run, settings string) error { return os.Link(settings, settings+".other") }, false, "s.py"},
	} {
		run, settings, _, _ := lacking(t, text)
		run.Project.Python = python
		if err := c.spoil(run, settings); err != nil {
			t.Fatal(err)
		}
		before, err := os.ReadFile(settings)
		if err != nil {
			t.Fatal(err)
		}
		code, err := Look(run)
		if err != nil {
			t.Fatal(err)
		}
		file, err := code.Adopt(t.Context(), run)
		if (err != nil) != (c.says != "") || c.says != "" && !strings.Contains(err.Error(), c.says) || (file == settings) != (err == nil) {
			t.Errorf("%s: %q, %v", name, file, err)
		}
		after, err := os.ReadFile(settings)
		if wrote := string(after) != string(before); err != nil || wrote != c.wrote || wrote && !strings.Contains(string(after), steps.GraceApp) {
			t.Errorf("%s: %v, %s", name, err, after)
		}
	}
}
