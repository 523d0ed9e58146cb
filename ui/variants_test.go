package ui

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"

	"dj/keysplit/ui/style"
)

// variant is a terminal: what it can show of a page.
type variant struct {
	name    string
	profile termenv.Profile
	dark    bool
	styles  func(*lipgloss.Renderer, style.Marks) style.Styles
	ascii   bool
	colour  func(codes []int) bool // reports whether a colour is one that it has
}

func anyColour([]int) bool { return true }

// sixteen are the colours that a terminal's own theme has.
func sixteen(codes []int) bool {
	c := codes[0]
	return c >= 30 && c <= 37 || c >= 40 && c <= 47 || c >= 90 && c <= 97 || c >= 100 && c <= 107
}

var variants = []variant{
	{"dark", termenv.TrueColor, true, style.New, false, anyColour},
	{"light", termenv.TrueColor, false, style.New, false, anyColour},
	{"256 colours", termenv.ANSI256, true, style.New, false, anyColour},
	{"16 colours", termenv.ANSI, true, style.Basic, false, sixteen},
	{"NO_COLOR", termenv.ANSI, true, style.Plain, false, func([]int) bool { return false }},
	{"LANG=C", termenv.TrueColor, true, style.New, true, anyColour},
	{"TERM=linux", termenv.ANSI, true, style.Basic, true, sixteen},
	{"NO_COLOR and LANG=C", termenv.ANSI, false, style.Plain, true, func([]int) bool { return false }},
}

func (v variant) look() style.Styles {
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(v.profile)
	r.SetHasDarkBackground(v.dark)
	return v.styles(r, style.MarksFor(!v.ascii))
}

// span is text with what the terminal does for it.
type span struct {
	text    string
	bold    bool
	faint   bool
	inverse bool
	colour  []int // of the letters, nil for the terminal's own
	ground  []int // likewise of what is behind them
}

// filled reports whether it stands out as a whole.
func (s span) filled() bool { return s.inverse || s.ground != nil }

// same reports whether a reader sees two spans alike.
func (s span) same(o span) bool {
	return s.bold == o.bold && s.faint == o.faint && s.inverse == o.inverse && slices.Equal(s.colour, o.colour) && slices.Equal(s.ground, o.ground)
}

// spans reads a row back as a terminal does.
func spans(t *testing.T, row string) (out []span) {
	t.Helper()
	var now span
	for row != "" {
		text, rest, more := strings.Cut(row, "\x1b[")
		if text != "" {
			now.text = text
			out = append(out, now)
		}
		if !more {
			break
		}
		params, rest, ok := strings.Cut(rest, "m")
		if !ok {
			t.Fatalf("no colour, but a sequence: %q", row)
		}
		now, row = now.with(t, params), rest
	}
	return out
}

func (s span) with(t *testing.T, params string) span {
	var codes []int
	for _, p := range strings.Split(params, ";") {
		n, err := strconv.Atoi("0" + p)
		if err != nil {
			t.Fatalf("%q is no colour", params)
		}
		codes = append(codes, n)
	}
	for len(codes) > 0 {
		n, takes := codes[0], 1
		switch {
		case n == 0:
			s = span{}
		case n == 1:
			s.bold = true
		case n == 2:
			s.faint = true
		case n == 7:
			s.inverse = true
		case n == 38 || n == 48:
			takes = map[int]int{2: 5, 5: 3}[codes[1]]
			fallthrough
		default:
			if n >= 40 && n <= 48 || n >= 100 {
				s.ground = codes[:takes]
			} else {
				s.colour = codes[:takes]
			}
		}
		codes = codes[takes:]
	}
	return s
}

// Every page can be read on every terminal: in its letters, with no colour that it has
// not, with one button that stands out, and with a headline that is not like the rest.
func TestEveryPageOnEveryTerminal(t *testing.T) {
	t.Parallel()
	for _, sc := range scenes {
		st := newStage(t, plainLight)
		sc.play(st)
		var first string
		for _, v := range variants {
			*st.w.styles, st.w.utf8 = v.look(), !v.ascii
			view := st.size(80, 24)
			name := sc.name + ", " + v.name
			if v.ascii {
				isASCII(t, name, ansi.Strip(strings.NewReplacer("⠋", "|").Replace(view)))
			} else if text := ansi.Strip(view); first == "" {
				first = text
			} else if text != first {
				t.Errorf("%s: it says something else: %s", name, difference(text, first))
			}
			var rows [][]span
			for _, row := range strings.Split(view, "\n") {
				rows = append(rows, spans(t, row))
			}
			judgeColours(t, name, v, rows)
			judgeHeadline(t, name, st.w.over != nil, rows)
			judgeButton(t, name, st.w, rows)
		}
	}
}

// judgeColours finds colours that the terminal does not have.
func judgeColours(t *testing.T, name string, v variant, rows [][]span) {
	t.Helper()
	for _, row := range rows {
		for _, s := range row {
			for _, c := range [][]int{s.colour, s.ground} {
				if c != nil && !v.colour(c) {
					t.Errorf("%s: %q is in the colour %v", name, s.text, c)
					return
				}
			}
		}
	}
}

// judgeHeadline finds pages on which nothing is louder than the rest: something is bold,
// and not all is.
func judgeHeadline(t *testing.T, name string, covered bool, rows [][]span) {
	t.Helper()
	loud, quiet := 0, 0
	body := rows[3 : len(rows)-1] // without the stepper and the footer
	if covered {
		body = append([][]span{rows[0][1:]}, rows[1:len(rows)-1]...) // its title is its headline
	}
	for _, row := range body {
		for _, s := range row {
			switch {
			case strings.TrimSpace(s.text) == "":
			case s.bold && len(strings.TrimSpace(s.text)) > 1:
				loud++
			default:
				quiet++
			}
		}
	}
	if loud == 0 || quiet == 0 || !slices.ContainsFunc(rows[0], span.filled) {
		t.Errorf("%s: %d loud and %d quiet parts below\n%v", name, loud, quiet, rows[0])
	}
}

// judgeButton finds a page whose option with the focus does not stand out from the others.
func judgeButton(t *testing.T, name string, w *wizard, rows [][]span) {
	t.Helper()
	p := w.prompt()
	if p == nil || w.over != nil || w.leaving || w.typing() || len(p.options) == 0 {
		return
	}
	find := func(i int) (found *span) {
		for _, row := range rows {
			for _, s := range row {
				if strings.Contains(s.text, p.options[i].label) {
					found = &s // the buttons are below the rest
				}
			}
		}
		return found
	}
	focus := find(w.selected)
	if focus == nil || !p.list && !focus.filled() {
		t.Errorf("%s: the button %q is not on the page, or like any text: %+v", name, p.options[w.selected].label, focus)
		return
	}
	for i := range p.options {
		if other := find(i); i != w.selected && other != nil && other.same(*focus) {
			t.Errorf("%s: %q looks like %q, which has the focus", name, p.options[i].label, p.options[w.selected].label)
		}
	}
}
