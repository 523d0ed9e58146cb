package ui

import (
	"context"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
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

// A key that was typed and refused does not come back with the next plan; one that was
// given at the start stays until it is chosen.
func TestARefusedKeyIsForgotten(t *testing.T) {
	st := newStage(t, plainLight)
	st.fakes[steps.Generate].apply = func(context.Context, *steps.Run, steps.Emit) error {
		return steps.Fail(finding.New(finding.JWTKeyTooShort, ""))
	}
	given := st.e.Run.Secret(fresh())
	st.e.Run.Answers.Import = given
	if st.open().to(steps.Generate); !st.e.Run.Answers.Import.Equal(given) {
		t.Error("the key that was given is gone")
	}
	st.e.Run.Answers.Import = secret.Secret{}
	st.press("r").pickRow(importKey)
	if st.typed(fresh()+fresh()).press("enter").want(steps.Generate, failed); !st.e.Run.Answers.Import.Set() {
		t.Fatal("no key was tried")
	}
	if st.pick("Retry"); st.e.Run.Answers.Import.Set() {
		t.Errorf("the refused key is kept:\n%s", st.w.View())
	}
}
