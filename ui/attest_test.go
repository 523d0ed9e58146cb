package ui

import (
	"context"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
)

// The form takes no word without a name and a note, and esc gives it up.
func TestTheFormOfAnAttestation(t *testing.T) {
	st := attest(newStage(t, plainLight)).press("enter")
	shows := func(want string) {
		t.Helper()
		if v := st.w.View(); !strings.Contains(v, want) {
			t.Fatalf("%q is not shown:\n%s", want, v)
		}
	}
	shows("Sign off item 7: your name")
	shows("Your name: _")
	st.press("enter")
	shows("The report needs this.")
	st.typed("Ada").press("enter")
	shows("Note: _")
	st.typed("   ").press("enter")
	shows("The report needs this.")
	st.typed(strings.Repeat("x", checklist.MaxWords+1)).press("enter")
	shows("At most 300 characters.")
	st.press("ctrl+u").typed("q and ? are letters here").press("tab", "ctrl+u", "tab", "enter")
	shows("Your name: _") // the name is missing again
	st.press("esc")
	st.want(steps.Checklist, done)
	shows("[ Finish ]")
	if st.fakes[steps.Checklist].applied != 1 {
		t.Error("something was recorded without a whole word")
	}
}

// What the files show is no person's to say, and what is in order needs no word.
func TestOnlyOpenItemsOfAPersonAreOffered(t *testing.T) {
	st := attest(newStage(t, plainLight))
	var offered []string
	for _, o := range st.w.question.options {
		offered = append(offered, o.label[:1])
	}
	if got := strings.Join(offered, " "); got != "7 9" {
		t.Errorf("offered are %s, want 7 9", got)
	}
	st.press("esc")
	if st.w.question != nil {
		t.Error("esc does not close the question")
	}

	all := newStage(t, plainLight)
	apply := all.fakes[steps.Checklist].apply
	all.fakes[steps.Checklist].apply = func(ctx context.Context, r *steps.Run, emit steps.Emit) error {
		return apply(ctx, r, func(ev steps.Event) {
			ev.Mark = map[bool]steps.Mark{true: steps.MarkWarn, false: steps.MarkOK}[ev.ID == "item-1"]
			emit(ev)
		})
	}
	if v := all.open().to(steps.Checklist).w.View(); strings.Contains(v, "Attest") {
		t.Errorf("an item that only the files can show is offered:\n%s", v)
	}
}
