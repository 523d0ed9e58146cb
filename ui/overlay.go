package ui

import (
	tea "github.com/charmbracelet/bubbletea"
)

// overlay is a text that covers the page until esc: help, reason, log, findings.
type overlay struct {
	title, brief string
	key          string // the key that opened it closes it too
	draw         func(w *wizard, s *sheet)
	list         *list // of the entries one can move over; nil for plain text
	up           *overlay
}

// list is a cursor over n entries.
type list struct {
	at, n int
	row   int // of the entry that has the focus, set by draw
	open  func(at int) *overlay
}

func (o *overlay) sheet(w *wizard) *sheet {
	s := newSheet(w.styles, w.content(), "")
	o.draw(w, s)
	return s
}

// pressed moves within the overlay or closes it.
func (o *overlay) pressed(w *wizard, k tea.KeyMsg) tea.Cmd {
	name := k.String()
	if k.Paste {
		return nil
	}
	switch name {
	case "esc", o.key, "left", "h":
		w.over, w.scroll = o.up, 0
		return nil
	case "q":
		return w.quit(false)
	case "?":
		w.over, w.scroll = helpOverlay(), 0
		return nil
	case "enter", "right":
		if o.list != nil && o.list.n > 0 {
			w.over, w.scroll = o.list.open(o.list.at), 0
			w.over.up = o
		} else if name == "enter" {
			w.over, w.scroll = o.up, 0
		}
		return nil
	}
	if o.list == nil {
		w.scrolled(name)
		return nil
	}
	switch name {
	case "down", "j", "tab":
		o.list.at++
	case "up", "k", "shift+tab":
		o.list.at--
	case "pgdown":
		o.list.at += max(1, w.height/2)
	case "pgup":
		o.list.at -= max(1, w.height/2)
	case "home", "g":
		o.list.at = 0
	case "end", "G":
		o.list.at = o.list.n - 1
	}
	o.list.at = max(0, min(o.list.at, o.list.n-1))
	return nil
}

// overFrame is the frame of an overlay.
func (w *wizard) overFrame() frame {
	o := w.over
	s := o.sheet(w)
	hints := []hint{{"esc", "back"}, {w.names("↑/↓", "up/down"), "scroll"}, {"q", "quit"}}
	if o.list != nil {
		hints = []hint{{"enter", "open"}, {w.names("↑/↓", "up/down"), "choose"}, {"esc", "back"}, {"q", "quit"}}
		s.focus(o.list.row)
	}
	return frame{header: w.headline(o.title, o.brief), body: s, footer: w.drawHints(hints)}
}
