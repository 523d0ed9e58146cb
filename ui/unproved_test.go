package ui

import (
	"context"
	"strings"
	"testing"

	"dj/keysplit/steps"
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
