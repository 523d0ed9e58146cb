package ui

import (
	"cmp"
	"slices"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/rollback"
)

// event takes what the current job reports.
func (w *wizard) event(msg eventMsg) {
	if w.job == nil || msg.id != w.job.id {
		return
	}
	w.record(msg.ev)
	switch {
	case w.job.kind == jobBack:
		w.restoring.took(msg.ev)
	case w.job.kind == jobProve:
		if msg.ev.Kind == steps.EventStarted {
			w.page(msg.ev.Step).clear()
		}
		w.page(msg.ev.Step).take(msg.ev)
	case msg.ev.Step == w.job.step:
		w.page(msg.ev.Step).take(msg.ev)
	}
}

// record puts an event into the log. A line of proof takes the place of what it
// was while it ran.
func (w *wizard) record(ev steps.Event) {
	if ev.Kind == steps.EventCheck {
		w.log = slices.DeleteFunc(w.log, func(old steps.Event) bool {
			return unfinished(old) && old.Step == ev.Step && old.ID == ev.ID
		})
	}
	w.log = append(w.log, ev)
}

// unfinished reports whether an event is a line of proof that is still to come out.
func unfinished(ev steps.Event) bool {
	return ev.Kind == steps.EventCheck && (ev.Mark == steps.MarkRunning || ev.Mark == steps.MarkPending)
}

// result takes the end of the current job.
func (w *wizard) result(msg resultMsg) tea.Cmd {
	if w.job == nil || msg.id != w.job.id {
		return nil
	}
	if w.job.kind == jobApply && w.job.step == steps.Preflight {
		w.looked = w.now().Sub(w.started)
	}
	w.job.cancel()
	w.job = nil
	if w.flash == busy { // not any more
		w.flash = ""
	}
	w.facts = msg.facts
	w.log = slices.DeleteFunc(w.log, unfinished)
	if w.leaving {
		return tea.Quit
	}
	w.question = nil
	switch msg.kind {
	case jobForesee:
		if msg.err != nil {
			return w.keep()
		}
		w.restoring.plan = &msg.report.plan
		return nil
	case jobBack:
		w.wasRestored(msg)
		return nil
	case jobProve:
		return w.proved(msg.err)
	}
	p := w.page(msg.step)
	w.takeResult(p, msg)
	return w.onward(p, msg)
}

// wasRestored takes the end of a rollback.
func (w *wizard) wasRestored(msg resultMsg) {
	b := &w.restoring
	b.verdict = cmp.Or(msg.report.verdict, &rollback.Verdict{Summary: prose.Say("Nothing was undone."), Err: msg.err})
	b.done.settle(msg.err)
	for _, p := range w.pages[1:] {
		p.clear()
	}
}

// takeResult puts what a step's job brought home on its page, and clears those whose
// proof is about another state by now.
func (w *wizard) takeResult(p *page, msg resultMsg) {
	for _, later := range w.pages {
		if s := w.facts.machine.Status(later.Name); s == steps.Pending && later != p {
			later.clear()
		}
	}
	p.settle(msg.err)
	if msg.step == steps.Preflight {
		w.next, w.begun, w.below = msg.report.next, msg.report.begun, msg.report.below
		if restart := w.page(steps.Restart); msg.report.restart != "" {
			restart.Task = msg.report.restart
		}
	}
	if msg.kind == jobPlan || !msg.report.plan.Summary.Empty() {
		p.plan = msg.report.plan
	}
	if msg.err == nil {
		p.screen.came(w, msg.report)
	}
}

// onward leads on from the end of a step's job: what failed or asks stays, the rest goes
// on by itself.
func (w *wizard) onward(p *page, msg resultMsg) tea.Cmd {
	switch {
	case stopped(msg.err):
		return w.wasStopped(p)
	case msg.err != nil:
		p.failure = msg.err
	case msg.kind == jobSkip:
		return w.forward()
	case msg.kind == jobPlan:
		fresh := p.fresh
		if p.fresh = false; fresh && (p.again || !p.asks(w)) {
			p.again = false
			return w.apply(p.Name)
		}
	case p.plan.More:
		p.fresh = !p.stay
		return p.screen.arrive(w) // its next part may have a question of its own
	case p == w.current() && w.atEnd():
		return w.watch()
	case p.passes():
		return w.pass()
	}
	return nil
}

// wasStopped shows the plan of a step that the person stopped, or that it was stopped.
func (w *wizard) wasStopped(p *page) tea.Cmd {
	w.flash = "Stopped."
	if w.facts.machine.Status(p.Name) == steps.Pending && p.Number > 0 {
		p.fresh, p.stay = false, true
		return p.screen.arrive(w)
	}
	p.failure = steps.ErrCancelled
	return nil
}
