package ui

import (
	"github.com/charmbracelet/lipgloss"

	"dj/keysplit/steps"
)

// whyOverlay gives the reason for the step on the screen.
func whyOverlay(w *wizard) *overlay {
	r := steps.About(steps.Preflight)
	if p := w.current(); p != nil {
		r = p.StepInfo
	}
	return &overlay{title: "Why", brief: "why", key: "w", draw: func(w *wizard, s *sheet) {
		s.hang("", lipgloss.NewStyle(), r.Why)
		if len(r.Guide) == 0 {
			return
		}
		s.heading("Where the upgrade guide is wrong")
		for _, g := range r.Guide {
			s.blank()
			s.hang(w.styles.Muted.Render("It says  "), w.styles.Muted, g.Says)
			s.hang(w.styles.Muted.Render("In fact  "), lipgloss.NewStyle(), g.So)
		}
	}}
}
