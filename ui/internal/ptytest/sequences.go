//go:build unix

package ptytest

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// csi has a case for each sequence.
func (s *screen) csi(cmd ansi.Cmd, params ansi.Params) {
	n, _, _ := params.Param(0, 1)
	m, _, _ := params.Param(1, 1)
	n, m = max(1, n), max(1, m)
	mode, _, _ := params.Param(0, 0)
	switch {
	case cmd.Prefix() == '?' && cmd.Intermediate() == 0 && (cmd.Final() == 'h' || cmd.Final() == 'l'):
		params.ForEach(0, func(_, p int, _ bool) { s.mode(p, cmd.Final() == 'h') })
		return
	case cmd.Prefix() == '?' && cmd.Intermediate() == 0 && (cmd.Final() == 's' || cmd.Final() == 'r'):
		params.ForEach(0, func(_, p int, _ bool) { s.keep(p, cmd.Final() == 's') })
		return
	case cmd.Prefix() != 0 || cmd.Intermediate() != 0:
		s.unknown("CSI %c%s%c", cmd.Prefix(), string(cmd.Intermediate()), cmd.Final())
		return
	}
	switch cmd.Final() {
	case 'A':
		s.goTo(s.x, s.y-n)
	case 'B':
		s.goTo(s.x, s.y+n)
	case 'C':
		s.goTo(s.x+n, s.y)
	case 'D':
		s.goTo(s.x-n, s.y)
	case 'G':
		s.goTo(n-1, s.y)
	case 'H', 'f':
		s.goTo(m-1, n-1)
	case 'J':
		s.eraseScreen(mode)
	case 'K':
		s.eraseLine(mode)
	case 'm':
		s.sgr(params)
	case 'n':
		if mode == 6 {
			s.answer(fmt.Sprintf("\x1b[%d;%dR", s.y+1, s.x+1))
		}
	case 't':
		if mode != 22 && mode != 23 { // the window's title, kept and brought back
			s.unknown("CSI %d t", mode)
		}
	case 'c':
		s.answer("\x1b[?62;22c")
	default:
		s.unknown("CSI %c", cmd.Final())
	}
}

func (s *screen) eraseScreen(mode int) {
	switch mode {
	case 0:
		s.erase(s.x, s.y, s.cols-1, s.rows-1)
	case 1:
		s.erase(0, 0, s.x, s.y)
	case 2:
		s.erase(0, 0, s.cols-1, s.rows-1)
	default:
		s.unknown("CSI %d J", mode)
	}
}

func (s *screen) eraseLine(mode int) {
	switch mode {
	case 0:
		s.erase(s.x, s.y, s.cols-1, s.y)
	case 1:
		s.erase(0, s.y, s.x, s.y)
	case 2:
		s.erase(0, s.y, s.cols-1, s.y)
	default:
		s.unknown("CSI %d K", mode)
	}
}

// mode sets or resets a private mode. The ones for the mouse, the focus and
// pasted text change nothing on the screen; they are kept, since they must be
// off again at the end.
func (s *screen) mode(n int, on bool) {
	switch n {
	case 25:
		s.hidden = !on
	case 1049:
		if on == s.alt {
			return
		}
		s.alt = on
		if on {
			s.main, s.mainX, s.mainY = s.cells, s.x, s.y
			s.cells = emptyCells(s.cols, s.rows)
			return
		}
		s.cells, s.main = s.main, nil
		s.goTo(s.mainX, s.mainY)
	case 7, 12:
	case 1000, 1002, 1003, 1004, 1006, 1007, 2004:
		s.modes[n] = on
	default:
		s.unknown("CSI ? %d %t", n, on)
	}
}

// keep keeps a private mode as it is, or brings it back (XTSAVE, XTRESTORE).
func (s *screen) keep(n int, save bool) {
	if save {
		s.kept[n] = s.modes[n]
		return
	}
	s.mode(n, s.kept[n])
}

func (s *screen) esc(cmd ansi.Cmd) {
	switch cmd.Final() {
	case '\\': // the end of a string that was answered already
	case '=', '>':
	default:
		s.unknown("ESC %c", cmd.Final())
	}
}

func (s *screen) osc(cmd int, data []byte) {
	_, text, _ := strings.Cut(string(data), ";")
	switch {
	case cmd == 0 || cmd == 2: // the window's title
	case cmd == 10 && text == "?":
		s.answer("\x1b]10;rgb:d0d0/d0d0/d0d0\x1b\\")
	case cmd == 11 && text == "?":
		s.answer("\x1b]11;" + s.background + "\x1b\\")
	case cmd == 52: // the clipboard, which this terminal does not give away
	default:
		s.unknown("OSC %d", cmd)
	}
}

// sgr has a case for each attribute.
func (s *screen) sgr(params ansi.Params) {
	if len(params) == 0 {
		s.style = Style{}
		return
	}
	var all []int
	params.ForEach(0, func(_, p int, _ bool) { all = append(all, p) })
	for i := 0; i < len(all); i++ {
		p := all[i]
		switch {
		case p == 0:
			s.style = Style{}
		case p == 1:
			s.style.Bold = true
		case p == 2:
			s.style.Faint = true
		case p == 3:
			s.style.Italic = true
		case p == 4:
			s.style.Underline = true
		case p == 7:
			s.style.Reverse = true
		case p == 22:
			s.style.Bold, s.style.Faint = false, false
		case p == 23:
			s.style.Italic = false
		case p == 24:
			s.style.Underline = false
		case p == 27:
			s.style.Reverse = false
		case p == 39:
			s.style.Fg = Colour{}
		case p == 49:
			s.style.Bg = Colour{}
		case p >= 30 && p <= 37:
			s.style.Fg = indexed(p - 30)
		case p >= 40 && p <= 47:
			s.style.Bg = indexed(p - 40)
		case p >= 90 && p <= 97:
			s.style.Fg = indexed(p - 90 + 8)
		case p >= 100 && p <= 107:
			s.style.Bg = indexed(p - 100 + 8)
		case p == 38 || p == 48:
			c, used := extended(all[i+1:])
			if used == 0 {
				s.unknown("SGR %v", all)
				return
			}
			i += used
			if p == 38 {
				s.style.Fg = c
			} else {
				s.style.Bg = c
			}
		default:
			s.unknown("SGR %d", p)
		}
	}
}

// extended reads what follows 38 or 48, and tells how many parameters that were.
func extended(p []int) (Colour, int) {
	switch {
	case len(p) >= 4 && p[0] == 2:
		return Colour{true, uint8(p[1]), uint8(p[2]), uint8(p[3])}, 4
	case len(p) >= 2 && p[0] == 5 && p[1] < 256:
		return indexed(p[1]), 2
	}
	return Colour{}, 0
}

// indexed gives a colour of xterm's palette of 256.
func indexed(i int) Colour {
	r, g, b, _ := ansi.IndexedColor(i).RGBA()
	return Colour{true, uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)}
}
