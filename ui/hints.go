package ui

import (
	"slices"
	"strings"

	"dj/keysplit/steps"
)

// hints are the keys that matter on the page, the most useful first.
func (w *wizard) hints() []hint {
	switch {
	case w.typing():
		return w.formHints()
	case w.leaving:
		return []hint{{"", "Stopping at a safe place. Please wait."}}
	case w.question != nil:
		return []hint{w.enterHint(), w.chooseHint(w.question), {"esc", "back"}}
	}
	p := w.current()
	if p == nil || w.atEnd() {
		return w.endHints(p)
	}
	return w.pageHints(p, w.phase(p))
}

func (w *wizard) enterHint() hint { return hint{"enter", w.enterDoes()} }

// chooseHint says how the focus moves: down a list, or along the buttons.
func (w *wizard) chooseHint(p *prompt) hint {
	if p != nil && p.list {
		return hint{w.names("↑/↓", "up/down"), "choose"}
	}
	return hint{w.names("←/→", "arrows"), "choose"}
}

func (w *wizard) formHints() []hint {
	hs := []hint{{"enter", "use it"}, {"esc", "back"}, {"ctrl+u", "clear"}}
	switch n := len(w.form.fields); {
	case w.form.focus < n-1:
		hs[0].what = "next field"
	case n > 1:
		hs = append(hs, hint{"tab", "next field"})
	}
	return hs
}

// endHints are those of the last page, and of a rollback.
func (w *wizard) endHints(p *page) []hint {
	leave := []hint{{"?", "help"}, {"q", "quit"}}
	switch {
	case w.job != nil:
		return append([]hint{{"x", "stop"}, {"l", "log"}}, leave...)
	case w.asksBack():
		return append([]hint{w.enterHint(), w.chooseHint(nil), {"esc", "back"}}, leave...)
	}
	hs := []hint{w.enterHint(), w.chooseHint(nil)}
	if p != nil { // its last item is about it
		hs = append(hs, hint{w.names("↑/↓", "up/down"), "item"}, hint{"m", "message"}, hint{"c", "copy"})
	}
	return append(hs, append([]hint{{"t", "findings"}, {"l", "log"}, {"esc", "back"}}, leave...)...)
}

// pageHints are those of a step's page.
func (w *wizard) pageHints(p *page, ph phase) []hint {
	common := []hint{{"w", "why"}, {"l", "log"}}
	if w.at > 0 {
		common = append(common, hint{"esc", "back"})
	}
	common = append(common, hint{"?", "help"}, hint{"q", "quit"})
	var hs []hint
	switch ph {
	case running:
		return []hint{{"x", "stop"}, {"l", "log"}, {"w", "why"}, {"?", "help"}, {"q", "quit"}}
	case planning:
		hs = []hint{{"x", "stop"}}
	case failed:
		hs = []hint{w.enterHint(), w.chooseHint(w.prompt()), {"t", "findings"}}
		if w.copyable() != "" {
			hs = append(hs, hint{"c", "copy the command"})
		}
	case done:
		hs = w.doneHints(p)
	default:
		hs = []hint{w.enterHint(), w.chooseHint(w.prompt())}
		if w.copyable() != "" {
			hs = append(hs, hint{"c", "copy the command"})
		}
	}
	return append(hs, common...)
}

func (w *wizard) doneHints(p *page) []hint {
	hs := []hint{w.enterHint()}
	if q := w.prompt(); q != nil && len(q.options) > 1 {
		hs = append(hs, w.chooseHint(q))
	}
	if p.Name != steps.Preflight {
		return append(hs, hint{"r", "again"})
	}
	if hs = append(hs, hint{"t", "findings"}); hs[0].what != "look again" {
		hs = slices.Insert(hs, 1, hint{"r", "look again"})
	}
	return hs
}

// enterDoes says in a word or two what enter does.
func (w *wizard) enterDoes() string {
	q := w.prompt()
	if q == nil || w.selected >= len(q.options) || q.list || q.options[w.selected].onward {
		return "go on"
	}
	return strings.ToLower(q.options[w.selected].label)
}
