package ui

import "strings"

// helpOverlay lists the keys.
func helpOverlay() *overlay {
	return &overlay{title: "Help", brief: "help", key: "?", draw: func(w *wizard, s *sheet) {
		s.hang("", w.styles.Bold, "enter always goes on. Every change is shown before it is made.")
		s.blank()
		for _, h := range []hint{
			{"enter, space", "continue, or choose what has the focus"},
			{"y, n", "yes or no to a question"},
			{"esc", "back to the previous screen; it never quits"},
			{"tab, " + w.names("←/→", "arrows"), "move between buttons; h moves left"},
			{w.names("↑/↓", "up/down") + ", j, k", "choose in a list, or scroll; digits and letters choose too"},
			{"pgup, pgdn", "scroll by half a screen"},
			{"r", "do this step again"},
			{"x", "stop what is running"},
			{"w", "why this step is there, and what the guide gets wrong"},
			{"t", "findings: what is wrong, why, how to fix it; a: all known"},
			{"1 to 9, a", "before the write: switch an edit on or off, or all on"},
			{"m", "the message to send to the team"},
			{"b", "emergency: revert the code change"},
			{"l", "the log of everything that was done"},
			{"c", "copy a command"},
			{"ctrl+z", "suspend (fg resumes)"},
			{"q, ctrl+c", "quit; asks first while something is written"},
		} {
			s.entry(h.key, h.what)
		}
		s.blank()
		s.hang("", w.styles.Muted, "Run keysplit again to go on where you stopped. To restore everything: "+w.facts.rollback)
	}}
}

// entry adds a key and what it does.
func (s *sheet) entry(key, what string) {
	const left = 14
	s.hang(s.s.Accent.Render(key)+strings.Repeat(" ", max(1, left-len([]rune(key)))), s.s.Muted, what)
}
