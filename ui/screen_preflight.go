package ui

import (
	"context"
	"fmt"
	"slices"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// preflightScreen shows what was found and what will happen. Its look at the
// project starts by itself: it changes nothing.
type preflightScreen struct{ basic }

func newPreflight() screen {
	return &preflightScreen{basic{step: steps.Preflight}}
}

// arrive looks at the project, and asks the first step what it would do, so
// that the side effects are on the screen before anything is chosen.
func (p *preflightScreen) arrive(w *wizard) tea.Cmd {
	return w.start(jobApply, steps.Preflight, func(ctx context.Context, e *steps.Engine, emit steps.Emit, r *report) error {
		if _, err := e.Plan(ctx, steps.Preflight, emit); err != nil {
			return err
		}
		if err := e.Apply(ctx, steps.Preflight, emit); err != nil {
			return err
		}
		if !e.Has(steps.Generate) || e.Run.Options.Skip[steps.Generate] {
			return nil
		}
		// A plan that cannot be made is reported when its own page asks for it.
		if plan, err := e.Plan(ctx, steps.Generate, nil); err == nil {
			r.next = &plan
		}
		return nil
	})
}

func (p *preflightScreen) again() string { return "look again" }

func (p *preflightScreen) result(w *wizard, s *sheet) {
	st := w.styles
	findings := slices.Clone(w.page(steps.Preflight).findings)
	slices.SortStableFunc(findings, func(a, b finding.Finding) int { return rank(a) - rank(b) })
	s.blank()
	for _, f := range findings {
		if f.Severity == finding.Error && f.Mends() {
			s.finding(f, false)
			s.hang("    ", st.Muted, "The next steps mend this.")
			continue
		}
		s.finding(f, f.Severity == finding.Error)
		if f.Severity == finding.Warning {
			s.say("    ", st.Muted, f.Fix)
		}
	}
	s.blank()
	switch {
	case w.blocked():
		s.hang("", st.Bold, "The next steps cannot mend all of this.")
	case w.next == nil:
		s.hang("", st.Bold, "Next come the steps above, one after the other.")
	case w.next.Nothing:
		s.hang(st.OK.Render(st.Marks.OK)+" ", st.Bold, "The key that is there is good and stays. The next steps prove that the server uses it.")
	default:
		s.hang("", st.Bold, fmt.Sprintf("Next: %s Then it is written, proved and tested. Nothing changes before you say so.", w.next.Summary))
		s.effects(*w.next)
	}
	if w.facts.environment != steps.DefaultEnvironment {
		s.hang(st.Warn.Render(st.Marks.Warn)+" ", lipgloss.NewStyle(), "This is the environment "+w.facts.environment+".")
	}
}

// blocked tells that preflight found an error that no later step mends.
func (w *wizard) blocked() bool {
	for _, f := range w.page(steps.Preflight).findings {
		if f.Severity == finding.Error && !f.Mends() {
			return true
		}
	}
	return false
}

// rank sorts what is wrong before what is worth knowing.
func rank(f finding.Finding) int {
	switch f.Severity {
	case finding.Error:
		return 0
	case finding.Warning:
		return 1
	}
	return 2
}
