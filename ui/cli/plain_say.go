package cli

import (
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/steps/prose"
	"dj/keysplit/ui/style"
)

// wrapped prints text in the given style, indented and no wider than width.
func (p *plainFront) wrapped(indent string, s lipgloss.Style, text string) {
	for _, l := range style.Wrap(text, p.room(indent), false) {
		p.line("%s%s", indent, s.Render(l))
	}
}

// say prints a text behind a label, as wrapped does. A command is to be copied: it stays
// in one piece, on a row of its own where it does not fit into one with the words.
func (p *plainFront) say(indent, label string, s lipgloss.Style, t prose.Text) {
	rows := p.s.Say(label, t, s, p.room(indent), false)
	before, command, after := t.Cut(func(command string, last bool) bool {
		return len(rows) == 1 || !last && slices.ContainsFunc(rows, func(row string) bool { return strings.Contains(ansi.Strip(row), command) })
	})
	switch {
	case command == "":
		for _, row := range rows {
			p.line("%s%s", indent, row)
		}
		return
	case !before.Empty():
		p.say(indent, label, s, before)
	case label != "":
		p.line("%s%s", indent, strings.TrimSpace(label))
	}
	if strings.Contains(command, "\n") { // lines for a file, in which a margin means something
		p.line("%s", command)
	} else {
		p.line("%s  %s", indent, p.s.Accent.Render(command))
	}
	if !after.Empty() {
		p.say(indent, "", s, after)
	}
}

// marked prints wrapped text behind a mark, indented as well.
func (p *plainFront) marked(indent, mark, text string) {
	rows := style.Wrap(text, p.room(indent)-2, false)
	p.line("%s%s %s", indent, mark, strings.Join(rows, "\n"+indent+"  "))
}
