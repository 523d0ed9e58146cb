package ui

import (
	tea "github.com/charmbracelet/bubbletea"
	"slices"
)

// overlay is a text that covers the page until esc: help, reason, log, findings.
type overlay struct {
	title, brief string
	key          string // the key that opened it closes it too
	draw         func(w *wizard, s *sheet)
	list         *list                  // of the entries one can move over; nil for plain text
	copies       func(w *wizard) string // what c copies; nil when there is nothing
	other        func() *overlay        // what a leads to, from which esc leads back; nil for nothing
	up           *overlay
}

// list is a cursor over n entries.
type list struct {
	at, n int
	row   int // first of the entry that has the focus, set by draw
	until int // and its last
	open  func(at int) *overlay
}

// listWidth is the widest list: its two columns may take more than a text.
const listWidth = 112

func (o *overlay) sheet(w *wizard) *sheet {
	width := w.content()
	if o.list != nil {
		width = max(width, min(listWidth, w.width-w.margin()-1))
	}
	s := newSheet(w.styles, width, "")
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
	case "a":
		if o.other != nil {
			w.over, w.scroll = o.other(), 0
			w.over.up = o
			return nil
		}
	case "x", "w", "l", "t", "m", "b", "?": // the others of these take its place
		cmd, _ := w.global(name)
		return cmd
	case "c":
		if o.copies != nil && o.copies(w) != "" {
			return w.copy(o.copies(w))
		}
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
		if name == " " {
			name = "pgdown"
		}
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
	w.scroll = w.top(w.fit(w.frame()))
	return nil
}

// overFrame is the frame of an overlay.
func (w *wizard) overFrame() frame {
	o := w.over
	s := o.sheet(w)
	hints := []hint{{"esc", "back"}, {w.names("↑/↓", "up/down"), "scroll"}, {"q", "quit"}}
	if o.copies != nil {
		hints = append([]hint{{"c", "copy"}}, hints...)
	}
	if o.list != nil {
		hints = []hint{{"enter", "open"}, {w.names("↑/↓", "up/down"), "choose"}, {"esc", "back"}, {"q", "quit"}}
		if o.other != nil {
			hints = slices.Insert(hints, 2, hint{"a", "all known"})
		}
		s.focus(o.list.row, o.list.until)
	}
	return frame{long: o.title, brief: o.brief, body: s, footer: w.flashOr(hints)}
}
