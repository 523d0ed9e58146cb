package ui

import "dj/keysplit/steps"

// distinctScreen is the proof that the keys differ. It only looks.
type distinctScreen struct{ basic }

func newDistinct() screen { return &distinctScreen{basic{step: steps.Distinct}} }

func (*distinctScreen) plan(w *wizard, s *sheet, p steps.Plan) {
	st := w.styles
	s.hang("", st.Bold, p.Summary.Rendered())
	s.blank()
	for _, d := range p.Details {
		s.say(st.Muted.Render(st.Marks.Todo)+" ", st.Muted, d)
	}
	s.effects(p)
	s.blank()
	s.hang("", st.Muted, "Read-only. No part of a key is shown.")
}
