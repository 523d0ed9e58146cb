package ui

import (
	"github.com/charmbracelet/lipgloss"

	"dj/keysplit/steps"
)

// whyOverlay gives the reason for the step on the screen.
func whyOverlay(w *wizard) *overlay {
	n := steps.Preflight
	if p := w.current(); p != nil {
		n = p.name
	}
	r := reasons[n]
	return &overlay{title: "Why", brief: "why", key: "w", draw: func(w *wizard, s *sheet) {
		s.hang("", lipgloss.NewStyle(), r.why)
		if len(r.guide) == 0 {
			return
		}
		s.heading("Where the upgrade guide is wrong")
		for _, g := range r.guide {
			s.blank()
			s.hang(w.styles.Muted.Render("It says  "), w.styles.Muted, g.says)
			s.hang(w.styles.Muted.Render("In fact  "), lipgloss.NewStyle(), g.so)
		}
	}}
}
