package ui

import (
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
)

// overlay is a text that covers the page until esc: help, reason, log, findings.
type overlay struct {
	title, brief string
	key          string // the key that opened it closes it too
	draw         func(w *wizard, s *sheet)
	list         *list                  // of the entries one can move over; nil for plain text
	copies       func(w *wizard) string // what c copies; nil when there is nothing
	way          *Remedy                // what enter leads to; nil for back
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
	if w.width >= twoPanes {
		s.wide = max(width, min(listWidth, w.width-w.margin()-1))
	}
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
		w.cover(o.up)
	case "q":
		return w.quit(false)
	case "r":
		w.cover(nil)
		fallthrough
	case "x":
		cmd, _ := w.global(name)
		return cmd
	case "c":
		if o.copies != nil && o.copies(w) != "" {
			return w.copy(o.copies(w))
		}
	case "a":
		if o.other != nil {
			o.leadsTo(w, o.other())
		}
	case "enter", "right":
		if o.list != nil && o.list.n > 0 {
			o.leadsTo(w, o.list.open(o.list.at))
		} else if name == "enter" {
			if w.cover(o.up); o.way != nil && w.job == nil {
				w.cover(nil)
				return o.way.ask(w)
			}
		}
	default:
		if cmd, took := w.covered(name); took {
			return cmd
		}
		o.moved(w, name)
	}
	return nil
}

// cover shows an overlay from its beginning, or with nil the page.
func (w *wizard) cover(o *overlay) { w.over, w.scroll = o, 0 }

// leadsTo shows another overlay, from which esc leads back.
func (o *overlay) leadsTo(w *wizard, other *overlay) {
	other.up = o
	w.cover(other)
}

// moved scrolls a text, or moves over the entries of a list.
func (o *overlay) moved(w *wizard, name string) {
	if o.list == nil {
		if name == " " {
			name = "pgdown"
		}
		w.scrolled(name)
		return
	}
	o.list.move(name, max(1, w.height/2))
	w.scroll = w.top(w.fit(w.frame()))
}

// move moves the cursor; a page are that many entries.
func (l *list) move(key string, page int) {
	switch key {
	case "down", "j", "tab":
		l.at++
	case "up", "k", "shift+tab":
		l.at--
	case "pgdown":
		l.at += page
	case "pgup":
		l.at -= page
	case "home", "g":
		l.at = 0
	case "end", "G":
		l.at = l.n - 1
	}
	l.at = max(0, min(l.at, l.n-1))
}

// overFrame is the frame of an overlay.
func (w *wizard) overFrame() frame {
	o := w.over
	s := o.sheet(w)
	hints := []hint{{"esc", "back"}, {w.names("↑/↓", "up/down"), "scroll"}, {"q", "quit"}}
	if o.copies != nil && o.copies(w) != "" {
		hints = append([]hint{{"c", "copy"}}, hints...)
	}
	if o.way != nil && w.job == nil {
		hints = append([]hint{{"enter", strings.ToLower(o.way.Label)}}, hints...)
	}
	if o.list != nil {
		hints = []hint{{"esc", "back"}, {"q", "quit"}}
		if o.other != nil {
			hints = slices.Insert(hints, 0, hint{"a", "all known"})
		}
		if o.list.n > 0 {
			hints = slices.Insert(hints, 0, hint{"enter", "open"}, hint{w.names("↑/↓", "up/down"), "choose"})
		}
		s.focus(o.list.row, o.list.until)
	}
	return frame{long: o.title, brief: o.brief, body: s, notice: w.notice(), footer: []string{w.drawHints(hints)}}
}
