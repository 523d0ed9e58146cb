package ui

import (
	"context"
	"slices"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/repo"
)

// overlay is a text that covers the page until esc: help, reason, log, findings.
type overlay struct {
	title, brief string
	key          string // the key that opened it closes it too
	draw         func(w *wizard, s *sheet)
	list         *list                  // of the entries one can move over; nil for plain text
	edit         *repo.Proposal         // what e does; nil when there is nothing to do
	refused      string                 // why e did not
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
	if o.refused != "" {
		s.blank()
		s.hang(w.styles.Mark(steps.MarkFailed)+" ", w.styles.Bold, "The file was not edited.")
		s.hang("  ", lipgloss.NewStyle(), o.refused)
	}
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
		switch {
		case o.edit != nil:
			return w.edit(*o.edit)
		case o.list != nil:
			w.showEdit()
			return nil
		}
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
	if o.edit != nil {
		hints = append([]hint{{"e", "edit the file"}}, hints...)
	}
	if o.copies != nil {
		hints = append([]hint{{"c", "copy"}}, hints...)
	}
	if o.list != nil {
		hints = []hint{{"enter", "open"}, {w.names("↑/↓", "up/down"), "choose"}, {"esc", "back"}, {"q", "quit"}}
		if len(w.facts.edits) > 0 {
			hints = slices.Insert(hints, 2, editHint)
		}
		if o.other != nil {
			hints = slices.Insert(hints, 2, hint{"a", "all known"})
		}
		s.focus(o.list.row, o.list.until)
	}
	return frame{long: o.title, brief: o.brief, body: s, footer: w.flashOr(hints)}
}

// editHint is for pages from which e leads to an edit.
var editHint = hint{"e", "edit a file"}

// showEdit shows the first edit that can be made, before the list of the findings.
// Nothing is changed before e is pressed there.
func (w *wizard) showEdit() {
	if len(w.facts.edits) == 0 {
		w.flash = "There is nothing here that keysplit can edit."
		return
	}
	o := troubleOverlay(w)
	o.list.at = slices.Index(w.facts.open, w.facts.edits[0].Finding)
	w.over, w.scroll = o.list.open(o.list.at), 0
	w.over.up = o
}

// edit carries out one proposal. The checklist is gone through again when it was
// done before.
func (w *wizard) edit(p repo.Proposal) tea.Cmd {
	if w.job != nil {
		w.flash = busy
		return nil
	}
	again := w.facts.machine.Status(steps.Checklist) == steps.Done
	return w.start(jobEdit, "", func(ctx context.Context, e *steps.Engine, emit steps.Emit, r *report) error {
		r.edit = &p
		if err := p.Apply(ctx, e.Run); err != nil {
			return err
		}
		r.edited = "Edited " + p.Describe(e.Run) + ". Look at it with git diff."
		e.Run.Left = append(e.Run.Left, prose.Of(r.edited))
		mended(e, p)
		if !again {
			return nil
		}
		return goThrough(ctx, e, emit, r)
	})
}

// mended takes what an edit has mended out of the engine's log, since the step that
// found it does not look again: the edit is about every line of the file, but for
// the one that is left for a person.
func mended(e *steps.Engine, p repo.Proposal) {
	var log []steps.Event
	left := p.Left > 0
	for _, ev := range e.Log {
		if ev.Finding != nil && ev.Finding.Code == p.Finding.Code && ev.Finding.File == p.Finding.File {
			if !left {
				continue
			}
			f := p.Finding
			f.Line, f.Fixable = p.Left, false
			ev.Finding, left = &f, false
		}
		log = append(log, ev)
	}
	e.Log = log
}

// editEnded says how an edit went, and leads back to the list, which has one finding
// less.
func (w *wizard) editEnded(msg resultMsg) {
	at := w.over
	shown := at != nil && at.edit != nil && msg.report.edit != nil && at.edit.Finding == msg.report.edit.Finding
	if msg.report.edited == "" {
		w.flash = "The file was not edited."
		if shown {
			at.refused = words(msg.err)
			w.scroll = w.lowest()
		}
		return
	}
	w.edited, w.flash = true, msg.report.edited
	gone := msg.report.edit.Finding
	for _, p := range w.pages {
		p.findings = slices.DeleteFunc(p.findings, func(f finding.Finding) bool {
			return f.Code == gone.Code && f.File == gone.File && !slices.Contains(w.facts.open, f)
		})
	}
	if msg.err != nil { // of the checklist
		w.page(steps.Checklist).failure = msg.err
	}
	if shown {
		w.over, w.scroll = troubleOverlay(w), 0
	}
}
