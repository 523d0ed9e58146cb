package ui

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
)

// On production the write screen takes nothing but the environment's name.
func TestTheWriteScreenWantsTheNameOfProduction(t *testing.T) {
	w := &wizard{pages: []*page{{StepInfo: steps.StepInfo{Name: steps.Write}, plan: steps.Plan{Question: prose.Say("Write?"), Confirm: "production"}}}}
	n := newWrite().(*writeScreen)
	w.pages[0].screen = n
	p := n.ready(w)
	if !strings.Contains(p.question, "production") || p.options[0].label == "Write" {
		t.Fatalf("%+v", p)
	}
	p.options[0].act(w)
	for _, r := range "prod" {
		n.key(w, tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}})
	}
	if cmd, took := n.key(w, tea.KeyMsg{Type: tea.KeyEnter}); !took || cmd != nil || !n.typing || w.flash == "" {
		t.Errorf("a wrong name: took %t, command %t, typing %t, said %q", took, cmd != nil, n.typing, w.flash)
	}
	if _, took := n.key(w, tea.KeyMsg{Type: tea.KeyEsc}); !took || n.typing {
		t.Error("esc does not close the field")
	}
	w.pages[0].plan.Confirm = ""
	if p := n.ready(w); p.options[0].label != "Write" {
		t.Errorf("elsewhere: %+v", p)
	}
}

// So does the restart of an app that says production, and it goes on with the name.
func TestTheRestartScreenWantsTheNameOfProduction(t *testing.T) {
	st := newStage(t, plainLight)
	st.fakes[steps.Restart].plan = func(*steps.Run) (steps.Plan, error) {
		return steps.Plan{Summary: prose.Say("Restart Fly app shop-prod."), Question: prose.Say("This is production. Restart it?"), Confirm: "shop-prod"}, nil
	}
	st.open().to(steps.Restart).press("enter")
	if fields, _ := st.w.openFields(); len(fields) != 1 || st.fakes[steps.Restart].applied != 0 {
		t.Fatalf("it does not ask for the name:\n%s", st.w.View())
	}
	st.typed("yes").press("enter")
	if st.fakes[steps.Restart].applied != 0 || !strings.Contains(st.w.View(), "Type shop-prod") {
		t.Fatalf("it restarted, or does not say what to type:\n%s", st.w.View())
	}
	st.typed("shop-prod").press("enter")
	st.want(steps.SmokeTest, ready)
	if st.fakes[steps.Restart].applied != 1 || st.e.Run.Confirm("fly:shop-prod") != "" {
		t.Error("it did not restart, or forgot that the name was typed")
	}
}
