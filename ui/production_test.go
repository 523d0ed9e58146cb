package ui

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
)

// On production the write screen takes nothing but the environment's name.
func TestTheWriteScreenWantsTheNameOfProduction(t *testing.T) {
	w := &wizard{pages: []*page{{registered: registered{name: steps.Write}, plan: steps.Plan{Question: "Write?", Confirm: "production"}}}}
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
