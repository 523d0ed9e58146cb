package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// troubleOverlay lists what is wrong here; enter opens a finding, and a leads to every
// one that keysplit knows.
func troubleOverlay(w *wizard) *overlay {
	here := finding.Groups(w.facts.open)
	l := &list{n: len(here), open: func(at int) *overlay {
		o := findingOverlay(w.advised(here[at]), w.styles.Severity(here[at].Severity))
		if ways := w.remedies(nil, []finding.Finding{here[at].WithSeverity(finding.Error)}); len(ways) > 0 {
			o.way = ways[0]
		}
		return o
	}}
	return &overlay{title: "Findings", brief: "findings", key: "t", list: l, other: func() *overlay { return catalogueOverlay(w) }, draw: func(w *wizard, s *sheet) {
		for i, f := range here {
			s.found(l, i, f)
		}
		if len(here) == 0 {
			s.hang(w.styles.Mark(steps.MarkOK)+" ", lipgloss.NewStyle(), "No problems found.")
		}
	}}
}

// catalogueOverlay lists every finding that keysplit knows.
func catalogueOverlay(w *wizard) *overlay {
	codes := finding.Codes()
	l := &list{n: len(codes), open: func(at int) *overlay {
		p, _ := finding.LookUp(codes[at])
		return findingOverlay(w.advised(one(finding.Finding{Code: p.Code, Severity: p.Severity, Message: prose.Of(p.Message), Why: prose.Of(p.Why), Fix: p.Fix, Fixable: p.Fixable, Optional: p.Edit})), w.styles.Muted.Render(w.styles.Marks.Dot))
	}}
	return &overlay{title: "All findings", brief: "all findings", key: "a", list: l, draw: func(_ *wizard, s *sheet) {
		for i, c := range codes {
			p, _ := finding.LookUp(c)
			s.known(l, i, p)
		}
	}}
}

// listed draws the rows of one entry of the list with draw, behind a bar when it
// has the focus.
func (s *sheet) listed(l *list, i int, draw func(bar string, focus bool)) {
	bar, focus := "  ", i == l.at
	if focus {
		bar = s.s.Accent.Render(s.s.Marks.Bar) + " "
		l.row = len(s.rows)
	}
	draw(bar, focus)
	if focus {
		l.until = len(s.rows) - 1
	}
}

// one is a finding of a single place.
func one(f finding.Finding) finding.Group { return finding.Groups([]finding.Finding{f})[0] }

// found is a finding of the project: what is wrong, and below it the code and
// the place.
func (s *sheet) found(l *list, i int, f finding.Group) {
	s.listed(l, i, func(bar string, focus bool) {
		st := lipgloss.NewStyle()
		if focus {
			st = s.s.Bold
		}
		s.behind(bar+s.s.Severity(f.Severity)+" ", bar+"  ", st, f.Message.Rendered())
		below := string(f.Code)
		if p := place(f); p != "" {
			below += "  " + p
		}
		s.behind(bar+"  ", bar+"  ", s.s.Muted, below)
	})
}

// codeColumn is the width of the column of the codes where a message has room
// beside the longest, and where most fit.
const (
	codeColumn = 36
	codeNarrow = 24
)

// known is a page of the catalogue: nothing is said about the project, so its
// mark is a neutral one. The message stands beside the code, or below a long one.
func (s *sheet) known(l *list, i int, p finding.Page) {
	s.listed(l, i, func(bar string, focus bool) {
		st := lipgloss.NewStyle()
		if focus {
			st = s.s.Accent
		}
		code := st.Render(string(p.Code))
		mark := bar + s.s.Muted.Render(s.s.Marks.Dot) + " "
		column := codeNarrow
		switch {
		case s.width >= textWidth+20:
			column = codeColumn
		case s.width < textWidth-8:
			column = 0
		}
		gap := column - ansi.StringWidth(string(p.Code))
		if gap < 2 {
			s.add(mark + code)
			mark, code = bar+"  ", ""
			gap = column
		}
		rest := bar + strings.Repeat(" ", 2+column)
		s.behind(mark+code+strings.Repeat(" ", gap), rest, s.s.Muted, p.Message)
	})
}

// findingOverlay explains one finding, behind a mark that says whether it was made.
func findingOverlay(f finding.Group, mark string) *overlay {
	return &overlay{title: "Finding", brief: "finding", key: "t", draw: func(w *wizard, s *sheet) {
		s.say(mark+" ", w.styles.Bold, f.Message)
		s.hang("  ", w.styles.Muted, fmt.Sprintf("%s, %s", f.Code, f.Severity))
		if p := place(f); p != "" {
			s.hang("  ", w.styles.Muted, p)
		}
		s.heading("Why it matters")
		s.say("", lipgloss.NewStyle(), f.Why)
		s.heading("What to do")
		if f.FixedBySteps() {
			s.hang("", w.styles.OK, "The steps of the upgrade fix this for you.")
			return
		}
		s.say("", lipgloss.NewStyle(), f.Fix)
	}}
}
