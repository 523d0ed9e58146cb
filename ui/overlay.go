package ui

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/house"
)

// overlay is a text that covers the page until esc: help, reason, log, findings.
type overlay struct {
	title, brief string
	key          string // the key that opened it closes it too
	draw         func(w *wizard, s *sheet)
	list         *list                  // of the entries one can move over; nil for plain text
	edit         *house.Proposal        // what e does; nil when there is nothing to do
	copies       func(w *wizard) string // what c copies; nil when there is nothing
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
	case "e":
		if o.edit != nil {
			return w.edit(*o.edit)
		}
	case "c":
		if o.copies != nil && o.copies(w) != "" {
			return w.copy(o.copies(w))
		}
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
	if o.edit != nil {
		hints = append([]hint{{"e", "edit the file"}}, hints...)
	}
	if o.copies != nil {
		hints = append([]hint{{"c", "copy"}}, hints...)
	}
	if o.list != nil {
		hints = []hint{{"enter", "open"}, {w.names("↑/↓", "up/down"), "choose"}, {"esc", "back"}, {"q", "quit"}}
		s.focus(o.list.row)
	}
	return frame{header: w.headline(o.title, o.brief), body: s, footer: w.flashOr(hints)}
}

// edit carries out one proposal and goes through the checklist again.
func (w *wizard) edit(p house.Proposal) tea.Cmd {
	for i, page := range w.pages {
		if page.name == steps.Checklist {
			w.at = i
		}
	}
	w.over = nil
	return w.start(jobApply, steps.Checklist, func(ctx context.Context, e *steps.Engine, emit steps.Emit, _ *report) error {
		if err := p.Apply(ctx, e.Run); err != nil {
			return err
		}
		e.Run.Left = append(e.Run.Left, "Edited "+p.Describe(e.Run)+". Look at it with git diff.")
		if _, err := e.Plan(ctx, steps.Checklist, emit); err != nil {
			return err
		}
		return e.Apply(ctx, steps.Checklist, emit)
	})
}
