package ui

import (
	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
)

// restartScreen says which process is restarted, and how.
type restartScreen struct{ asking }

func newRestart() screen { return &restartScreen{newAsking(steps.Restart)} }

func (*restartScreen) plan(w *wizard, s *sheet, p steps.Plan) {
	st := w.styles
	s.hang("", st.Bold, p.Summary.Rendered())
	s.blank()
	s.details(p.Details)
	s.effects(p)
	if w.begun != nil && !w.facts.rotates && !p.Nothing {
		s.effects(steps.Plan{Effects: []prose.Text{loginAgain}})
	}
}

// ready has a button that fits: a plan without a question does not restart
// what somebody else runs.
func (r *restartScreen) ready(w *wizard) prompt {
	q := r.asking.ready(w)
	if p := w.page(steps.Restart).plan; p.Question.Empty() && !p.Nothing {
		q.options[0].label = "Go on"
	}
	return q
}
