package ui

import tea "github.com/charmbracelet/bubbletea"

// quit ends the program at once when nothing is lost by it. While something is
// being written it asks; a second ctrl+c then counts as yes. Even so the
// program waits until the engine has stopped at a safe place.
func (w *wizard) quit(insist bool) tea.Cmd {
	switch {
	case w.leaving:
		w.flash = "Waiting for a safe place to stop."
		return nil
	case !w.job.writes():
		return w.leave()
	case insist && w.question != nil && w.question == w.quitting:
		return w.leave()
	}
	w.confirm("Something is being written. Stop at the next safe place and quit?", "Keep going", "Quit", (*wizard).leave)
	w.quitting = w.question
	return nil
}
