package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/steps"
)

// where names the page, long and short.
func (w *wizard) where() (long, brief string) {
	p := w.current()
	switch {
	case p == nil && w.backPhase() != backNone:
		return "Restore everything", "restore"
	case p == nil:
		return "Summary", "summary"
	case w.atEnd():
		return p.Title, strings.ToLower(p.Title)
	case p.Number == 0:
		return capital(p.Task), strings.ToLower(p.Title)
	}
	n := steps.Numbered()
	return fmt.Sprintf("Step %d of %d: %s", p.Number, n, p.Task), fmt.Sprintf("%d/%d %s", p.Number, n, p.Title)
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// headline is the first row: the program, the page, and at the right the project
// or the time, and the environment; or more, which says that the body goes on: the
// first of the forms that fits.
func (w *wizard) headline(long, brief string, more []string) string {
	s := w.styles
	name, title, gap := long, " "+w.title+" ", " "
	if w.width < 60 {
		name = brief
	}
	if w.width < 30 {
		title, gap = " "+firstWord(w.title)+" ", ""
	}
	env := w.environment()
	chip := s.Title
	if w.width < 30 && w.away() {
		title = " " + w.facts.environment + " " // there is room for one of the two
		if w.facts.production {
			chip = s.Danger
		}
	}
	if name == long && ansi.StringWidth(title+gap+long)+2+ansi.StringWidth(env) >= w.width {
		name = brief
	}
	left := chip.Render(title) + gap + s.Bold.Render(name)
	// The right end of the body; a path that needs it goes on beyond.
	edge := min(w.width, w.margin()+w.content())
	if w.width >= twoPanes {
		edge = min(w.width-1, w.margin()+listWidth)
	}
	if len(more) > 0 {
		right := more[len(more)-1]
		for _, m := range more {
			if ansi.StringWidth(left)+1+ansi.StringWidth(m) <= edge {
				right = m
				break
			}
		}
		left = ansi.Truncate(left, max(0, w.width-1-ansi.StringWidth(right)), s.Marks.Ellipsis)
		space := max(1, edge-ansi.StringWidth(left)-ansi.StringWidth(right))
		return left + strings.Repeat(" ", space) + s.Accent.Render(right)
	}
	right := w.facts.folder
	if w.throwaway {
		right = tail(right, 2)
	}
	if w.job != nil && w.elapsed.Seconds() >= 1 {
		right = fmt.Sprintf("%.0f s", w.elapsed.Seconds())
	}
	if need := ansi.StringWidth(left) + 4 + ansi.StringWidth(right) + ansi.StringWidth(env); need > edge {
		edge = min(w.width-1, need)
	}
	room := edge - ansi.StringWidth(left) - 2
	if right = w.fitPath(right, room-2-ansi.StringWidth(env)); right != "" && w.width >= 60 {
		right = s.Muted.Render(right) + "  " + env
	} else {
		right = env
	}
	if ansi.StringWidth(right) > room {
		return ansi.Truncate(left, w.width, s.Marks.Ellipsis)
	}
	return left + strings.Repeat(" ", room+2-ansi.StringWidth(right)) + right
}

// environment is the name of what is changed, so that nobody takes one for another.
func (w *wizard) environment() string {
	s := w.styles
	switch {
	case w.facts.production:
		return s.Danger.Render(" " + w.facts.environment + " ")
	case w.facts.environment == steps.DefaultEnvironment:
		return s.OK.Render(w.facts.environment)
	}
	return s.Warn.Bold(true).Render(w.facts.environment)
}

// away reports whether it is not the machine of a developer that is changed.
func (w *wizard) away() bool {
	return w.facts.production || w.facts.environment != steps.DefaultEnvironment && w.facts.environment != ""
}

// fitPath shortens a path from its beginning, folder by folder; "" where not even
// its last name fits.
func (w *wizard) fitPath(path string, room int) string {
	if ansi.StringWidth(path) <= room {
		return path
	}
	for n := strings.Count(path, "/"); n > 0; n-- {
		if short := w.styles.Marks.Ellipsis + "/" + tail(path, n); ansi.StringWidth(short) <= room {
			return short
		}
	}
	return ""
}

// tail is the last n names of a path.
func tail(path string, n int) string {
	names := strings.Split(path, "/")
	return strings.Join(names[max(0, len(names)-n):], "/")
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
		if p.Number == 0 {
			continue
		}
		mark, name := s.Muted.Render(s.Marks.Todo), s.Muted.Render(p.Title)
		ph, here := w.phase(p), i == w.at
		if w.backPhase() == backRunning && w.restoring.past(p) {
			ph = waiting
		}
		if w.backPhase() == backRunning {
			here = p.Name == w.restoring.at
		}
		switch ph {
		case done:
			mark, name = s.Mark(p.verdict()), p.Title
		case failed:
			mark, name = s.Error.Render(s.Marks.Failed), p.Title
		case skipped:
			mark = s.Warn.Render("-")
		default:
			if (w.at == 0 || w.asksBack()) && w.begun.ticked(p) {
				mark, name = s.Mark(steps.MarkOK), p.Title
			}
		}
		if here {
			name = s.Accent.Bold(true).Render(p.Title)
			if w.backPhase() == backRunning || ph != failed && ph != done && ph != skipped {
				mark = s.Accent.Render(s.Marks.Current)
			}
		}
		long = append(long, mark+" "+name)
		brief = append(brief, mark)
	}
	for _, length := range []int{4, 1} {
		rule := " " + s.Rule.Render(strings.Repeat(s.Marks.Rule, length)) + " "
		if row := " " + strings.Join(long, rule); ansi.StringWidth(row) < w.width {
			return row
		}
	}
	return " " + strings.Join(brief, " ")
}
