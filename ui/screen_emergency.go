package ui

import (
	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps/emergency"
	"dj/keysplit/steps/prose"
)

// emergencyMsg is the plan of the way back of last resort.
type emergencyMsg []emergency.Section

// askEmergency has the plan made for the project's own commit, once the engine is
// free.
func (w *wizard) askEmergency() tea.Cmd {
	r, until := w.runner, w.now().Add(emergency.Limit)
	return r.alone(func() tea.Msg {
		if run := r.engine.Run; !r.closed.Load() && run.Project != nil {
			return emergencyMsg(emergency.PlanFor(emergency.Find(r.ctx, run), until))
		}
		return emergencyMsg(emergency.Plan(until))
	})
}

// emergencyOverlay shows the way back of last resort. Nothing is done here.
func emergencyOverlay() *overlay {
	copies := func(w *wizard) string { return emergency.Runnable(w.emergency) }
	return &overlay{title: "Emergency: revert the code change", brief: "emergency", key: "b", copies: copies, draw: func(w *wizard, s *sheet) {
		if w.emergency == nil {
			s.hang("", w.styles.Muted, "Looking for the change's commit.")
			return
		}
		for i, section := range w.emergency {
			if i == 0 {
				s.hang("", w.styles.Bold, section.Title)
			} else {
				s.heading(section.Title)
			}
			width := s.width
			for _, l := range section.Lines {
				if section.Code {
					s.width = s.wide // to be copied row by row
					s.say("    ", w.styles.Info, l)
				} else {
					s.say("  ", w.styles.Muted, l)
				}
			}
			s.width = width
		}
		s.blank()
		s.say("", w.styles.Bold, prose.Say("Record it, so that `keysplit check` reminds you: %s", prose.Command(w.facts.rollback+" --emergency")))
	}}
}
