package ui

import (
	"context"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// A step of which a line could not be proved has no tick, whatever page is open.
func TestUnprovedStepHasNoTick(t *testing.T) {
	t.Parallel()
	for mark, want := range map[steps.Mark]string{steps.MarkWarn: "! Verify", steps.MarkOK: "✓ Verify"} {
		st := newStage(t, plainLight)
		st.fakes[steps.Distinct].apply = func(_ context.Context, _ *steps.Run, emit steps.Emit) error {
			emit.Check("django", mark, "Django", "")
			return nil
		}
		st.open().to(steps.Restart)
		if row := st.w.stepper(); !strings.Contains(row, want) {
			t.Errorf("after a line of mark %s the stepper is %q, want %q in it", mark, row, want)
		}
		st.to(steps.Checklist)
		end := st.e.Ending(nil)
		if got := len(end.Unproved) == 1 && end.Unproved[0] == steps.Distinct; got != (mark == steps.MarkWarn) {
			t.Errorf("after a line of mark %s not proved are %v", mark, end.Unproved)
		}
		told := false
		for _, next := range end.Next() {
			told = told || strings.Contains(next.Rendered(), "Not proved in full: Verify.")
		}
		if told != (mark == steps.MarkWarn) {
			t.Errorf("after a line of mark %s the ending says: %v", mark, end.Next())
		}
	}
}

// What is severe and left stands on the last page with its fix.
func TestTheLastPageSaysWhatIsSevere(t *testing.T) {
	t.Parallel()
	st := newStage(t, plainLight)
	st.e.Run.Options.Skip = map[steps.Name]bool{steps.Checklist: true}
	st.fakes[steps.SmokeTest].apply = func(_ context.Context, _ *steps.Run, emit steps.Emit) error {
		emit.Find(finding.New(finding.ServerStaleKey, "One process is old.").WithFix(finding.Do("Stop it.")))
		return nil
	}
	st.w.facts = look(st.e)
	st.open().to("end")
	if v := st.w.View(); !strings.Contains(v, "One process is old.") || !strings.Contains(v, "Stop it.") {
		t.Errorf("it says:\n%s", v)
	}
}

// A failure is about the state that it was found in: where an earlier step is taken again,
// the step that failed is waited for.
func TestAFailureOfAnotherStateIsGone(t *testing.T) {
	t.Parallel()
	st := newStage(t, plainLight)
	stale(st)
	st.open().to(steps.SmokeTest).press("enter").want(steps.SmokeTest, failed)
	st.press("esc").want(steps.Restart, done)
	st.press("r").want(steps.Restart, ready)
	if st.press("enter").want(steps.Restart, done); !strings.Contains(st.w.stepper(), "○ Login") {
		t.Errorf("the stepper is %q", st.w.stepper())
	}
	st.press("enter").want(steps.SmokeTest, ready)
}
