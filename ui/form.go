package ui

import (
	"fmt"
	"strings"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/steps"
)

// form is a question that is answered by typing. It takes the place of the page's
// prompt until its last field is done or esc closes it; either way it forgets what was
// typed.
type form struct {
	question string
	fields   []*field
	focus    int
	submit   func(w *wizard) tea.Cmd // takes the text of the fields
}

// open shows a form with the focus on its first field that is empty.
func (w *wizard) open(f *form) {
	w.shut()
	w.form = f
	for f.focus = 0; f.focus < len(f.fields)-1 && !f.fields[f.focus].empty(); f.focus++ {
	}
}

// shut closes the form that is open.
func (w *wizard) shut() {
	if w.form == nil {
		return
	}
	for _, f := range w.form.fields {
		f.reset()
	}
	w.form = nil
}

// typing reports whether a form waits for text.
func (w *wizard) typing() bool { return w.form != nil && w.question == nil && w.over == nil }

// pressed takes a key of the form.
func (f *form) pressed(w *wizard, k tea.KeyMsg) tea.Cmd {
	switch n := len(f.fields); k.String() {
	case "esc":
		w.shut()
	case "tab", "down":
		f.focus = (f.focus + 1) % n
	case "shift+tab", "up":
		f.focus = (f.focus + n - 1) % n
	case "enter":
		return f.next(w)
	default:
		f.fields[f.focus].key(k)
	}
	return nil
}

// next goes to the field that still lacks something, and with none submits.
func (f *form) next(w *wizard) tea.Cmd {
	if w.flash = f.fields[f.focus].lacks(); w.flash != "" {
		return nil
	}
	for i, one := range f.fields {
		if one.lacks() != "" {
			f.focus = i
			return nil
		}
	}
	defer w.shut()
	return f.submit(w)
}

// drawForm draws the fields in one column, the one that has the focus with what is
// known of its text. On a short terminal that one is all.
func (w *wizard) drawForm(f *form, room int, add func(string)) {
	s, longest := w.styles, 0
	for _, one := range f.fields {
		longest = max(longest, ansi.StringWidth(one.label))
	}
	for i, one := range f.fields {
		focus, label, st := i == f.focus, one.label+": ", s.Muted
		switch {
		case w.short() && !focus:
			continue
		case !w.short():
			label = strings.Repeat(" ", longest-ansi.StringWidth(one.label)) + label
		}
		if focus {
			st = s.Accent
		}
		left := room - ansi.StringWidth(label)
		if left < 4 && w.height > 4 { // the label has a row of its own
			add(st.Render(label))
			label, left = "", room
		}
		add(st.Render(label) + one.view(s, left, focus))
		if mark, text := one.judged(); focus && text != "" && !w.short() {
			add(s.Mark(mark) + " " + s.Muted.Render(s.Marks.Plain(text)))
		}
	}
}

// judged says what is known of the text while it is typed, "" where nothing is.
func (f *field) judged() (steps.Mark, string) {
	if f.judge == nil || f.empty() {
		return "", ""
	}
	return f.judge(strings.TrimSpace(string(f.text())))
}

// lacks says why the text cannot be used, "" where it can.
func (f *field) lacks() string {
	text := string(f.text())
	if !f.masked {
		text = strings.TrimSpace(text)
	}
	switch {
	case text == "":
		return f.need + ", or press esc."
	case f.most > 0 && utf8.RuneCountInString(text) > f.most:
		return fmt.Sprintf("At most %d characters.", f.most)
	}
	if mark, why := f.judged(); why != "" && mark != steps.MarkOK {
		return capital(why) + "."
	}
	return ""
}
