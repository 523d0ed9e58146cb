package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
)

// writeScreen shows the masked diff of the file, or the place that is written to.
type writeScreen struct{ asking }

func newWrite() screen { return &writeScreen{newAsking(steps.Write)} }

// ready offers the key to a person who is to set it themselves.
func (n *writeScreen) ready(w *wizard) prompt {
	p := n.asking.ready(w)
	if w.page(steps.Write).plan.ByHand && w.facts.key.Set() {
		p.options = append([]option{{label: "Copy the key", act: (*wizard).askCopyKey}}, p.options...)
		p.answers = "\x00yn" // no letter copies a key
	}
	return p
}

// tall is a terminal with room for changes that are only offered.
const tall = 30

func (*writeScreen) plan(w *wizard, s *sheet, p steps.Plan) {
	if len(p.Diff) == 0 {
		s.plan(p)
		return
	}
	st := w.styles
	s.edits(p.Offered(), w.height < tall)
	for _, f := range p.Diffs() {
		s.sides(st.Bold.Render(f.File), st.Muted.Render(countDiff(f.Lines)))
		s.rule()
		for _, d := range f.Lines {
			s.diff(d)
		}
		s.rule()
	}
	s.details(p.Details)
	s.effects(p)
}

// details adds what a plan says beside its summary, with short labels in one column.
func (s *sheet) details(all []prose.Text) {
	for _, d := range all {
		if label, rest := d.Label(); label != "" && len(label) <= 8 {
			s.say(s.s.Muted.Render(label)+strings.Repeat(" ", 9-len(label)), s.s.Muted, rest)
			continue
		}
		s.say("", s.s.Muted, d)
	}
}

// countDiff says how many lines change, come and go.
func countDiff(diff []steps.DiffLine) string {
	added, removed := 0, 0
	for _, d := range diff {
		switch d.Op {
		case "+":
			added++
		case "-":
			removed++
		}
	}
	changed := min(added, removed)
	words := func(n int, what string) string { return fmt.Sprintf("%d %s", n, what) }
	var out []string
	if changed > 0 {
		out = append(out, words(changed, "changed"))
	}
	if added > changed {
		out = append(out, words(added-changed, "added"))
	}
	if removed > changed {
		out = append(out, words(removed-changed, "removed"))
	}
	return strings.Join(out, ", ")
}

// diff adds one line of a diff. The note says in words what the mask hides, so
// it is the last thing to be cut.
func (s *sheet) diff(d steps.DiffLine) {
	st := s.s.Muted
	if d.Op == " " {
		s.loose = append(s.loose, len(s.rows))
	}
	switch d.Op {
	case "+":
		st = s.s.OK
	case "-":
		st = s.s.Error
	}
	m := s.s.Marks
	text := m.Plain(fmt.Sprintf("%s %s %s", d.Number(3), d.Op, d.Text))
	note := m.Plain(d.Note)
	if note == "" {
		s.add(st.Render(ansi.Truncate(text, s.width, m.Ellipsis)))
		return
	}
	room := s.width - ansi.StringWidth(note) - 2
	if room < 24 {
		s.add(st.Render(ansi.Truncate(text, s.width, m.Ellipsis)))
		s.hang("      ", s.s.Muted, note)
		return
	}
	s.add(st.Render(ansi.Truncate(text, room, m.Ellipsis)) + "  " + s.s.Muted.Render(note))
}
