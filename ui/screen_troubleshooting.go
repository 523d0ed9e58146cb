package ui

import (
	"fmt"

	"github.com/charmbracelet/lipgloss"

	"dj/keysplit/steps"
	"dj/keysplit/steps/house"
)

// troubleOverlay lists what is wrong here, and below it every finding that
// keysplit knows. enter opens one.
func troubleOverlay(w *wizard) *overlay {
	here := w.facts.open
	codes := steps.Codes()
	l := &list{n: len(here) + len(codes)}
	l.open = func(at int) *overlay {
		if at < len(here) {
			return findingOverlay(here[at], w.facts.edit(here[at]))
		}
		p, _ := steps.LookUp(codes[at-len(here)])
		return findingOverlay(steps.Finding{Code: p.Code, Severity: p.Severity, Message: p.Message, Why: p.Why, Fix: p.Fix, Fixable: p.Fixable}, nil)
	}
	return &overlay{title: "Findings", brief: "findings", key: "t", list: l, draw: func(w *wizard, s *sheet) {
		if len(here) == 0 {
			s.hang(w.styles.Mark(steps.MarkOK)+" ", lipgloss.NewStyle(), "Nothing is known to be wrong here.")
		} else {
			s.heading("In this project")
		}
		for i, f := range here {
			s.item(l, i, f.Severity, f.Code, f.Message)
		}
		s.heading("Everything that keysplit knows")
		for i, c := range codes {
			p, _ := steps.LookUp(c)
			s.item(l, len(here)+i, p.Severity, c, p.Message)
		}
	}}
}

// item adds one row of the list.
func (s *sheet) item(l *list, i int, sev steps.Severity, code steps.Code, message string) {
	bar, st := "  ", s.s.Muted
	if i == l.at {
		bar, st = s.s.Accent.Render(s.s.Marks.Bar)+" ", s.s.Accent
		l.row = len(s.rows)
	}
	s.add(bar + s.s.Severity(sev) + " " + st.Render(fmt.Sprintf("%-24s", code)) + "  " + s.s.Marks.Plain(message))
}

// focus keeps a row of a list in sight.
func (s *sheet) focus(row int) { s.active = row }

// findingOverlay explains one finding, and shows the edit that would mend it.
func findingOverlay(f steps.Finding, edit *house.Proposal) *overlay {
	return &overlay{title: "Finding", brief: "finding", key: "t", edit: edit, draw: func(w *wizard, s *sheet) {
		s.hang(w.styles.Severity(f.Severity)+" ", w.styles.Bold, f.Message)
		s.hang("  ", w.styles.Muted, fmt.Sprintf("%s, %s", f.Code, f.Severity))
		if p := place(f); p != "" {
			s.hang("  ", w.styles.Muted, p)
		}
		s.heading("Why it matters")
		s.hang("", lipgloss.NewStyle(), f.Why)
		s.heading("What to do")
		s.hang("", lipgloss.NewStyle(), f.Fix)
		if f.Mends() {
			s.blank()
			s.hang("", w.styles.OK, "The steps of the upgrade do this for you.")
		}
		if edit != nil {
			s.heading("The edit")
			for _, d := range edit.Diff {
				s.diff(d)
			}
			s.blank()
			s.hang("", w.styles.Muted, "Every other line stays. Press e to make it; "+w.facts.rollback+" takes it out.")
		}
	}}
}
