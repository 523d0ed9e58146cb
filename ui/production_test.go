package ui

import (
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
)

// On production the write screen takes nothing but the environment's name.
func TestTheWriteScreenWantsTheNameOfProduction(t *testing.T) {
	st := newStage(t, plainLight)
	production(st)
	st.open().to(steps.Write)
	if strings.Contains(st.w.View(), "Type production to go on") {
		t.Errorf("it asks for a name where none can be typed:\n%s", st.w.View())
	}
	if st.press("y"); st.fakes[steps.Write].applied != 0 {
		t.Fatal("y is enough")
	}
	if st.press("enter"); !strings.Contains(st.w.View(), "Type production to go on") {
		t.Errorf("the form does not say what to type:\n%s", st.w.View())
	}
	st.typed("prod").press("enter")
	if len(st.fields()) != 1 || st.w.flash == "" || !strings.Contains(st.w.View(), "the whole name is production") {
		t.Errorf("a part of the name: said %q\n%s", st.w.flash, st.w.View())
	}
	if st.press("esc"); len(st.fields()) != 0 {
		t.Error("esc does not close the field")
	}
	st.press("enter").typed("production").press("enter")
	if st.fakes[steps.Write].applied != 1 {
		t.Errorf("the name is not enough:\n%s", st.w.View())
	}
}

// So does the restart of an app that says production, and it goes on with the name.
func TestTheRestartScreenWantsTheNameOfProduction(t *testing.T) {
	st := newStage(t, plainLight)
	st.fakes[steps.Restart].plan = func(*steps.Run) (steps.Plan, error) {
		return steps.Plan{Summary: prose.Say("Restart Fly app shop-prod."), Question: prose.Say("This is production. Restart it?"), Confirm: "shop-prod"}, nil
	}
	st.open().to(steps.Restart).press("enter")
	if fields := st.fields(); len(fields) != 1 || st.fakes[steps.Restart].applied != 0 {
		t.Fatalf("it does not ask for the name:\n%s", st.w.View())
	}
	st.typed("yes").press("enter")
	if st.fakes[steps.Restart].applied != 0 || !strings.Contains(st.w.View(), "Type shop-prod") {
		t.Fatalf("it restarted, or does not say what to type:\n%s", st.w.View())
	}
	st.press("ctrl+u").typed("shop-prod").press("enter")
	st.want(steps.SmokeTest, ready)
	if st.fakes[steps.Restart].applied != 1 || st.e.Run.Confirm("fly:shop-prod") != "" {
		t.Error("it did not restart, or forgot that the name was typed")
	}
}
