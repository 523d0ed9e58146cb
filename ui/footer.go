package ui

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// hint is one entry of the footer: a key and what it does.
type hint struct{ key, what string }

// notice is what is said until the next key, in as many rows as it needs.
func (w *wizard) notice() []string {
	if w.flash == "" {
		return nil
	}
	var rows []string
	for _, r := range strings.Split(ansi.Wrap(w.styles.Marks.Plain(w.flash), max(1, w.width-2), ""), "\n") {
		rows = append(rows, w.inFooter(w.styles.Warn.Render(r)))
	}
	return rows
}

// cut is the first n rows of a notice, which say when there was more.
func (w *wizard) cut(rows []string, n int) []string {
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
const matters = "? q esc e a ↑/↓ up/down c m ←/→ arrows tab t r ctrl+u w l"

// drawHints names the keys that matter now, the most useful first; of those that do not
// fit the least useful are left out.
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
		if !w.fitsFooter(kept) && len(kept[0].what) > 12 {
			kept[0].what = "" // the button says it as well
		}
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
