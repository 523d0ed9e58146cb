package preflight

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/stepstest"
)

// astray is a target that does not find its file.
type astrayed struct {
	stepstest.Place
	err error
}

func (a *astrayed) Find(context.Context, *steps.Run) error { return a.err }

// deaf is a Django that does not end.
type deaf struct{ steps.Django }

func (deaf) Close() error { return errors.New("it goes on") }

// What a look cannot find, take up or end, ends it.
func TestWhatEndsALook(t *testing.T) {
	t.Parallel()
	dir := lay(t, tree("SECRET_KEY="+stepstest.Key()+"\n", nil))
	missing := errors.New("no such service")
	if _, _, err := lookStatic(t, dir, func(run *steps.Run) { run.Targets = []steps.Target{&astrayed{err: missing}} }, nil); !errors.Is(err, missing) {
		t.Errorf("a target without its file: %v", err)
	}
	if _, _, err := lookStatic(t, dir, func(run *steps.Run) { run.Options.Static, run.Options.As = false, "nobody-of-that-name" }, nil); err == nil || !strings.Contains(err.Error(), "--as") {
		t.Errorf("an unknown user: %v", err)
	}
	state := stepstest.State(t)
	root := filepath.Join(dir, "backend")
	j, err := state.Open(root, steps.DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	env := filepath.Join(root, ".env")
	if err := j.Begin(envfile.Intent{ID: "0123456789abcdef", Path: env, Target: env, OldSum: "x", NewSum: "y"}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(string(state), "locks"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	run := &steps.Run{Options: steps.Options{State: state}}
	defer run.Close()
	var events stepstest.Events
	if err := openJournal(t.Context(), run, &steps.Project{Root: root, TopLevel: dir}, events.Emit); err == nil || len(events) > 0 {
		t.Errorf("what an earlier run began was not ended: %v, %+v", err, events)
	}
	other := &steps.Run{Options: steps.Options{State: journal.Folder(filepath.Join(env, "state"))}}
	defer other.Close()
	if err := openJournal(t.Context(), other, &steps.Project{Root: root, TopLevel: dir}, events.Emit); err == nil {
		t.Error("no journal")
	}
}

// An edit of the settings that cannot be drawn, and an earlier session that does not end,
// end the adoption, and the offer does not stay.
func TestAnAdoptionThatFails(t *testing.T) {
	t.Parallel()
	project := &steps.Project{Facts: &steps.Facts{Package: "simplejwt"}, Findings: []finding.Finding{finding.New(finding.SettingsNotUpgraded, "fallback")}}
	run := &steps.Run{Found: steps.Found{Project: project, Django: deaf{}}}
	run.Answers.Adopt = true
	if err := (&Step{}).adopt(t.Context(), run, nil); err == nil || len(project.Findings) != 0 || run.Adopted != nil {
		t.Errorf("%v, %s", err, codes(project.Findings))
	}
}

// A change that an earlier run was killed in is said, with what the file is now.
func TestAnInterruptedChangeIsSaid(t *testing.T) {
	t.Parallel()
	run := newRun(t)
	t.Cleanup(run.Close)
	root := t.TempDir()
	env := filepath.Join(root, ".env")
	if err := os.WriteFile(env, []byte("A=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := run.Options.State.Open(root, steps.DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Begin(envfile.Intent{ID: "1", Path: env, Target: env, Temp: ".env.keysplit-1", OldSum: j.Prints().Sum([]byte("A=1\n")), NewSum: j.Prints().Sum([]byte("A=2\n"))}); err != nil {
		t.Fatal(err)
	}
	var events stepstest.Events
	if err := openJournal(t.Context(), run, &steps.Project{Root: root, TopLevel: root}, events.Emit); err != nil {
		t.Fatal(err)
	}
	if len(events) != 1 || events[0].ID != "recover 1" || events[0].Detail.Rendered() != "an earlier run was interrupted here: the file is as it was before" {
		t.Errorf("it says %+v", events)
	}
}

// Where the place is not found, what the settings' text tells is told all the same: that they
// have no key of their own is why nothing sets one.
func TestAPlaceThatIsNotFoundHidesNothing(t *testing.T) {
	t.Parallel()
	missing := errors.New("no such place")
	for settings, code := range map[string]finding.Code{
		"SIMPLE_JWT = {}\n": finding.SettingsNotUpgraded,
		"import os\nSIMPLE_JWT = {'SIGNING_KEY': os.environ['JWT_SECRET_KEY']}\n": "",
	} {
		dir := lay(t, map[string]string{"manage.py": "import django, os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'settings')\n", "settings.py": "INSTALLED_APPS = ['rest_framework_simplejwt']\n" + settings})
		run, _, err := lookStatic(t, dir, func(run *steps.Run) { run.Targets = []steps.Target{&astrayed{err: missing}} }, nil)
		if !errors.Is(err, missing) || finding.Has(run.Project.Findings, finding.SettingsNotUpgraded) != (code != "") {
			t.Errorf("%q: %v, findings %s", settings, err, codes(run.Project.Findings))
		}
	}
}
