package ui

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/steps"
)

// hint is one entry of the footer: a key and what it does.
type hint struct{ key, what string }

// footer names the keys that matter now, the most useful first; of those that do
// not fit the least useful are left out. A flash takes its place until the next key,
// in as many rows as it needs.
func (w *wizard) footer() []string {
	return w.flashOr(w.hints())
}

func (w *wizard) flashOr(hints []hint) []string {
	if w.flash == "" {
		return []string{w.drawHints(hints)}
	}
	var rows []string
	for _, r := range strings.Split(ansi.Wrap(w.styles.Marks.Plain(w.flash), max(1, w.width-2), ""), "\n") {
		rows = append(rows, w.inFooter(w.styles.Warn.Render(r)))
	}
	return rows
}

// cutFooter is the first n rows of a footer, which say when there was more.
func (w *wizard) cutFooter(rows []string, n int) []string {
	if n < 1 || n >= len(rows) {
		return rows[:min(n, len(rows))]
	}
	more := w.styles.Marks.Ellipsis
	last := ansi.Truncate(rows[n-1], max(1, w.width-1-ansi.StringWidth(more)), "") + more
	return append(slices.Clone(rows[:n-1]), last)
}

func (w *wizard) inFooter(text string) string {
	return ansi.Truncate(" "+text, max(1, w.width-1), w.styles.Marks.Ellipsis)
}

// matters lists the keys by how much their hint matters where not all fit, the
// most first. What enter does, or else the first hint, matters more than these.
const matters = "? q esc e a ←/→ arrows c ↑/↓ up/down tab t m r ctrl+u w l"

// drawHints draws as many hints as fit, in their order.
func (w *wizard) drawHints(hints []hint) string {
	order := strings.Fields(matters)
	if !slices.ContainsFunc(hints, func(h hint) bool { return h.key == "?" }) {
		order[1], order[2] = "esc", "q" // where there is help, it names esc
	}
	kept := make([]hint, len(hints))
	copy(kept, hints[:1])
	for _, key := range order {
		at := slices.IndexFunc(hints, func(h hint) bool { return h.key == key })
		if at < 1 {
			continue
		}
		kept[at] = hints[at]
		if !w.fitsFooter(kept) && (key == "?" || key == "esc" || key == "q") {
			kept[at].what = ""
		}
		if !w.fitsFooter(kept) && key == "?" {
			kept[0].what = "" // the button says it as well
		}
		if !w.fitsFooter(kept) {
			kept[at] = hint{}
		}
	}
	return w.inFooter(w.joinHints(kept))
}

// fitsFooter reports whether the hints fit. The row is never full: Bubble Tea
// erases to the end behind a last row, and the terminal's cursor still stands on
// the last cell then.
func (w *wizard) fitsFooter(hints []hint) bool {
	return ansi.StringWidth(w.joinHints(hints))+1 < w.width
}

func (w *wizard) joinHints(hints []hint) string {
	s := w.styles
	var all []string
	for _, h := range hints {
		var parts []string
		if h.key != "" {
			parts = append(parts, s.Bold.Render(h.key))
		}
		if h.what != "" {
			parts = append(parts, s.Muted.Render(h.what))
		}
		if parts != nil {
			all = append(all, strings.Join(parts, " "))
		}
	}
	return strings.Join(all, s.Rule.Render(" "+s.Marks.Dot+" "))
}

func (w *wizard) hints() []hint {
	move := w.names("←/→", "arrows")
	upDown := w.names("↑/↓", "up/down")
	enter := hint{"enter", w.enterDoes()}
	common := []hint{{"w", "why"}, {"l", "log"}}
	if w.at > 0 {
		common = append(common, hint{"esc", "back"})
	}
	common = append(common, hint{"?", "help"}, hint{"q", "quit"})
	if fields, _ := w.openFields(); len(fields) > 0 {
		hs := []hint{{"enter", "use it"}, {"esc", "back"}, {"ctrl+u", "clear"}}
		if len(fields) > 1 {
			hs = append(hs, hint{"tab", "next field"})
		}
		return hs
	}
	if w.leaving {
		return []hint{{"", "Stopping at a safe place. Please wait."}}
	}
	if w.question != nil {
		if w.question.list {
			move = upDown
		}
		return []hint{enter, {move, "choose"}, {"esc", "back"}}
	}
	p := w.current()
	if w.atEnd() {
		if w.job != nil {
			return []hint{{"x", "stop"}, {"l", "log"}, {"?", "help"}, {"q", "quit"}}
		}
		hs := []hint{enter, {move, "choose"}}
		if p != nil { // its last item is about it
			hs = append(hs, hint{upDown, "item"}, hint{"m", "message"}, hint{"c", "copy the report"})
		}
		return append(append(hs, hint{"t", "findings"}), common[1:]...)
	}
	switch w.phase(p) {
	case running:
		return []hint{{"x", "stop"}, {"l", "log"}, {"w", "why"}, {"?", "help"}, {"q", "quit"}}
	case planning:
		return append([]hint{{"x", "stop"}}, common...)
	case failed:
		hs := []hint{enter, {move, "choose"}, {"t", "findings"}}
		if w.copyable() != "" {
			hs = append(hs, hint{"c", "copy the fix"})
		}
		return append(hs, common...)
	case done:
		hs := []hint{enter}
		if again := p.screen.again(); again != enter.what {
			hs = append(hs, hint{"r", again})
		}
		if p.Name == steps.Preflight {
			hs = append(hs, hint{"t", "findings"})
		}
		return append(hs, common...)
	}
	hs := []hint{enter}
	if q := w.prompt(); q != nil && q.list {
		hs = append(hs, hint{upDown, "choose"})
	} else {
		hs = append(hs, hint{move, "choose"})
	}
	if w.copyable() != "" {
		hs = append(hs, hint{"c", "copy the command"})
	}
	return append(hs, common...)
}

// enterDoes says in a word or two what enter does.
func (w *wizard) enterDoes() string {
	q := w.prompt()
	if q == nil || w.selected >= len(q.options) || q.list || strings.HasPrefix(q.options[w.selected].label, "Next") {
		return "go on"
	}
	return strings.ToLower(q.options[w.selected].label)
}
