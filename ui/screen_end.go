package ui

import (
	"fmt"
	"slices"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// end draws the page behind all steps: what was done, what is left, and how to undo; or
// the rollback.
func (w *wizard) end(s *sheet) {
	if w.backPhase() != backNone {
		w.drawBack(s)
		return
	}
	w.summary(s)
}

// endingNow is how the upgrade ended.
func (w *wizard) endingNow() steps.Ending {
	end := w.facts.end
	end.Throwaway, end.Changed = w.throwaway, end.Changed || w.begun != nil // what an earlier run began is done now
	return end
}

// ending says how the upgrade ended.
func (w *wizard) ending(s *sheet) {
	mark, end := steps.MarkWarn, w.endingNow()
	if end.Sure() {
		mark = steps.MarkOK
	}
	s.hang(w.styles.Mark(mark)+" ", w.styles.Bold, end.Summary().Rendered())
}

// summary lists the steps and what is left to do.
func (w *wizard) summary(s *sheet) {
	w.ending(s)
	s.blank()
	for _, p := range w.pages {
		if p.Number == 0 && p.Name != steps.Checklist {
			continue
		}
		s.summaryLine(p, w.phase(p))
	}
	w.remains(s, finding.Error, finding.Warning, finding.Info)
}

// remains says what is left to do, each thing once: of the findings those that are so
// severe, and the number of the others.
func (w *wizard) remains(s *sheet, severe ...finding.Severity) {
	st, end := w.styles, w.endingNow()
	next := end.Next()
	more := 0
	s.blank()
	for _, f := range finding.Groups(w.left(next)) {
		if !slices.Contains(severe, f.Severity) {
			more++
			continue
		}
		s.finding(f, false)
		s.say("    ", st.Muted, f.Fix)
	}
	for _, n := range next {
		s.say("  ", lipgloss.NewStyle(), n.For(w.facts.flags))
	}
	if more > 0 {
		s.hang("  ", st.Muted, steps.Plural(more, "more finding")+": press t")
	}
	if end.OwnServer {
		s.blank()
		s.hang(st.Mark(steps.MarkPending)+" ", st.Muted, "Waiting for your server. It is tested as soon as it answers.")
	}
}

// left are the findings that are still true and whose fix is not said below them.
func (w *wizard) left(next []prose.Text) []finding.Finding {
	return slices.DeleteFunc(slices.Clone(w.facts.open), func(f finding.Finding) bool {
		return slices.ContainsFunc(next, func(n prose.Text) bool { return n.Rendered() == f.Fix.Rendered() })
	})
}

// summaryLine says what a step came to, in one row.
func (s *sheet) summaryLine(p *page, ph phase) {
	mark, said := s.s.Mark(steps.MarkPending), "not done"
	switch ph {
	case done:
		mark, said = s.s.Mark(p.verdict()), lastProof(p)
	case skipped:
		mark, said = s.s.Warn.Render("-"), "skipped"
	case failed:
		mark, said = s.s.Mark(steps.MarkFailed), "failed"
	}
	s.add(mark + " " + fmt.Sprintf("%-10s", p.Title) + s.s.Muted.Render(s.s.Marks.Plain(said)))
}

// lastProof sums up the lines of a step: their number, or of a few the last one
// that passed.
func lastProof(p *page) string {
	passed, unsure := p.tally()
	if p.plan.Nothing && p.Number > 0 && !(p.InMemory && passed > 0) { // what is kept has a fingerprint to say
		return p.plan.Summary.Rendered()
	}
	if p.Name == steps.Checklist {
		return fmt.Sprintf("%d done, %d left", passed, unsure)
	}
	switch {
	case unsure > 0 && passed > 0:
		return fmt.Sprintf("%s passed, %d could not be proved", steps.Plural(passed, "check"), unsure)
	case unsure > 0:
		return steps.Plural(unsure, "check") + " could not be proved"
	}
	if passed > 2 {
		return fmt.Sprintf("%d checks passed", passed)
	}
	for i := len(p.lines) - 1; i >= 0; i-- {
		if l := p.lines[i]; l.Kind == steps.EventCheck && l.Mark == steps.MarkOK {
			if l.Detail.Empty() {
				return l.Text.Rendered()
			}
			return l.Text.Rendered() + ", " + l.Detail.Rendered()
		}
	}
	return "done"
}

// endPrompt is the question of the last page.
func (w *wizard) endPrompt() *prompt {
	if w.backPhase() != backNone {
		return w.backPrompt()
	}
	p := &prompt{options: []option{{label: "Finish", act: (*wizard).finish}}}
	if page := w.current(); page != nil {
		p.options = append(p.options, page.screen.extra(w, page)...)
	}
	if w.mayRollBack() {
		p.options = append(p.options, option{label: "Roll back", act: (*wizard).askRollBack})
	}
	return p
}

// finish ends the program at the last page.
func (w *wizard) finish() tea.Cmd {
	w.finished = true
	return w.leave()
}
