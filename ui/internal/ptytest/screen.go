//go:build unix

package ptytest

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Colour is a colour of a cell. The zero value is the terminal's own.
type Colour struct {
	Set     bool
	R, G, B uint8
}

// Style is how a cell is drawn.
type Style struct {
	Fg, Bg                                  Colour
	Bold, Faint, Italic, Underline, Reverse bool
}

// Cell is one place of the screen. Text is a rune with what combines with it, ""
// for the right half of a wide one.
type Cell struct {
	Text  string
	Style Style
}

var blank = Cell{Text: " "}

// Frame is what a screen shows at one moment.
type Frame struct {
	Cells         [][]Cell // rows of cells, all of the same length
	X, Y          int      // the cursor, from 0
	CursorVisible bool
	Alt           bool // the alternate screen, which leaves the scrollback alone
}

// Lines gives the rows as text, without the spaces at their ends.
func (f Frame) Lines() []string {
	lines := make([]string, 0, len(f.Cells))
	for _, row := range f.Cells {
		var b strings.Builder
		for _, c := range row {
			b.WriteString(c.Text)
		}
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return lines
}

// Text gives the rows as one text.
func (f Frame) Text() string { return strings.Join(f.Lines(), "\n") }

// Mishaps counts what a program that knows the size of its screen never does.
type Mishaps struct {
	Wraps   int      // lines of the alternate screen that went on in the next row
	Scrolls int      // rows that the alternate screen lost at its top
	Unknown []string // control sequences that this terminal does not know
}

// screen is a terminal's memory. It knows the sequences that keysplit and its
// libraries write, as xterm has them, and keeps a note of every other one, so
// that none is passed over in silence.
type screen struct {
	cols, rows   int
	cells        [][]Cell
	x, y         int
	pending      bool // the last column is written: the next rune wraps
	style        Style
	hidden       bool // the cursor
	alt          bool
	main         [][]Cell // the other screen, while alt is shown
	mainX, mainY int
	modes, kept  map[int]bool
	mishaps      Mishaps
	answer       func(string) // writes to the program's input, as a terminal does
	background   string       // "rgb:..." of OSC 11
	parser       *ansi.Parser
}

func newScreen(cols, rows int, background string, answer func(string)) *screen {
	s := &screen{cols: cols, rows: rows, background: background, answer: answer, modes: map[int]bool{}, kept: map[int]bool{}}
	s.cells = emptyCells(cols, rows)
	s.parser = ansi.NewParser()
	s.parser.SetHandler(ansi.Handler{
		Print: s.print, Execute: s.control, HandleCsi: s.csi, HandleEsc: s.esc, HandleOsc: s.osc,
		HandleDcs: func(c ansi.Cmd, _ ansi.Params, data []byte) { s.unknown("DCS %d %q", int(c), data) },
		HandlePm:  func(data []byte) { s.unknown("PM %q", data) },
		HandleApc: func(data []byte) { s.unknown("APC %q", data) },
		HandleSos: func(data []byte) { s.unknown("SOS %q", data) },
	})
	return s
}

func emptyCells(cols, rows int) [][]Cell {
	cells := make([][]Cell, rows)
	for i := range cells {
		cells[i] = emptyRow(cols)
	}
	return cells
}

func emptyRow(cols int) []Cell {
	row := make([]Cell, cols)
	for i := range row {
		row[i] = blank
	}
	return row
}

func (s *screen) unknown(format string, args ...any) {
	s.mishaps.Unknown = append(s.mishaps.Unknown, fmt.Sprintf(format, args...))
}

func (s *screen) frame() Frame {
	cells := make([][]Cell, len(s.cells))
	for i, row := range s.cells {
		cells[i] = append([]Cell(nil), row...)
	}
	return Frame{Cells: cells, X: s.x, Y: s.y, CursorVisible: !s.hidden, Alt: s.alt}
}

// resize keeps the top left, as a terminal does on its alternate screen.
func (s *screen) resize(cols, rows int) {
	fit := func(old [][]Cell) [][]Cell {
		cells := emptyCells(cols, rows)
		for y := range min(rows, len(old)) {
			copy(cells[y], old[y])
		}
		return cells
	}
	s.cells = fit(s.cells)
	if s.main != nil {
		s.main = fit(s.main)
	}
	s.cols, s.rows, s.pending = cols, rows, false
	s.x, s.y = min(s.x, cols-1), min(s.y, rows-1)
	s.mainX, s.mainY = min(s.mainX, cols-1), min(s.mainY, rows-1)
}

func (s *screen) print(r rune) {
	w := ansi.StringWidth(string(r))
	if w == 0 {
		x := s.x
		if !s.pending {
			x = max(0, x-1)
		}
		s.cells[s.y][x].Text += string(r)
		return
	}
	if s.pending || s.x+w > s.cols {
		if s.alt {
			s.mishaps.Wraps++
		}
		s.x, s.pending = 0, false
		s.down()
	}
	s.cells[s.y][s.x] = Cell{Text: string(r), Style: s.style}
	if w == 2 && s.x+1 < s.cols {
		s.cells[s.y][s.x+1] = Cell{Style: s.style}
	}
	s.x += w
	if s.x >= s.cols {
		s.x, s.pending = s.cols-1, true
	}
}

func (s *screen) control(b byte) {
	switch b {
	case '\r':
		s.x, s.pending = 0, false
	case '\n', '\v', '\f':
		s.pending = false
		s.down()
	case '\b':
		s.x, s.pending = max(0, s.x-1), false
	case '\t':
		s.x, s.pending = min(s.cols-1, (s.x/8+1)*8), false
	case '\a':
	default:
		s.unknown("control %#x", b)
	}
}

// down moves the cursor one row down, and the screen up when it stands in the
// last one.
func (s *screen) down() {
	if s.y < s.rows-1 {
		s.y++
		return
	}
	if s.alt {
		s.mishaps.Scrolls++
	}
	s.cells = append(s.cells[1:], emptyRow(s.cols))
}

func (s *screen) erase(fromX, fromY, toX, toY int) {
	for y := fromY; y <= toY && y < s.rows; y++ {
		first, last := 0, s.cols-1
		if y == fromY {
			first = fromX
		}
		if y == toY {
			last = min(toX, last)
		}
		for x := first; x <= last; x++ {
			// xterm keeps the background colour of the moment.
			s.cells[y][x] = Cell{Text: " ", Style: Style{Bg: s.style.Bg}}
		}
	}
}

func (s *screen) goTo(x, y int) {
	s.x, s.y, s.pending = max(0, min(s.cols-1, x)), max(0, min(s.rows-1, y)), false
}
