package generate

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/stepstest"
)

// What is refused is refused by the plan already: nobody is asked for a yes to it.
func TestThePlanRefusesWhatTheStepWould(t *testing.T) {
	t.Parallel()
	secret := stepstest.Key()
	for name, c := range map[string]struct {
		answers steps.Answers
		code    finding.Code
	}{
		"a key beside that of a rotation": {steps.Answers{Rotate: true, Grace: true}, finding.UpgradeUnfinished},
		"the end of one in its middle":    {steps.Answers{EndGrace: true}, finding.UpgradeUnfinished},
		"a rotation of another kind":      {steps.Answers{Rotate: true}, finding.UpgradeUnfinished},
	} {
		run := inStages(t, "SECRET_KEY="+secret+"\nJWT_SECRET_KEY="+stepstest.Key()+"\n")
		begun(t, run, stepstest.Key())
		run.Answers = c.answers
		_, err := (&Step{}).Plan(t.Context(), run)
		var failure *steps.Failure
		if !errors.As(err, &failure) || !finding.Has(failure.Findings, c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Both stages ask first whether the backend would accept two keys; the end of a grace
// period does not need that.
func TestAStageNeedsABackendThatIsReady(t *testing.T) {
	t.Parallel()
	notReady := errors.New("the settings do not load the module")
	for name, c := range map[string]struct {
		prepare func(t *testing.T, run *steps.Run)
		asked   bool
		summary string
		begins  bool // it asks for a yes to that
	}{
		"the first stage": {func(*testing.T, *steps.Run) {}, true, "First stage", true},
		"the first stage goes on": {func(t *testing.T, run *steps.Run) {
			if _, err := apply(t, run); err != nil {
				t.Fatal(err)
			}
		}, true, "First stage", false},
		"the second stage": {func(t *testing.T, run *steps.Run) {
			if _, err := apply(t, run); err != nil {
				t.Fatal(err)
			}
			r, _, err := run.Journal.Rotation()
			if err = errors.Join(err, run.Journal.SetAccepted(r)); err != nil {
				t.Fatal(err)
			}
		}, true, "Second stage", false},
		"the end": {func(_ *testing.T, run *steps.Run) { run.Answers = steps.Answers{EndGrace: true} }, false, "end the grace period", false},
	} {
		run := inStages(t, "SECRET_KEY="+stepstest.Key()+"\nJWT_SECRET_KEY="+stepstest.Key()+"\n")
		c.prepare(t, run)
		for _, says := range []error{notReady, nil} {
			asked := false
			s := &Step{Ready: func(context.Context, *steps.Run) error { asked = true; return says }}
			plan, err := s.Plan(t.Context(), run)
			if asked != c.asked || c.asked && !errors.Is(err, says) {
				t.Errorf("%s: asked %t, %v", name, asked, err)
			}
			if err == nil && (!strings.Contains(plan.Summary.Rendered(), c.summary) || plan.Question.Empty() == c.begins) {
				t.Errorf("%s: %q, %q", name, plan.Summary.Rendered(), plan.Question.Rendered())
			}
		}
	}
}

// What a later run does for a rotation belongs to the run that began it, so that a
// rollback undoes the whole. A look changes nothing.
func TestALaterRunIsAPartOfTheRotation(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "SECRET_KEY="+stepstest.Key()+"\nJWT_SECRET_KEY="+stepstest.Key()+"\n", nil)
	run.Answers.Rotate, run.Answers.Grace = true, true
	if _, err := apply(t, run); err != nil {
		t.Fatal(err)
	}
	entries := run.Journal.Entries()
	began := entries[slices.IndexFunc(entries, func(e journal.Entry) bool { return e.Kind == journal.KindRotating })].Run
	for _, look := range []bool{true, false} {
		j, err := run.Options.State.Open(run.Project.Root, "development")
		if err != nil {
			t.Fatal(err)
		}
		run.Journal, run.Options.ReadOnly = j, look
		if _, err := apply(t, run); err != nil {
			t.Fatal(err)
		}
		at, err := envfile.Open(filepath.Join(run.Project.Root, "other.env"))
		if err == nil {
			_, err = j.Replace(t.Context(), at, []byte(fmt.Sprintf("LOOK=%t\n", look)))
		}
		if err != nil {
			t.Fatal(err)
		}
		if is := slices.ContainsFunc(j.Upgrades(), func(u journal.Upgrade) bool { return u.Run == began }); is == look {
			t.Errorf("only a look %t: what it does belongs to the rotation: %t", look, is)
		}
	}
}

// A key that somebody gives is shown nowhere from then on.
func TestAKeyThatIsGivenIsHidden(t *testing.T) {
	t.Parallel()
	key := stepstest.Key()
	for _, staged := range []bool{false, true} {
		run := stepstest.NewRun(t, "SECRET_KEY="+stepstest.Key()+"\nJWT_SECRET_KEY="+stepstest.Key()+"\n", nil)
		run.Answers.Import, run.Answers.Rotate, run.Answers.Grace, run.Options.ReadOnly = run.Prints.Secret(key), staged, staged, staged
		if _, err := apply(t, run); err != nil || !run.Key.Equal(run.Answers.Import) && !run.Second.Equal(run.Answers.Import) {
			t.Fatal(run.KeyFrom, err)
		}
		if shown := run.Show("it is " + key); strings.Contains(shown, key[:8]) {
			t.Errorf("the key is shown; in stages %t", staged)
		}
	}
}
