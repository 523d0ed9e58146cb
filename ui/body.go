package ui

import (
	"slices"

	"github.com/charmbracelet/lipgloss"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// body draws what there is to read on the page.
func (w *wizard) body() *sheet {
	spin := ""
	if w.job != nil {
		spin = w.spin.View()
	}
	s := newSheet(w.styles, w.content(), spin)
	s.now = w.started.Add(w.elapsed)
	if w.width >= twoPanes {
		s.wide = min(listWidth, w.width-w.margin()-1)
	}
	p := w.current()
	if p == nil {
		w.end(s)
		return s
	}
	ph := w.phase(p)
	if ph == planning || ph == ready || ph == running {
		w.ledger(s)
	}
	switch ph {
	case waiting:
		s.hang("", w.styles.Muted, "Not checked yet.")
	case planning:
		if p.plan.Summary.Empty() {
			s.focus(0, 0)
			s.hang(s.spin+" ", lipgloss.NewStyle(), "Checking what to do.")
			break
		}
		p.screen.plan(w, s, p.plan)
	case ready:
		p.screen.plan(w, s, p.plan)
	case running:
		s.hang("", w.styles.Bold, p.Doing)
		s.blank()
		s.lines(p.lines)
		if s.active < 0 {
			s.focus(len(s.rows), len(s.rows))
			s.hang(s.spin+" ", w.styles.Muted, "working")
		}
	case done:
		p.screen.done(w, s, p)
	case failed:
		w.failedBody(s, p)
	case skipped:
		s.hang("", w.styles.Bold, "Skipped. This does not count as done.")
		s.blank()
		s.hang("", w.styles.Muted, "The next steps use what is there.")
	}
	return s
}

// ledger says above a page what the steps before it have proved, a line each.
func (w *wizard) ledger(s *sheet) {
	if w.short() {
		return
	}
	for _, p := range w.pages[:w.at] {
		if p.Number > 0 && w.phase(p) == done {
			s.summaryLine(p, done)
		}
	}
	s.blank()
}

// doneBody shows the lines of proof and what else was found.
func (w *wizard) doneBody(s *sheet, p *page) {
	text := p.heading()
	if w.width < 30 && text == verified {
		text = "Done, verified."
	}
	s.hang(s.s.Mark(p.verdict())+" ", w.styles.Bold, text)
	s.blank()
	found := func() {
		for _, f := range finding.Groups(p.findings) {
			s.finding(w.advised(f), true)
		}
		s.blank()
	}
	if p.warned() { // what to do about it matters more than the lines
		found()
	}
	s.lines(p.lines)
	s.blank()
	if !p.warned() {
		found()
	}
}

const verified = "Done and verified."

// heading says that a step is done: for one with nothing to do, that.
func (p *page) heading() string {
	switch {
	case p.plan.Nothing:
		return p.plan.Summary.Rendered()
	case p.warned():
		return "Done, but the lines marked ! are not proved."
	}
	return verified
}

// verdict is the mark of a step that is done: no tick, where not all of it is proved.
func (p *page) verdict() steps.Mark {
	if p.warned() {
		return steps.MarkWarn
	}
	return steps.MarkOK
}

// warned reports whether a line of the page is marked with a warning.
func (p *page) warned() bool {
	return slices.ContainsFunc(p.lines, func(l steps.Event) bool { return l.Mark == steps.MarkWarn })
}
