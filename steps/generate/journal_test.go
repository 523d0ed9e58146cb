package generate

import (
	"errors"
	"os"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/stepstest"
)

// A key that goes to several places must be kept before it goes anywhere: a run that
// is cut off could not bring the same one to the others.
func TestAKeyThatCannotBeKeptIsAnError(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	if err := stepstest.Places(run, steps.Held{Readable: true}, steps.Held{Readable: true}); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(run.Journal.Dir()); err != nil {
		t.Fatal(err)
	}
	events, err := apply(t, run)
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	for _, ev := range events {
		if ev.Mark == steps.MarkOK {
			t.Errorf("it says: %s", ev.Text)
		}
	}
}

// So is one that cannot be forgotten.
func TestAKeyThatCannotBeForgottenIsAnError(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	if err := stepstest.Places(run, steps.Held{Readable: true}, steps.Held{Readable: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := apply(t, run); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(run.Journal.Dir()); err != nil {
		t.Fatal(err)
	}
	if err := (&Step{}).Undo(t.Context(), run, nil); err == nil {
		t.Error("no error")
	}
}

// A rotation that was written and never came to the end of its restart goes on with its
// key: a second one would make a third key, and nobody knew which one was in force.
func TestARotationThatNeverPassedItsRestart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after    func(j *journal.Journal) error // what the earlier run came to
		imported bool
		goesOn   bool
		refused  bool
	}{
		"killed":                    {func(*journal.Journal) error { return nil }, false, true, false},
		"its restart failed":        {func(j *journal.Journal) error { return j.SetStatus("restart", "failed") }, false, true, false},
		"it passed its restart":     {func(j *journal.Journal) error { return j.SetStatus("restart", "done") }, false, false, false},
		"the restart was skipped":   {func(j *journal.Journal) error { return j.SetStatus("restart", "skipped") }, false, false, false},
		"another key is given":      {func(*journal.Journal) error { return nil }, true, false, true},
		"another one is, after it":  {func(j *journal.Journal) error { return j.SetStatus("restart", "done") }, true, false, false},
		"its key was made for more": {func(j *journal.Journal) error { return j.SetStatus("write", "failed") }, false, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			old, written := stepstest.Key(), stepstest.Key()
			run := stepstest.NewRun(t, "JWT_SECRET_KEY="+old+"\n", nil)
			err := run.Journal.Bring(run.Secret(written))
			if err == nil {
				_, err = run.Journal.Replace(t.Context(), run.Project.EnvFile.At, []byte("JWT_SECRET_KEY="+written+"\n"))
			}
			if err == nil {
				err = c.after(run.Journal)
			}
			if err != nil {
				t.Fatal(err)
			}
			stepstest.Look(t, run)
			run.Answers.Rotate = !c.imported
			if c.imported {
				run.Answers.Import = run.Secret(stepstest.Key())
			}
			_, err = apply(t, run)
			var failure *steps.Failure
			if refused := errors.As(err, &failure) && failure.Findings[0].Code == finding.UpgradeUnfinished; refused != c.refused || !refused && err != nil {
				t.Fatalf("error %v", err)
			}
			if c.refused {
				return
			}
			if run.Key.Reveal() == written != c.goesOn {
				t.Errorf("it goes on with that key: %t", !c.goesOn)
			}
			if c.goesOn && run.Previous.Reveal() != old {
				t.Error("the previous key is not the one from before it")
			}
		})
	}
}
