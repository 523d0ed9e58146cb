package ui

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/ui/style"
)

// short reports whether the prompt must make do with one row.
func (w *wizard) short() bool { return w.height < 12 }

// drawPrompt draws a question and its options, with a bar at its left. The option
// that has the focus is filled; it stands in brackets, which have its colour then and
// show where there is none.
func (w *wizard) drawPrompt(p *prompt) []string {
	if p == nil {
		return nil
	}
	s := w.styles
	bar := strings.Repeat(" ", min(1, w.margin())) + s.Accent.Render(s.Marks.Bar) + " "
	room := max(1, w.width-ansi.StringWidth(bar)-1)
	var rows []string
	add := func(row string) { rows = append(rows, bar+ansi.Truncate(row, room, s.Marks.Ellipsis)) }
	for _, row := range w.asked(p, min(room, textWidth)) {
		add(s.Bold.Render(row))
	}
	if w.typing() {
		w.drawForm(w.form, min(room, textWidth), add)
		return rows
	}
	if p.list && !w.short() {
		w.drawList(p, room, add)
		return rows
	}
	for _, row := range w.buttons(p, room) {
		add(row)
	}
	return rows
}

// questionRows is how many rows a question may take: on a short terminal what the
// header, the answers and a row to read leave; a question that came over the page needs
// no row of it.
func (w *wizard) questionRows(p *prompt) int {
	switch {
	case p.question == "":
		return 0
	case !w.short():
		return w.height
	case p == w.question:
		return max(0, w.height-2)
	}
	return max(0, min(w.height-4, 2))
}

// asked is the question in rows of at most width columns: on a short terminal without
// what is said before it, and the last row says when there was more.
func (w *wizard) asked(p *prompt, width int) []string {
	question, n := p.question, w.questionRows(p)
	if n <= 0 {
		return nil
	}
	if w.short() {
		question = question[strings.LastIndex(question, "\n")+1:]
	}
	rows := style.Wrap(question, width, true)
	if n >= len(rows) {
		return rows
	}
	return append(slices.Clone(rows[:n-1]), ansi.Truncate(strings.Join(rows[n-1:], " "), width, w.styles.Marks.Ellipsis))
}

// noteColumn is where the notes of a list begin, where there is room.
const noteColumn = 32

// drawList draws one option a row, with its note beside it; where the notes do
// not fit there, each below its option; and where the terminal is too short for
// that, without them.
func (w *wizard) drawList(p *prompt, room int, add func(string)) {
	s := w.styles
	longest, needs := 0, 0
	for _, o := range p.options {
		longest = max(longest, 2+ansi.StringWidth(o.label))
		needs = max(needs, ansi.StringWidth(o.note))
	}
	column := noteColumn
	if longest+2 > column || column+needs > room {
		column = longest + 2
	}
	below := column+needs > room
	for i, o := range p.options {
		row := s.Marks.Todo + " " + o.label
		if i == w.selected {
			row = s.Accent.Render(s.Marks.Current + " " + o.label)
		}
		if o.note != "" && !below {
			row += strings.Repeat(" ", column-2-ansi.StringWidth(o.label)) + s.Muted.Render(s.Marks.Plain(o.note))
		}
		add(row)
		if o.note != "" && below && w.height >= 16 {
			for _, note := range style.Wrap(s.Marks.Plain(o.note), max(1, room-2), true) {
				add("  " + s.Muted.Render(note))
			}
		}
	}
}

// buttonRows is how many rows the options may take side by side.
func (w *wizard) buttonRows() int { return max(1, w.height/3-1) }

// buttons puts the options side by side, in as many rows as they need. On a short
// terminal those rows show that lead to the one with the focus, with a sign that there
// are others where it fits.
func (w *wizard) buttons(p *prompt, room int) []string {
	s := w.styles
	var rows []string
	at, used := 0, 0
	for i, o := range p.options {
		label := ansi.Truncate(o.label, max(1, room-4), s.Marks.Ellipsis)
		// As wide as with the focus, so that no button changes its row with that.
		needs := ansi.StringWidth(label) + 4
		gap := "  "
		if i == w.selected || i == w.selected+1 {
			gap = "   " // the brackets stand closer to the label than a blank does
		}
		if rows == nil || used+needs > room {
			rows, used, gap = append(rows, ""), 2, "" // two for the wider gaps
		}
		button := s.Quiet.Render(" " + label + " ")
		if i == w.selected {
			at = len(rows) - 1
			button = s.Edge.Render("[") + s.Button.Render(" "+label+" ") + s.Edge.Render("]")
		}
		rows[len(rows)-1] += gap + button
		used += needs
	}
	n := w.buttonRows()
	if len(rows) <= n {
		return rows
	}
	from := max(0, at-n+1)
	shown := slices.Clone(rows[from : from+n])
	if more := "  " + s.Muted.Render(s.Marks.Ellipsis); ansi.StringWidth(shown[n-1])+ansi.StringWidth(more) <= room {
		shown[n-1] += more
	}
	return shown
}
