package generate

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// What keeps the step from choosing keeps it from applying and verifying too.
func TestWhatCannotBeChosenIsNotApplied(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "JWT_SECRET_KEY="+stepstest.Key()+"\n", nil)
	run.Options.Environment = "staging"
	if err := stepstest.Places(run, steps.Held{Readable: true}, steps.Held{}); err != nil {
		t.Fatal(err)
	}
	if _, err := apply(t, run); err != nil {
		t.Fatal(err)
	}
	if _, err := run.Journal.Deliver(journal.Delivery{Target: "a"}, secret.Secret{}); err != nil {
		t.Fatal(err)
	}
	before := run.Key
	run.Targets = run.Targets[:1]
	var events stepstest.Events
	for name, err := range map[string]error{
		"apply":  (&Step{}).Apply(t.Context(), run, events.Emit),
		"verify": (&Step{}).Verify(t.Context(), run, events.Emit),
	} {
		if failure := (*steps.Failure)(nil); !errors.As(err, &failure) || !finding.Has(failure.Findings, finding.UpgradeUnfinished) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(events) > 0 || !run.Key.Equal(before) {
		t.Errorf("another key was settled: %+v", events)
	}
}

// keptOf is the file of the rotation's keys.
func keptOf(t *testing.T, run *steps.Run) string {
	t.Helper()
	for _, e := range run.Journal.Entries() {
		if e.Kind == journal.KindRotating {
			return filepath.Join(run.Journal.Dir(), e.ID)
		}
	}
	t.Fatal("no rotation")
	return ""
}

// A rotation begins only with a key that could be made and kept; one whose keys cannot be
// read or forgotten is gone on with by nobody.
func TestARotationWhoseKeysAreNotThere(t *testing.T) {
	t.Parallel()
	env := "SECRET_KEY=" + stepstest.Key() + "\nJWT_SECRET_KEY=" + stepstest.Key() + "\n"
	run := inStages(t, env)
	var events stepstest.Events
	if err := (&Step{Random: iotest.ErrReader(io.ErrUnexpectedEOF)}).Apply(t.Context(), run, events.Emit); err == nil || run.Stage != steps.NoStage || len(events) > 0 {
		t.Errorf("no random bytes: %v, stage %q", err, run.Stage)
	}
	if err := os.RemoveAll(run.Journal.Dir()); err != nil {
		t.Fatal(err)
	}
	if err := (&Step{}).Apply(t.Context(), run, events.Emit); err == nil || run.Stage != steps.NoStage || len(events) > 0 {
		t.Errorf("no journal: %v, stage %q", err, run.Stage)
	}
	run = inStages(t, env)
	if _, err := apply(t, run); err != nil {
		t.Fatal(err)
	}
	kept := keptOf(t, run)
	if err := errors.Join(os.Remove(kept), os.MkdirAll(filepath.Join(kept, "x"), 0o700)); err != nil {
		t.Fatal(err)
	}
	run.Chosen = steps.Chosen{}
	if _, err := apply(t, run); err == nil || !strings.Contains(err.Error(), "rotation that is under way") {
		t.Errorf("its keys cannot be read: %v", err)
	}
	run.Answers.Grace = false
	if _, err := apply(t, run); err == nil {
		t.Error("its keys cannot be forgotten, and another key is made")
	}
}

// A key that is imported for a rotation is shown nowhere, and at its end the key that stays
// is said.
func TestWhatARotationSays(t *testing.T) {
	t.Parallel()
	run := inStages(t, "SECRET_KEY="+stepstest.Key()+"\nJWT_SECRET_KEY="+stepstest.Key()+"\n")
	key := stepstest.Key()
	run.Answers.Import = run.Prints.Secret(key)
	if _, err := apply(t, run); err != nil || run.Second.Reveal() != key {
		t.Fatal(err)
	}
	if shown := run.Show("it is " + key); strings.Contains(shown, key[:8]) {
		t.Error("the key is shown")
	}
	var events stepstest.Events
	if err := (&Step{}).applyStage(run, choice{action: "end", previous: run.Key}, events.Emit); err != nil || run.Stage != steps.Closing || len(events) != 1 || events[0].Mark != steps.MarkOK {
		t.Errorf("the end: %v, %+v", err, events)
	}
}
