package ui

import (
	"github.com/charmbracelet/lipgloss"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
)

// failedBody shows why a step failed: cause, reason and fix of each finding,
// the lines of proof, and last what a machine said.
func (w *wizard) failedBody(s *sheet, p *page) {
	st := w.styles
	s.hang(st.Error.Render(st.Marks.Failed)+" ", st.Bold, "This did not work.")
	s.blank()
	told := false
	for _, f := range p.findings {
		if f.Severity != steps.Error {
			continue
		}
		s.finding(f, true)
		s.blank()
		told = true
	}
	if !told {
		s.hang("", lipgloss.NewStyle(), words(p.failure))
		s.labelled(st.Accent, "Do ", "Retry. If it fails again, press l: the log shows what was done until then.")
		s.blank()
	}
	s.lines(p.lines)
	s.blank()
	for _, f := range p.findings {
		if f.Severity != steps.Error {
			s.finding(f, true)
		}
	}
}

// failedPrompt offers the ways out of a failure.
func (w *wizard) failedPrompt(p *page) prompt {
	q := prompt{question: "What now?"}
	add := func(label string, act func(*wizard) tea.Cmd) {
		q.options = append(q.options, option{label: label, act: act})
	}
	fixable := false
	for _, f := range p.findings {
		fixable = fixable || f.Severity == steps.Error && f.Fixable
	}
	if fixable && p.name != steps.Preflight {
		add("Fix it", func(w *wizard) tea.Cmd { return p.screen.mend(w) })
	}
	add("Retry", func(w *wizard) tea.Cmd { return w.goTo(w.at, true) })
	if !fixable && p.name != steps.Preflight {
		add("Start over", (*wizard).startOver)
	}
	if m := w.facts.machine; m.Can(p.name, steps.ActSkip) {
		add("Skip", func(w *wizard) tea.Cmd { return w.skip(p.name) })
	}
	if w.facts.wrote {
		add("Roll back", (*wizard).askRollBack)
	}
	add("Quit", func(w *wizard) tea.Cmd { return w.quit(false) })
	return q
}

// askRollBack asks before everything is put back.
func (w *wizard) askRollBack() tea.Cmd {
	w.confirm("Put every file back to the byte, and restart with the old value?", "Back", "Roll back", (*wizard).rollBack)
	return nil
}
