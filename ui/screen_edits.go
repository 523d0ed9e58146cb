package ui

import (
	"fmt"
	"slices"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"dj/keysplit/steps"
)

// edits lists what a plan offers beside the key, each with the digit that switches it. The
// diffs of those that are on follow; of one that is off its own is shown below it, unless
// the rows are needed for what will be written.
func (s *sheet) edits(all []steps.Edit, brief bool) {
	if len(all) == 0 {
		return
	}
	for i, e := range all {
		digit, state := " ", s.s.Marks.Todo
		if i < 9 && e.ByHand.Empty() {
			digit = fmt.Sprint(i + 1)
		}
		st := s.s.Muted
		if e.On {
			state, st = s.s.Marks.OK, lipgloss.NewStyle()
		}
		s.say(s.s.Accent.Render(digit)+" "+state+" ", st, e.Why)
		if !e.ByHand.Empty() {
			s.say("    ", s.s.Muted, e.ByHand)
		}
		if !e.On && !brief {
			for _, d := range e.Diff {
				if d.Op != " " {
					s.diff(d)
				}
			}
		}
	}
	s.hang("", s.s.Muted, "A digit switches an edit on or off; a switches all on.")
	s.blank()
}

// key switches an edit of the plan by its digit, or all on with a; the plan is made again.
func (n *writeScreen) key(w *wizard, k tea.KeyMsg) (tea.Cmd, bool) {
	if cmd, took := n.asking.key(w, k); took || w.phase(w.page(steps.Write)) != ready {
		return cmd, took
	}
	all := w.page(steps.Write).plan.Offered()
	name := k.String()
	switched := map[string]bool{}
	for i, e := range all {
		if name == fmt.Sprint(i+1) && e.ByHand.Empty() {
			switched[e.ID] = !e.On
		}
		if name == "a" && !e.On && e.ByHand.Empty() {
			switched[e.ID] = true
		}
	}
	if len(switched) == 0 {
		return nil, false
	}
	return w.ask(steps.Write, func(run *steps.Run) { run.Switch(switched) }), true
}

// unmade are the edits of committed files that the plan offered and that were not switched
// on, by their IDs.
func (w *wizard) unmade() map[string]bool {
	p, left := w.page(steps.Write), map[string]bool{}
	if w.phase(p) != done {
		return nil
	}
	for _, e := range p.plan.Offered() {
		if !e.On && !e.Secret && e.ByHand.Empty() {
			left[e.ID] = true
		}
	}
	return left
}

// review opens the plan once more, with these edits switched on. What they are of is not
// what the server runs: the steps that only look are taken again after it as they were.
func (w *wizard) review(edits map[string]bool) tea.Cmd {
	w.at = slices.IndexFunc(w.pages, func(p *page) bool { return p.Name == steps.Write })
	w.scroll, w.question = 0, nil
	for _, later := range w.pages[w.at+1:] {
		later.again = w.phase(later) == done && later.Changes == ""
	}
	w.current().fresh, w.current().stay, w.reviewed = true, false, edits
	return w.ask(steps.Write, func(run *steps.Run) { run.Switch(edits) })
}

// leaveReview goes back to the checklist: with these edits off there is nothing to write,
// and what only looks passes by itself.
func (w *wizard) leaveReview() tea.Cmd {
	w.drop()
	off := map[string]bool{}
	for id := range w.reviewed {
		off[id] = false
	}
	cmd := w.review(off)
	w.reviewed = nil
	return cmd
}
