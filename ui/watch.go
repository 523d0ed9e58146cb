package ui

import (
	"context"
	"errors"
	"slices"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
)

// watchEvery is how long the last page waits between two looks for a server of the
// project, where it found none before.
const watchEvery = 2 * time.Second

// seenMsg is what one look came to. A look of a page that was left is number no more.
type seenMsg struct {
	number int
	seen   bool
	err    error
}

// watch looks for the server that the person was told to start. Nothing is drawn until
// it answers.
func (w *wizard) watch() tea.Cmd {
	if !w.waits() {
		return nil
	}
	w.watching++
	number, every, r := w.watching, w.every, w.runner
	look := r.alone(func() tea.Msg {
		if r.closed.Load() {
			return nil
		}
		seen, err := r.engine.Seen(r.ctx)
		return seenMsg{number, seen, err}
	})
	return func() tea.Msg {
		t := time.NewTimer(every)
		defer t.Stop()
		select {
		case <-r.ctx.Done():
			return nil
		case <-t.C:
			return look()
		}
	}
}

// waits reports whether the last page waits for a server of the project.
func (w *wizard) waits() bool {
	return w.atEnd() && w.facts.end.OwnServer && w.backPhase() == backNone && w.job == nil
}

// seen takes a look, and goes on to the next one or to the proof.
func (w *wizard) seen(msg seenMsg) tea.Cmd {
	switch {
	case msg.number != w.watching || !w.waits() || msg.err != nil:
		return nil
	case !msg.seen, w.form != nil, w.question != nil: // nobody's answer is taken away
		return w.watch()
	}
	return w.start(jobProve, "", prove)
}

// errAsks is why the server that came was not proved at once: it is to be restarted.
var errAsks = errors.New("the restart has a question")

// provenBy are the steps that are about the running server, and what rests on them.
var provenBy = []steps.Name{steps.Restart, steps.SmokeTest, steps.Checklist}

// prove takes the steps again that are about the running server.
func prove(ctx context.Context, e *steps.Engine, emit steps.Emit, _ *report) error {
	for _, n := range provenBy {
		if !e.Has(n) || e.Machine.Status(n) == steps.Skipped {
			continue
		}
		p, err := e.Plan(ctx, n, emit)
		if err == nil && n == steps.Restart && !p.Question.Empty() {
			return errAsks
		}
		if err == nil {
			err = e.Apply(ctx, n, emit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// proved shows how the proof of the server that came ended.
func (w *wizard) proved(err error) tea.Cmd {
	at := slices.IndexFunc(w.pages, func(p *page) bool {
		return slices.Contains(provenBy, p.Name) && w.facts.machine.Status(p.Name) != steps.Done && w.facts.machine.Status(p.Name) != steps.Skipped
	})
	for _, n := range provenBy {
		w.page(n).settle(err)
	}
	switch {
	case at < 0:
		return nil
	case errors.Is(err, errAsks):
		return w.goTo(at, true)
	case stopped(err):
		w.flash = "Stopped."
	}
	w.pages[at].failure = err
	w.at = at
	return nil
}
