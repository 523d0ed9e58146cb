//go:build unix

package ptytest

import (
	"reflect"
	"strings"
	"testing"
)

func shown(t *testing.T, cols, rows int, text string) *screen {
	t.Helper()
	s := newScreen(cols, rows, "rgb:0000/0000/0000", func(string) { t.Error("an answer that nobody asked for") })
	s.parser.Parse([]byte(text))
	return s
}

func TestTheScreenShowsWhatXtermShows(t *testing.T) {
	t.Attr("part", "controls that a terminal is looked at")
	for _, c := range []struct {
		name, text string
		want       []string
		x, y       int
	}{
		{"text and line ends", "ab\r\ncd", []string{"ab", "cd", ""}, 2, 1},
		{"a line feed keeps the column", "ab\ncd", []string{"ab", "  cd", ""}, 4, 1},
		{"a full row waits with the wrap", "123456", []string{"123456", "", ""}, 5, 0},
		{"and wraps with the next letter", "1234567", []string{"123456", "7", ""}, 1, 1},
		{"a full row, then a new line", "123456\r\nx", []string{"123456", "x", ""}, 1, 1},
		{"scrolling", "1\r\n2\r\n3\r\n4", []string{"2", "3", "4"}, 1, 2},
		{"home and write over", "abc\x1b[Hx", []string{"xbc", "", ""}, 1, 0},
		{"position", "\x1b[2;3Hx", []string{"", "  x", ""}, 3, 1},
		{"erase to the right", "abcdef\x1b[1;3H\x1b[K", []string{"ab", "", ""}, 2, 0},
		{"erase the row", "abc\x1b[2K", []string{"", "", ""}, 3, 0},
		{"erase below", "a\r\nb\r\nc\x1b[2;1H\x1b[J", []string{"a", "", ""}, 0, 1},
		{"up", "a\r\nb\x1b[Ax", []string{"ax", "b", ""}, 2, 0},
		{"wide", "世a", []string{"世a", "", ""}, 3, 0},
		{"wide at the edge", "12345世", []string{"12345", "世", ""}, 2, 1},
		{"combining", "e\u0301x", []string{"e\u0301x", "", ""}, 2, 0},
		{"back", "ab\bx", []string{"ax", "", ""}, 2, 0},
		{"a title is not text", "\x1b]2;title\aab", []string{"ab", "", ""}, 2, 0},
		{"the other screen and back", "ab\x1b[?1049hzzz\x1b[?1049lc", []string{"abc", "", ""}, 3, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := shown(t, 6, 3, c.text)
			f := s.frame()
			if got := f.Lines(); !reflect.DeepEqual(got, c.want) || f.X != c.x || f.Y != c.y {
				t.Errorf("shows %q with the cursor at %d,%d", got, f.X, f.Y)
			}
			if len(s.mishaps.Unknown) != 0 {
				t.Errorf("unknown: %q", s.mishaps.Unknown)
			}
		})
	}
}

func TestStyles(t *testing.T) {
	s := shown(t, 9, 1, "\x1b[1;38;2;1;2;3ma\x1b[7mb\x1b[0mc\x1b[48;5;196md\x1b[49;31me\x1b[m\x1b[4;2;3mf\x1b[24;22;23;27;39mg")
	want := []Style{
		{Bold: true, Fg: Colour{true, 1, 2, 3}}, {Bold: true, Reverse: true, Fg: Colour{true, 1, 2, 3}}, {},
		{Bg: Colour{true, 255, 0, 0}}, {Fg: Colour{true, 128, 0, 0}}, {Underline: true, Faint: true, Italic: true}, {},
	}
	for i, w := range want {
		if got := s.cells[0][i]; got.Style != w || got.Text != string(rune('a'+i)) {
			t.Errorf("cell %d is %+v, want %+v", i, got, w)
		}
	}
}

func TestMishapsAreCounted(t *testing.T) {
	t.Attr("part", "controls that a terminal is looked at")
	s := shown(t, 4, 2, "12345\r\n\r\n")
	if m := s.mishaps; m.Wraps != 0 || m.Scrolls != 0 {
		t.Errorf("the scrollback may wrap and scroll: %+v", m)
	}
	s.parser.Parse([]byte("\x1b[?1049h\x1b[H12345\r\n\r\n"))
	if m := s.mishaps; m.Wraps != 1 || m.Scrolls != 2 {
		t.Errorf("on the alternate screen: %+v", m)
	}
	s.parser.Parse([]byte("\x1b[5q\x1b[?9999h\x1b]777;x\a\x1bZ\x1b[58m\x01"))
	if m := s.mishaps; len(m.Unknown) != 6 {
		t.Errorf("unknown sequences: %q", m.Unknown)
	}
}

func TestAnswers(t *testing.T) {
	var got strings.Builder
	s := newScreen(10, 4, "rgb:ffff/ffff/ffff", func(text string) { got.WriteString(text) })
	s.parser.Parse([]byte("\x1b]11;?\a\x1b[2;5H\x1b[6n\x1b[c"))
	if want := "\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[2;5R\x1b[?62;22c"; got.String() != want {
		t.Errorf("answers %q", got.String())
	}
}

func TestResize(t *testing.T) {
	s := shown(t, 6, 3, "abcdef\r\nx\r\nyz\x1b[?1049h\x1b[HAB\x1b[3;6Hc")
	s.resize(3, 2)
	if f := s.frame(); !reflect.DeepEqual(f.Lines(), []string{"AB", ""}) || f.X != 2 || f.Y != 1 {
		t.Errorf("%q at %d,%d", f.Lines(), f.X, f.Y)
	}
	s.resize(8, 4)
	s.parser.Parse([]byte("\x1b[?1049l"))
	if f := s.frame(); !reflect.DeepEqual(f.Lines(), []string{"abc", "x", "", ""}) {
		t.Errorf("the other screen has %q", f.Lines())
	}
}
