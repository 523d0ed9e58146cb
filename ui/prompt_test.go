package ui

import (
	"context"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// However short the terminal, the option that has the focus is on the screen; and where
// there are rows for them, all are, at the same places whichever has it.
func TestTheButtonsStay(t *testing.T) {
	t.Parallel()
	for _, sc := range scenes {
		st := newStage(t, plainLight)
		sc.play(st)
		p := st.w.prompt()
		if p == nil || st.w.over != nil || st.w.typing() || st.w.leaving {
			continue
		}
		for _, size := range [][2]int{{120, 40}, {80, 24}, {60, 20}, {20, 24}, {60, 9}, {20, 5}, {60, 3}, {60, 2}} {
			st.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
			p = st.w.prompt() // a narrow one has shorter words
			for st.w.selected = range p.options {
				buttonsStay(t, sc.name, st, p, size[1] >= 20)
			}
		}
	}
}

func buttonsStay(t *testing.T, name string, st *stage, p *prompt, all bool) {
	t.Helper()
	v := st.w.View()
	for i, o := range p.options {
		label := o.label
		if st.w.width == 20 {
			label = ansi.Truncate(label, 12, "") // the button says that there is more
		}
		if (all || i == st.w.selected) && !strings.Contains(v, label) {
			t.Errorf("%s at %dx%d does not show %q, the focus is on %q:\n%s", name, st.w.width, st.w.height, o.label, p.options[st.w.selected].label, v)
			return
		}
	}
}

// The buttons of a failure, of which there are many, keep their rows while the focus moves.
func TestTheButtonsKeepTheirRows(t *testing.T) {
	t.Parallel()
	st := newStage(t, plainLight)
	manyWays(st)
	for _, width := range []int{33, 60, 80} {
		st.size(width, 24)
		p, first := st.w.prompt(), map[string]int{}
		for st.w.selected = range p.options {
			for at, row := range st.w.buttons(p, width-4) {
				for _, o := range p.options {
					if !strings.Contains(row, " "+o.label+" ") {
						continue
					}
					if was, seen := first[o.label]; seen && was != at {
						t.Errorf("%d columns: %q goes from row %d to %d", width, o.label, was, at)
					}
					first[o.label] = at
				}
			}
		}
		if len(first) != len(p.options) {
			t.Errorf("%d columns: only %d of %d buttons are whole", width, len(first), len(p.options))
		}
	}
}

// manyWays makes the smoke test fail so that there are as many ways out as there can be.
func manyWays(st *stage) {
	st.fakes[steps.SmokeTest].apply = func(context.Context, *steps.Run, steps.Emit) error {
		return steps.Fail(finding.New(finding.ServerUnreachable, "The server at https://shop.example.com does not answer."),
			finding.New(finding.LoginWithheld, "").At("https://shop.example.com", 0).Asking("Send it the password all the same?"))
	}
	st.open().to(steps.SmokeTest).press("enter")
}
