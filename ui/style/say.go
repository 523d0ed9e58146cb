package style

import (
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/steps/prose"
)

// Say wraps a text as Wrap does, behind a label: its commands and the label are in the
// accent, its prose in st. A command that a row has room for stays in one
// piece; of a longer one the first two words stay together.
func (s Styles) Say(label string, t prose.Text, st lipgloss.Style, width int, all bool) []string {
	var text strings.Builder
	var accent []bool // of each character that is no space, which Wrap may drop
	for i, p := range append([]prose.Part{{Text: label, Command: true}}, t.Parts()...) {
		if p.Text = s.Marks.Plain(p.Text); p.Command && i > 0 {
			n := 1
			if ansi.StringWidth(p.Text) < width { // a row takes the whole of it, and a sign behind it
				n = -1
			}
			p.Text = strings.Replace(p.Text, " ", bound, n)
		}
		text.WriteString(p.Text)
		for range strings.Join(strings.Fields(p.Text), "") {
			accent = append(accent, p.Copied())
		}
	}
	rows := Wrap(text.String(), width, all)
	for i, row := range rows {
		rows[i], accent = s.accented(row, accent, st)
	}
	return rows
}

// accented renders a row, and returns what is left of accent for the next one.
func (s Styles) accented(row string, accent []bool, st lipgloss.Style) (string, []bool) {
	var out, piece strings.Builder
	inAccent := false
	flush := func() {
		now := st
		if inAccent {
			now = s.Accent
		}
		if piece.Len() > 0 {
			out.WriteString(now.Render(piece.String()))
		}
		piece.Reset()
	}
	for _, r := range row {
		if strings.TrimSpace(string(r)) != "" {
			if accent[0] != inAccent {
				flush()
				inAccent = accent[0]
			}
			accent = accent[1:]
		}
		piece.WriteRune(r)
	}
	flush()
	return out.String(), accent
}
