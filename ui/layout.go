package ui

import (
	"fmt"
	"slices"
	"strings"

	"dj/keysplit/steps"

	"github.com/charmbracelet/x/ansi"
)

const (
	textWidth = 76 // no text is wider
	calm      = 24 // rows up to which the footer stays at the bottom
)

// frame is what a screen puts around its body.
type frame struct {
	long    string // name of the page
	brief   string // the same on a narrow terminal
	stepper string
	body    *sheet
	prompt  []string
	notice  []string // above the footer, until the next key
	footer  []string
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
	long, brief := w.where()
	return frame{
		long: long, brief: brief, stepper: w.steps(), body: w.body(),
		prompt: w.drawPrompt(w.prompt()), notice: w.notice(), footer: []string{w.drawHints(w.hints())},
	}
}

// steps is the stepper, "" where there is no project to take steps with.
func (w *wizard) steps() string {
	if p := w.current(); p != nil && p.Name == steps.Preflight && w.phase(p) == failed && w.facts.folder == "" {
		return ""
	}
	return w.stepper()
}

// budget says what of a frame fits into the height.
type budget struct {
	sheet   *sheet
	stepper bool
	notice  []string
	footer  []string
	gaps    int // blank rows between the parts
	room    int // rows for the body
}

// The blank rows between the parts, in the order in which they stay when it gets tight.
const (
	gapPrompt = iota + 1
	gapStepper
	gapHeader
	gapFooter
)

// enough is how many rows of the body a terminal shows before the blank rows go: a text
// that scrolls is read more easily than one without a gap.
const enough = 6

// fit budgets the height. The body scrolls where it does not fit; where hardly a row of
// it would be left, the blank rows go first, then the stepper, then the help. The header,
// one row of the body and the prompt stay, the prompt longest; a notice takes the place
// of the help, and of that row of the body, until the next key.
func (w *wizard) fit(f frame) budget {
	f.body.trim()
	b := budget{sheet: f.body, stepper: f.stepper != "", notice: f.notice, footer: f.footer, gaps: gapFooter}
	height := max(1, w.height)
	fixed := func() int { return b.fixed(len(f.prompt)) }
	tight := func() bool { return fixed()+min(len(b.sheet.rows), enough) > height }
	for b.gaps > 0 && tight() {
		b.gaps--
	}
	if tight() {
		b.sheet = b.sheet.compact()
	}
	if b.stepper && fixed()+min(len(b.sheet.rows), 3) > height {
		b.stepper = false
	}
	least := min(len(b.sheet.rows), 1)
	if fixed()+least > height && len(b.notice) > 0 {
		b.footer, least = nil, 0 // it is gone with the next key
	}
	if over := fixed() + least - height; over > 0 {
		b.footer = b.footer[:max(0, len(b.footer)-over)]
	}
	if over := fixed() + least - height; over > 0 {
		b.notice = w.cut(b.notice, max(0, len(b.notice)-over))
	}
	b.room = max(0, height-fixed())
	return b
}

// fixed is how many rows everything but the body takes.
func (b *budget) fixed(prompt int) int {
	n := 1 + prompt + len(b.notice) + len(b.footer)
	for _, there := range []bool{
		b.gaps >= gapHeader, b.stepper, b.stepper && b.gaps >= gapStepper,
		prompt > 0 && b.gaps >= gapPrompt, b.gaps >= gapFooter,
	} {
		if there {
			n++
		}
	}
	return n
}

// compose puts the parts together, no more rows than the terminal has.
func (w *wizard) compose(f frame) []string {
	height := max(1, w.height)
	if len(f.prompt) >= height {
		return f.prompt[len(f.prompt)-height:]
	}
	b := w.fit(f)
	rows := []string{w.headline(f.long, f.brief, w.more(b))}
	gap := func(order int) {
		if b.gaps >= order {
			rows = append(rows, "")
		}
	}
	gap(gapHeader)
	if b.stepper {
		rows = append(rows, f.stepper)
		gap(gapStepper)
	}
	indent := strings.Repeat(" ", w.margin())
	for _, r := range w.window(b) {
		if r != "" {
			r = indent + r
		}
		rows = append(rows, r)
	}
	if len(f.prompt) > 0 {
		gap(gapPrompt)
		rows = append(rows, f.prompt...)
	}
	gap(gapFooter)
	foot := append(slices.Clone(b.notice), b.footer...)
	for len(foot) > 0 && len(rows) < min(height, calm)-len(foot) {
		rows = append(rows, "")
	}
	rows = append(rows, foot...)
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

// top is the first row of the body that is shown. While something runs, or in a
// list, it follows what is to be kept in sight.
func (w *wizard) top(b budget) int {
	shown := b.shown()
	end := len(b.sheet.rows) - shown
	top := min(w.scroll, end)
	if active, until := b.sheet.active, b.sheet.until; active >= 0 {
		top = min(max(top, until-shown+1), active, end)
	}
	return max(0, top)
}

// window shows the part of the body that fits.
func (w *wizard) window(b budget) []string {
	rows, shown := b.sheet.rows, b.shown()
	if shown == len(rows) {
		return rows
	}
	top := w.top(b)
	out := append([]string{}, rows[top:top+shown]...)
	if shown < b.room {
		s := w.styles
		below := len(rows) - shown - top
		more := fmt.Sprintf("%s %s: pgdn", s.Marks.Ellipsis, steps.Plural(below, "more row"))
		if below <= 0 {
			more = fmt.Sprintf("%s the end; back up: pgup", s.Marks.Ellipsis)
		}
		out = append(out, s.Muted.Render(ansi.Truncate(more, w.content(), "")))
	}
	return out
}

// more says in the header, long and short, that there is more of the body than
// is shown, where no row below it does.
func (w *wizard) more(b budget) []string {
	rows, shown := len(b.sheet.rows), b.shown()
	if shown == rows || shown < b.room {
		return nil
	}
	sign, n := w.names("↓", "v"), rows-shown-w.top(b)
	if n <= 0 {
		sign, n = w.names("↑", "^"), w.top(b)
	}
	return []string{fmt.Sprintf("%s %d more", sign, n), fmt.Sprintf("%s%d", sign, n), sign}
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
