package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// header says where one is: the program, the step, and the project.
func (w *wizard) header() string {
	return w.headline(w.where())
}

// where names the page, long and short.
func (w *wizard) where() (long, brief string) {
	p := w.current()
	numbered := 0
	for _, q := range w.pages {
		numbered = max(numbered, q.number)
	}
	switch {
	case p == nil && w.backPhase() != backNone:
		return "Put everything back", "back"
	case p == nil:
		return "Summary", "summary"
	case p.number == 0:
		return capital(p.title), string(p.name)
	}
	return fmt.Sprintf("Step %d of %d: %s", p.number, numbered, p.title), fmt.Sprintf("%d/%d %s", p.number, numbered, p.short)
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func (w *wizard) headline(long, brief string) string {
	s := w.styles
	name := long
	if w.width < 60 {
		name = brief
	}
	chip := s.Title.Render(" " + w.title + " ")
	if w.width < 30 {
		chip = s.Title.Render(" " + firstWord(w.title) + " ")
	}
	left := chip + " " + s.Bold.Render(name)
	right := w.facts.folder
	if w.job != nil && w.elapsed.Seconds() >= 1 {
		right = fmt.Sprintf("%.0f s", w.elapsed.Seconds())
	}
	room := min(w.width, w.margin()+w.content()) - ansi.StringWidth(left) - 2
	if over := ansi.StringWidth(right) - room; over > 0 {
		right = ansi.TruncateLeft(right, over+ansi.StringWidth(s.Marks.Ellipsis), s.Marks.Ellipsis)
	}
	if w.width < 60 || right == "" || room < 8 {
		return ansi.Truncate(left, w.width, s.Marks.Ellipsis)
	}
	return left + strings.Repeat(" ", room+2-ansi.StringWidth(right)) + s.Muted.Render(right)
}

func firstWord(s string) string {
	word, _, _ := strings.Cut(s, " ")
	return word
}

// stepper is the row of the numbered steps with a mark for each.
func (w *wizard) stepper() string {
	s := w.styles
	var long, brief []string
	for i, p := range w.pages {
		if p.number == 0 {
			continue
		}
		mark, name := s.Muted.Render(s.Marks.Todo), s.Muted.Render(p.short)
		switch w.phase(p) {
		case done:
			mark, name = s.OK.Render(s.Marks.OK), p.short
		case failed:
			mark, name = s.Error.Render(s.Marks.Failed), p.short
		case skipped:
			mark = s.Warn.Render("-")
		}
		if i == w.at {
			name = s.Accent.Bold(true).Render(p.short)
			if ph := w.phase(p); ph != failed && ph != done && ph != skipped {
				mark = s.Accent.Render(s.Marks.Current)
			}
		}
		long = append(long, mark+" "+name)
		brief = append(brief, mark)
	}
	rule := " " + s.Rule.Render(strings.Repeat(s.Marks.Rule, 4)) + " "
	row := " " + strings.Join(long, rule)
	if ansi.StringWidth(row) > w.width {
		row = " " + strings.Join(brief, " ")
	}
	return row
}
