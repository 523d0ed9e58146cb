package ui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// What of the items is drawn where: from twoPanes columns on the details of the one
// that is looked at stand beside the list, else below it.
const (
	twoPanes = 100
	listPane = 55
	around   = 8 // rows of a page beside its body, with one for the buttons
)

// lines are the items, and nothing else that the step says.
func (c *checklistScreen) lines(p *page) []steps.Event {
	return slices.DeleteFunc(slices.Clone(p.lines), func(l steps.Event) bool { return l.Kind != steps.EventCheck })
}

// looked is the line of the item that is looked at: the first open one until the person
// moves.
func (c *checklistScreen) looked(all []steps.Event) int {
	if open := slices.IndexFunc(all, func(l steps.Event) bool { return l.Mark == steps.MarkWarn }); !c.strayed && open >= 0 {
		return open
	}
	return max(0, min(c.at, len(all)-1))
}

// move looks at another item. It reports whether the key was one for that.
func (c *checklistScreen) move(w *wizard, key string) bool {
	all := c.lines(w.page(steps.Checklist))
	at := c.looked(all)
	switch key {
	case "down", "j":
		at++
	case "up", "k":
		at--
	default:
		if len(key) != 1 || key[0] < '1' || int(key[0]-'0') > len(all) {
			return false
		}
		at = int(key[0] - '1')
	}
	c.at, c.strayed = max(0, min(at, len(all)-1)), true
	w.scroll = w.top(w.fit(w.frame()))
	return true
}

// bar shows how much of the checklist is done.
func (c *checklistScreen) bar(s *sheet, p *page) {
	const longest = 36
	in, open := p.tally()
	all := max(1, in+open)
	signed := 0
	for _, it := range c.items {
		if it.State == checklist.Attested {
			signed++
		}
	}
	text := fmt.Sprintf("%d of %d done", in-signed, in+open)
	if signed > 0 {
		text += fmt.Sprintf(", %d signed off", signed)
	}
	left := ""
	if open > 0 {
		left = s.s.Warn.Render(fmt.Sprintf("%d left", open))
	}
	row := s.s.Bold.Render(text)
	if width := min(longest, s.width-ansi.StringWidth(text)-ansi.StringWidth(left)-4); width >= all {
		full := width * in / all
		row += "  " + s.s.OK.Render(strings.Repeat(s.s.Marks.Heavy, full)) + s.s.Rule.Render(strings.Repeat(s.s.Marks.Rule, width-full))
	}
	s.add(strings.TrimRight(row+"  "+left, " "))
}

// list draws an item a row, and the details of the one that is looked at.
func (c *checklistScreen) list(w *wizard, s *sheet, all []steps.Event) {
	at := c.looked(all)
	if w.width < twoPanes {
		c.single(w, s, all, at)
		return
	}
	left := newSheet(s.s, listPane, "")
	for i, l := range all {
		c.row(left, l, i == at)
	}
	right := newSheet(s.s, min(listWidth, w.width-w.margin()-1)-listPane-3, "")
	if at < len(all) {
		right.say("", s.s.Bold, all[at].Text)
		right.blank()
		c.details(w, right, all[at])
	}
	bar := s.s.Rule.Render(s.s.Marks.Side) + "  "
	for i := range max(len(left.rows), len(right.rows)) {
		row := strings.Repeat(" ", listPane)
		if i < len(left.rows) {
			row = left.rows[i] + strings.Repeat(" ", max(0, listPane-ansi.StringWidth(left.rows[i])))
		}
		if row += bar; i < len(right.rows) {
			row += right.rows[i]
		}
		s.rows = append(s.rows, strings.TrimRight(row, " "))
	}
}

// single draws the list in one column, with the details below the item. Until the person
// moves, they are left out where the list would not fit with them.
func (c *checklistScreen) single(w *wizard, s *sheet, all []steps.Event, at int) {
	room := w.height - around - len(s.rows)
	for i, l := range all {
		from := len(s.rows)
		c.row(s, l, i == at)
		if i != at {
			continue
		}
		below := newSheet(s.s, max(1, s.width-6), "")
		c.details(w, below, l)
		if !c.strayed && len(all)+len(below.rows) > room {
			continue
		}
		for _, r := range below.rows {
			s.rows = append(s.rows, strings.TrimRight("      "+r, " "))
		}
		if c.strayed { // until then the ending matters more
			s.focus(from, len(s.rows)-1)
		}
	}
}

// row is one item of the list.
func (c *checklistScreen) row(s *sheet, l steps.Event, focus bool) {
	st := s.s.Muted
	switch {
	case focus:
		st = s.s.Accent.Bold(true)
	case l.Mark == steps.MarkWarn:
		st = lipgloss.NewStyle()
	}
	bar := "  "
	if focus {
		bar = s.s.Accent.Render(s.s.Marks.Bar) + " "
	}
	s.behind(bar+s.s.Mark(l.Mark)+" ", bar+"  ", st, l.Text.Rendered())
}

// sentence makes a reason one of its own; a path at its beginning stays as it is.
func sentence(reason string) string {
	if first, _, _ := strings.Cut(reason, " "); !strings.ContainsAny(first, "./_-") {
		reason = capital(reason)
	}
	return reason + "."
}

// details are what was seen of an item, or why it is open and what to do.
func (c *checklistScreen) details(w *wizard, s *sheet, l steps.Event) {
	it := c.items[l.ID]
	if l.Mark != steps.MarkWarn {
		for _, ev := range it.Evidence {
			s.hang(s.s.Mark(steps.MarkOK)+" ", s.s.Muted, ev.Words())
		}
		if len(it.Evidence) == 0 {
			s.hang("", s.s.Muted, sentence(l.Detail.Rendered()))
		}
		return
	}
	s.hang("", s.s.Muted, sentence(l.Detail.Rendered()))
	if it.Against != "" && w.typing() {
		s.hang(s.s.Mark(steps.MarkWarn)+" ", s.s.Warn, "The evidence says otherwise: "+it.Against)
	}
	todo := pressed(w.advised(one(finding.Finding{Fix: it.Todo})).Fix)
	if it.Awaits && w.endingNow().OwnServer { // the page waits for it
		todo = prose.Say("Start your server. It is tested as soon as it answers.")
	}
	if todo.Runs("--username") {
		todo = prose.Say("Log in with an account: %s.", logIn)
	}
	todo = todo.Instead(func(command string) string {
		if strings.HasPrefix(command, "keysplit upgrade") {
			return "the steps again (esc goes back to them)"
		}
		return ""
	})
	if !todo.Empty() && !w.typing() { // else it is being done
		s.say(s.s.Accent.Render("Do")+"  ", lipgloss.NewStyle(), todo)
	}
}
