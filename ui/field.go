package ui

import (
	"strings"
	"unicode"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/steps"
	"dj/keysplit/ui/style"
)

// maxField is how many characters a field takes: more than any key or password
// that makes sense, less than a file pasted by mistake.
const maxField = 1024

// field is one line of typed text. The text is kept behind a function, so that
// no printed form of the model can show it; fmt prints a function as an
// address. There is no blinking cursor: a screen on which nothing happens
// writes nothing.
type field struct {
	label  string
	masked bool
	need   string // what to do about an empty one, an order without its end
	most   int    // characters, 0 for no limit of its own
	judge  func(text string) (steps.Mark, string)
	text   func() []rune
	at     int // of the cursor, in characters
}

func newField(label string, masked bool, need string) *field {
	f := &field{label: label, masked: masked, need: need}
	f.reset()
	return f
}

// reset forgets the text.
func (f *field) reset() { f.set(nil) }

func (f *field) set(text []rune) {
	f.text = func() []rune { return text }
	f.at = min(f.at, len(text))
}

// fill puts a known text into the field.
func (f *field) fill(text string) {
	f.set([]rune(text))
	f.at = len(f.text())
}

// take returns the text without the spaces and line ends that a paste brings
// along, and forgets it.
func (f *field) take() string {
	return strings.TrimSpace(f.whole())
}

// whole returns the text as it was typed, spaces included, and forgets it.
func (f *field) whole() string {
	text := string(f.text())
	f.reset()
	return text
}

func (f *field) empty() bool { return len(f.text()) == 0 }

// key edits the text. It reports whether the key was one for a text.
func (f *field) key(k tea.KeyMsg) bool {
	text := f.text()
	switch k.Type {
	case tea.KeyRunes, tea.KeySpace:
		if k.Alt {
			return false
		}
		var in []rune
		for _, r := range k.Runes {
			if unicode.IsPrint(r) {
				in = append(in, r)
			}
		}
		if len(text)+len(in) > maxField {
			return true
		}
		joined := append(append(append([]rune{}, text[:f.at]...), in...), text[f.at:]...)
		f.at += len(in)
		f.set(joined)
	case tea.KeyBackspace, tea.KeyCtrlH:
		if f.at > 0 {
			f.at--
			f.set(append(append([]rune{}, text[:f.at]...), text[f.at+1:]...))
		}
	case tea.KeyDelete:
		if f.at < len(text) {
			f.set(append(append([]rune{}, text[:f.at]...), text[f.at+1:]...))
		}
	case tea.KeyCtrlU:
		f.reset()
	case tea.KeyLeft:
		f.at = max(0, f.at-1)
	case tea.KeyRight:
		f.at = min(len(text), f.at+1)
	case tea.KeyHome, tea.KeyCtrlA:
		f.at = 0
	case tea.KeyEnd, tea.KeyCtrlE:
		f.at = len(text)
	default:
		return false
	}
	return true
}

// view shows the field in width columns: dots for a masked text, the end of it
// that fits, and the cursor when it has the focus.
func (f *field) view(s *style.Styles, width int, focus bool) string {
	text := f.text()
	if f.masked {
		text = []rune(strings.Repeat(s.Marks.Dot, len(text)))
	}
	if !focus {
		return s.Muted.Render(ansi.Truncate(string(text), max(1, width), s.Marks.Ellipsis))
	}
	before := string(text[:f.at])
	if over := ansi.StringWidth(before) - width + 2; over > 0 {
		before = ansi.TruncateLeft(before, over, "")
	}
	after := ansi.Truncate(string(text[f.at:]), max(0, width-ansi.StringWidth(before)-1), "")
	// The cursor is a sign of its own: without colour nothing else would show.
	return before + s.Accent.Render("_") + after
}
