package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/ui/style"
)

// sheet collects the rows of a page's body, none wider than width columns. An
// empty row is a blank one, which goes first when the terminal is short.
type sheet struct {
	s      *style.Styles
	width  int
	wide   int // of lines of proof and facts, whose details stand in one column
	rows   []string
	loose  []int  // rows that may go when the terminal is short
	active int    // first row to keep in sight, -1 for none
	until  int    // last row to keep in sight
	spin   string // what stands before a line that is running; "" when nothing runs
	now    time.Time
}

func newSheet(s *style.Styles, width int, spin string) *sheet {
	return &sheet{s: s, width: max(1, width), wide: max(1, width), active: -1, spin: spin}
}

// focus keeps rows in sight.
func (s *sheet) focus(from, until int) { s.active, s.until = from, until }

// blank adds a blank row, unless there is one already or nothing above it.
func (s *sheet) blank() {
	if n := len(s.rows); n > 0 && s.rows[n-1] != "" {
		s.rows = append(s.rows, "")
	}
}

// add adds one row that is ready.
func (s *sheet) add(row string) {
	s.rows = append(s.rows, ansi.Truncate(row, s.wide, s.s.Marks.Ellipsis))
}

// hang adds wrapped text behind a mark; its further rows are indented as far.
func (s *sheet) hang(mark string, st lipgloss.Style, text string) {
	in := ansi.StringWidth(mark)
	if in > s.width/2 {
		mark, in = ansi.Truncate(mark, s.width/2, ""), s.width/2
	}
	s.behind(mark, strings.Repeat(" ", in), st, text)
}

// behind adds wrapped text behind first, and its further rows behind rest, which
// is as wide.
func (s *sheet) behind(first, rest string, st lipgloss.Style, text string) {
	for i, row := range style.Wrap(s.s.Marks.Plain(text), max(1, s.width-ansi.StringWidth(first)), true) {
		if i > 0 {
			first = rest
		}
		if row == "" {
			s.add(strings.TrimRight(first, " "))
			continue
		}
		s.add(first + st.Render(row))
	}
}

// say adds a text behind a mark: its commands in the accent, its prose in st.
func (s *sheet) say(mark string, st lipgloss.Style, t prose.Text) {
	in, width := ansi.StringWidth(mark), s.width
	if parts := t.Parts(); len(parts) == 1 && (parts[0].Command || !strings.Contains(parts[0].Text, " ")) {
		width = s.wide // a path or a command in a row of its own is selected whole
	}
	rows := s.s.Say("", t, st, max(1, width-in), true)
	if text := t.Rendered(); len(rows) > 1 && width > 30 && text[1:3] == ". " && '1' <= text[0] && text[0] <= '9' {
		in += 3 // behind the number, where there is room for that
		rows = s.s.Say("", t, st, max(1, width-in), true)
	}
	for _, row := range rows {
		s.add(strings.TrimRight(mark+row, " "))
		mark = strings.Repeat(" ", in)
	}
}

// heading adds a line that names what follows.
func (s *sheet) heading(text string) {
	s.blank()
	s.hang("", s.s.Bold, text)
}

// sides adds one row with something at its left and at its right end. Where
// both do not fit, the right side goes.
func (s *sheet) sides(left, right string) {
	gap := s.width - ansi.StringWidth(left) - ansi.StringWidth(right)
	if gap < 2 {
		s.add(left)
		return
	}
	s.add(left + strings.Repeat(" ", gap) + right)
}

// flow adds short pieces, as many to a row as fit.
func (s *sheet) flow(pieces []string) {
	row := ""
	for _, one := range pieces {
		if row != "" && 2+ansi.StringWidth(row)+3+ansi.StringWidth(one) > s.width {
			s.add("  " + row)
			row = ""
		}
		if row != "" {
			row += "   "
		}
		row += one
	}
	if row != "" {
		s.add("  " + row)
	}
}

// rule adds a line across, which goes with the blank rows when it gets tight.
func (s *sheet) rule() {
	s.loose = append(s.loose, len(s.rows))
	s.add(s.s.Rule.Render(strings.Repeat(s.s.Marks.Rule, s.width)))
}

// compact is the sheet without its blank rows and rules.
func (s *sheet) compact() *sheet {
	out := newSheet(s.s, s.width, s.spin)
	out.wide = s.wide
	for i, r := range s.rows {
		if i == s.active {
			out.active = len(out.rows)
		}
		if i == s.until {
			out.until = len(out.rows)
		}
		if r != "" && !slices.Contains(s.loose, i) {
			out.rows = append(out.rows, r)
		}
	}
	return out
}

// trim drops the blank rows at the end.
func (s *sheet) trim() {
	for len(s.rows) > 0 && s.rows[len(s.rows)-1] == "" {
		s.rows = s.rows[:len(s.rows)-1]
	}
}

// plan adds what a step would do.
func (s *sheet) plan(p steps.Plan) {
	s.hang("", s.s.Bold, p.Summary.Rendered())
	for _, d := range p.Details {
		s.say("  ", s.s.Muted, d)
	}
	s.effects(p)
}

// pressed is a text with the key that shows the message for the team in place of the
// command that prints it.
func pressed(t prose.Text) prose.Text {
	return t.Instead(func(command string) string {
		if strings.HasPrefix(command, "keysplit report ") && strings.HasSuffix(command, " --team") {
			return "press m"
		}
		return ""
	})
}

func (s *sheet) effects(p steps.Plan) {
	if len(p.Effects) > 0 {
		s.blank()
	}
	for _, e := range p.Effects {
		s.say(s.s.Warn.Render(s.s.Marks.Warn)+" ", lipgloss.NewStyle(), pressed(e))
	}
}

// The right-hand side of a line of proof begins in one of these columns: the
// usual one, and further right for longer lines; on a narrow terminal wherever
// most lines find room.
const (
	usual     = 34
	widest    = 43
	narrowest = 16
)

// lines adds lines of proof and of progress.
func (s *sheet) lines(all []steps.Event) {
	column := s.column(all)
	for _, ev := range all {
		ev = waits(ev, s.now)
		switch ev.Kind {
		case steps.EventCheck:
			s.check(ev, column)
		case steps.EventOutput:
			s.say("    ", s.s.Muted, ev.Text)
		case steps.EventProgress:
			mark := "  "
			if ev.Limit > 0 && s.spin != "" {
				mark = s.spin + " "
				s.focus(len(s.rows), len(s.rows))
			}
			s.say(mark, s.s.Muted, joined(ev.Text, ev.Detail))
		default:
			s.say("  ", s.s.Muted, ev.Text)
		}
	}
}

// column is where the right-hand sides begin.
func (s *sheet) column(all []steps.Event) int {
	if s.wide > textWidth {
		return widest + 4 // however long the lines get that are still to come
	}
	if s.width >= textWidth {
		column := usual
		for _, ev := range all {
			if ev.Kind == steps.EventCheck && !ev.Detail.Empty() {
				column = min(widest, max(column, ansi.StringWidth(ev.Text.Rendered())+2))
			}
		}
		return column
	}
	best, most := narrowest, -1
	for column := narrowest; column <= widest; column++ {
		fit := 0
		for _, ev := range all {
			if !ev.Detail.Empty() && ansi.StringWidth(ev.Text.Rendered()) <= column-2 && ansi.StringWidth(ev.Detail.Rendered()) <= s.width-2-column {
				fit++
			}
		}
		if fit > most {
			best, most = column, fit
		}
	}
	return best
}

func (s *sheet) check(ev steps.Event, column int) {
	mark := s.s.Mark(ev.Mark)
	st := lipgloss.NewStyle()
	switch ev.Mark {
	case steps.MarkRunning:
		s.focus(len(s.rows), len(s.rows))
		if s.spin != "" {
			mark = s.spin
		}
	case steps.MarkPending, steps.MarkSkipped:
		st = s.s.Muted
	}
	text, detail := s.s.Marks.Plain(ev.Text.Rendered()), s.s.Marks.Plain(ev.Detail.Rendered())
	if ev.Mark == steps.MarkSkipped && detail == "" {
		text += " (not tried)"
	}
	if detail == "" {
		s.hang(mark+" ", st, text)
		return
	}
	// A side that is too long for the column begins before it, and that of a line
	// that reaches beyond the column just behind it; what fits nowhere stands below.
	left, right := ansi.StringWidth(text), ansi.StringWidth(detail)
	gap := max(2, min(column, s.wide-2-right)-left)
	if left+gap+right <= s.wide-2 {
		s.add(mark + " " + st.Render(text) + strings.Repeat(" ", gap) + s.s.Muted.Render(detail))
		return
	}
	s.hang(mark+" ", st, text)
	s.hang("    ", s.s.Muted, detail)
}

// finding adds what is one finding to a person; the whole of it with why and fix, or what
// it is only.
func (s *sheet) finding(f finding.Group, whole bool) {
	message := f.Message
	if p := place(f); p != "" {
		message = prose.Say("%s (%s)", message, p)
	}
	s.say(s.s.Severity(f.Severity)+" ", lipgloss.NewStyle(), message)
	if whole {
		if !f.Why.Empty() {
			s.say("  "+s.s.Muted.Render("Why")+"  ", lipgloss.NewStyle(), f.Why)
		}
		s.say("  "+s.s.Accent.Render("Do ")+"  ", lipgloss.NewStyle(), f.Fix)
	}
}

// headline adds the finding that a page is about: what is wrong in the colour of errors,
// and below it where, why and, where a person has to, what to do.
func (s *sheet) headline(f finding.Group, person bool) {
	s.say(s.s.Severity(f.Severity)+" ", s.s.Error.Bold(true), f.Message)
	why := f.Why
	if at := place(f); at != "" {
		why = prose.Say("%s %s %s", at, s.s.Marks.Dot, why)
	}
	if !why.Empty() {
		s.say("  ", s.s.Muted, why)
	}
	if person {
		s.say("  "+s.s.Accent.Render("Do ")+"  ", lipgloss.NewStyle(), f.Fix)
	}
}

// labelled adds text behind a short word.
func (s *sheet) labelled(st lipgloss.Style, label, text string) {
	if text != "" {
		s.hang("  "+st.Render(label)+"  ", lipgloss.NewStyle(), text)
	}
}

// place names the files and lines of a finding, "" when it has none.
func place(f finding.Group) string {
	if len(f.All) == 1 && f.Line > 0 {
		return fmt.Sprintf("%s, line %d", f.File, f.Line)
	}
	return f.Places()
}
