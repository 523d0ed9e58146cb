package ui

import (
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
)

// A step in parts is planned once more after each, and asks each question.
func TestEachPartOfAStepIsAskedForByItself(t *testing.T) {
	st := newStage(t, plainLight)
	write := st.fakes[steps.Write]
	write.plan = func(*steps.Run) (steps.Plan, error) {
		if write.applied == 0 {
			return steps.Plan{Summary: prose.Say("Write the key to fly."), Question: prose.Say("Write the key there?"), More: true}, nil
		}
		return steps.Plan{Summary: prose.Say("Set the key by hand."), Question: prose.Say("Have you set it there?"), Yes: "It is set"}, nil
	}
	st.open().to(steps.Write).press("enter")
	st.want(steps.Write, ready)
	page := st.w.page(steps.Write)
	if p := page.screen.ready(st.w); p.question != "Have you set it there?" || p.options[0].label != "It is set" || write.applied != 1 {
		t.Fatalf("after the first part: %+v, applied %d times", p, write.applied)
	}
	st.press("enter")
	st.want(steps.Restart, ready)
	if write.applied != 2 {
		t.Errorf("applied %d times", write.applied)
	}
}

// The write screen shows the diff of every file, under its name.
func TestTheWriteScreenShowsEveryFile(t *testing.T) {
	st := newStage(t, plainLight)
	st.fakes[steps.Write].plan = func(*steps.Run) (steps.Plan, error) {
		return steps.Plan{Summary: prose.Say("Write the key to 2 places."), Question: prose.Say("Write the key to all of them?"), File: "a.env", Diff: []steps.DiffLine{
			{Line: 2, Op: "+", Text: "JWT_SECRET_KEY=••••", File: "a.env"}, {Line: 7, Op: "+", Text: "JWT_SECRET_KEY=••••", File: "b.env"},
		}}, nil
	}
	st.open().to(steps.Write)
	view := st.w.View()
	for _, want := range []string{"a.env", "b.env", "  2 + ", "  7 + "} {
		if !strings.Contains(view, want) {
			t.Errorf("%q is not shown:\n%s", want, view)
		}
	}
}
