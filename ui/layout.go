package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

const (
	textWidth = 76 // no text is wider
	calm      = 24 // rows up to which the footer stays at the bottom
)

// frame is what a screen puts around its body.
type frame struct {
	header  string
	stepper string
	body    *sheet
	prompt  []string
	footer  string
}

// margin is the indent of the body.
func (w *wizard) margin() int {
	switch {
	case w.width >= 60:
		return 3
	case w.width >= 30:
		return 1
	}
	return 0
}

// content is the width of the body.
func (w *wizard) content() int { return max(1, min(textWidth, w.width-w.margin()-1)) }

// View draws the screen: never wider and never higher than the terminal.
func (w *wizard) View() string {
	f := w.frame()
	rows := w.compose(f)
	for i, r := range rows {
		rows[i] = ansi.Truncate(r, w.width, "")
	}
	return strings.Join(rows, "\n")
}

func (w *wizard) frame() frame {
	if w.over != nil {
		return w.overFrame()
	}
	return frame{
		header: w.header(), stepper: w.stepper(), body: w.body(),
		prompt: w.drawPrompt(w.prompt()), footer: w.footer(),
	}
}

// budget says what of a frame fits into the height.
type budget struct {
	sheet   *sheet
	stepper bool
	footer  bool
	gaps    int // blank rows between the parts
	room    int // rows for the body
}

// fit budgets the height. When it is short, blank rows go first, then the
// stepper, then the help; the body scrolls. The header, one row of the body
// and the prompt stay, the prompt longest.
func (w *wizard) fit(f frame) budget {
	f.body.trim()
	b := budget{sheet: f.body, stepper: f.stepper != "", footer: true, gaps: 3}
	height := max(1, w.height)
	fixed := func() int {
		n := 1 + len(f.prompt) + b.gaps
		if b.stepper {
			n++
		}
		if b.footer {
			n++
		}
		return n
	}
	for b.gaps > 0 && fixed()+len(b.sheet.rows) > height {
		b.gaps--
	}
	if fixed()+len(b.sheet.rows) > height {
		b.sheet = b.sheet.compact()
	}
	if b.stepper && fixed()+min(len(b.sheet.rows), 3) > height {
		b.stepper = false
	}
	if fixed()+min(len(b.sheet.rows), 1) > height {
		b.footer = false
	}
	b.room = max(0, height-fixed())
	return b
}

// compose puts the parts together, no more rows than the terminal has.
func (w *wizard) compose(f frame) []string {
	height := max(1, w.height)
	if len(f.prompt) >= height {
		return f.prompt[len(f.prompt)-height:]
	}
	b := w.fit(f)
	rows := []string{f.header}
	gap := func(order int) {
		if b.gaps >= order {
			rows = append(rows, "")
		}
	}
	gap(3)
	if b.stepper {
		rows = append(rows, f.stepper)
		gap(2)
	}
	indent := strings.Repeat(" ", w.margin())
	for _, r := range w.window(b) {
		if r != "" {
			r = indent + r
		}
		rows = append(rows, r)
	}
	if len(f.prompt) > 0 {
		gap(1)
		rows = append(rows, f.prompt...)
	}
	if b.footer {
		for b.gaps == 3 && len(rows) < min(height, calm)-1 {
			rows = append(rows, "")
		}
		rows = append(rows, f.footer)
	}
	return rows[:min(len(rows), height)]
}

// shown is how many rows of the body can be seen: one less than there is room
// for when a row must say how much more there is.
func (b budget) shown() int {
	if len(b.sheet.rows) > b.room && b.room >= 4 {
		return b.room - 1
	}
	return min(b.room, len(b.sheet.rows))
}

// window shows the part of the body that fits. While something runs, or in a
// list, it follows the active row.
func (w *wizard) window(b budget) []string {
	rows, active, shown := b.sheet.rows, b.sheet.active, b.shown()
	if shown == len(rows) {
		return rows
	}
	top := min(w.scroll, len(rows)-shown)
	if active >= 0 && (w.job != nil || w.over != nil) && (active < top || active >= top+shown) {
		top = min(max(0, active-shown+1), len(rows)-shown)
	}
	out := append([]string{}, rows[top:top+shown]...)
	if shown < b.room {
		s := w.styles
		more := fmt.Sprintf("%s %d more rows: pgdn", s.Marks.Ellipsis, len(rows)-shown-top)
		if top+shown >= len(rows) {
			more = fmt.Sprintf("%s the end; back up: pgup", s.Marks.Ellipsis)
		}
		out = append(out, s.Muted.Render(ansi.Truncate(more, w.content(), "")))
	}
	return out
}

// lowest is the largest useful scroll position.
func (w *wizard) lowest() int {
	b := w.fit(w.frame())
	return len(b.sheet.rows) - b.shown()
}

// names picks the word for a key that the locale can show.
func (w *wizard) names(sign, word string) string {
	if w.utf8 {
		return sign
	}
	return word
}

// short tells that the prompt must make do with one row.
func (w *wizard) short() bool { return w.height < 12 }

// drawPrompt draws a question and its options, with a bar at its left. The
// option that has the focus stands in brackets: without colour nothing else
// would show it.
func (w *wizard) drawPrompt(p *prompt) []string {
	if p == nil {
		return nil
	}
	s := w.styles
	bar := strings.Repeat(" ", min(1, w.margin())) + s.Accent.Render(s.Marks.Bar) + " "
	room := max(1, w.width-ansi.StringWidth(bar)-1)
	var rows []string
	add := func(row string) { rows = append(rows, bar+ansi.Truncate(row, room, s.Marks.Ellipsis)) }
	fields, focus := w.openFields()
	if p.question != "" && (!w.short() || w.question != nil && w.height > 5) && len(fields) == 0 {
		for _, row := range strings.Split(ansi.Wrap(p.question, min(room, textWidth), ""), "\n") {
			add(s.Bold.Render(row))
		}
	}
	if len(fields) > 0 {
		for i, f := range fields {
			if w.short() && i != focus {
				continue
			}
			label := f.label + ": "
			st := s.Muted
			if i == focus {
				st = s.Accent
			}
			add(st.Render(label) + f.view(s, min(room, textWidth)-len(label), i == focus))
		}
		return rows
	}
	if p.list && !w.short() {
		for i, o := range p.options {
			row := s.Marks.Todo + " " + o.label
			if i == w.selected {
				row = s.Accent.Render(s.Marks.Current + " " + o.label)
			}
			if o.note != "" {
				row += strings.Repeat(" ", max(2, 30-ansi.StringWidth(o.label))) + s.Muted.Render(o.note)
			}
			add(row)
		}
		return rows
	}
	add(strings.TrimRight(w.buttons(p, room), " "))
	return rows
}

// buttons puts the options side by side, those that do not fit left out so that
// the one with the focus always shows.
func (w *wizard) buttons(p *prompt, room int) string {
	s := w.styles
	draw := func(from int) (string, bool) {
		row, fits := "", true
		for i := from; i < len(p.options); i++ {
			b := "  " + p.options[i].label + "  "
			if i == w.selected {
				b = s.Accent.Bold(true).Render("[ " + ansi.Truncate(p.options[i].label, max(1, room-4), s.Marks.Ellipsis) + " ]")
			}
			if ansi.StringWidth(row)+ansi.StringWidth(b) > room && i > w.selected {
				break
			}
			row += b
		}
		if ansi.StringWidth(row) > room {
			fits = false
		}
		return row, fits
	}
	for from := range p.options {
		if from > w.selected {
			break
		}
		if row, fits := draw(from); fits || from == w.selected {
			return row
		}
	}
	return ""
}

// openFields are the text fields of the page that wait for input.
func (w *wizard) openFields() ([]*field, int) {
	p := w.current()
	if p == nil || w.question != nil {
		return nil, 0
	}
	if ph := w.phase(p); ph != ready && ph != done {
		return nil, 0
	}
	return p.screen.fields()
}
