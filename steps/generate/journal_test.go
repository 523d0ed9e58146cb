package generate

import (
	"errors"
	"os"
	"testing"

	"dj/keysplit/steps"
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
