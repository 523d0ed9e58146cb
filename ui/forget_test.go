package ui

import (
	"testing"

	"dj/keysplit/steps"
)

// A form that was closed, by its end or by esc, holds no password any more.
func TestAClosedFormForgetsThePassword(t *testing.T) {
	for _, end := range []string{"esc", "enter"} {
		st := newStage(t, plainLight).open().to(steps.SmokeTest)
		st.pickRow(ownAccount)
		st.typed("ada").press("enter").typed(fresh())
		fields := st.fields()
		if len(fields) != 2 || fields[0].empty() || fields[1].empty() {
			t.Fatal("the form holds nothing")
		}
		if st.press(end); st.w.form != nil || !fields[0].empty() || !fields[1].empty() {
			t.Errorf("%s: what was typed is kept", end)
		}
	}
}
