package ui

import (
	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
)

// quit ends the program at once when nothing is lost by it. While something is
// being written it asks; a second ctrl+c then counts as yes. Even so the
// program waits until the engine has stopped at a safe place.
func (w *wizard) quit(insist bool) tea.Cmd {
	if w.asksBack() { // no answer is a no
		w.keep()
	}
	switch {
	case w.leaving:
		w.flash = "Waiting for a safe place to stop."
		return nil
	case !w.job.writes():
		// On the last page there is nothing left to do: q is as good as Finish.
		w.finished = w.finished || !insist && w.job == nil && w.atEnd() && w.backPhase() != backFailed
		return w.leave()
	case insist && w.question != nil && w.question == w.quitting:
		return w.leave()
	}
	what, going := "keysplit is writing. Stop at the next safe place and quit?", "Keep going"
	if w.job.step == steps.Restart { // what a rollback or an edit does has no step
		what = "The backend is being restarted. Stop at the next safe place and quit?"
	}
	if n := len(w.page(w.job.step).lines); n > 0 && w.page(w.job.step).lines[n-1].Watches {
		what, going = w.page(w.job.step).lines[n-1].Text.Rendered()+". Stop waiting and quit?", "Keep waiting"
	}
	w.confirm(what, going, "Quit", (*wizard).leave)
	w.quitting = w.question
	return nil
}
