package ui

import (
	"context"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/rollback"
)

// restoring is the page of a rollback, behind those of all steps: its plan, with its
// question, and then what it did.
type restoring struct {
	from    int               // the page that asked for it
	plan    *steps.Plan       // nil until it is made
	at      steps.Name        // the step that is undone just now
	undone  []steps.Name      // the steps that are
	done    page              // the lines of it
	verdict *rollback.Verdict // how it ended, nil without one
}

// backPhase says how far a rollback is.
type backPhase int

const (
	backNone backPhase = iota
	backPlanning
	backAsked
	backRunning
	backFailed
	backDone
)

func (w *wizard) backPhase() backPhase {
	b := &w.restoring
	switch {
	case w.job != nil && w.job.kind == jobForesee:
		return backPlanning
	case w.job != nil && w.job.kind == jobBack:
		return backRunning
	case b.verdict != nil && b.verdict.Err != nil:
		return backFailed
	case b.verdict != nil:
		return backDone
	case b.plan != nil:
		return backAsked
	}
	return backNone
}

// asksBack reports whether the page asks whether to restore everything.
func (w *wizard) asksBack() bool {
	ph := w.backPhase()
	return ph == backPlanning || ph == backAsked
}

// askRollBack shows what a rollback will do, and asks.
func (w *wizard) askRollBack() tea.Cmd {
	w.restoring = restoring{from: w.at}
	w.at, w.over = len(w.pages), nil
	return w.start(jobForesee, "", func(ctx context.Context, e *steps.Engine, _ steps.Emit, r *report) error {
		r.plan = rollback.Of(e).Plan(ctx)
		return ctx.Err()
	})
}

// keep goes back to the page that asked; nothing is restored.
func (w *wizard) keep() tea.Cmd {
	w.at, w.selected, w.scroll, w.question = w.restoring.from, 0, 0, nil
	w.restoring = restoring{}
	return w.watch()
}

// rollBack restores everything.
func (w *wizard) rollBack() tea.Cmd { return w.goBack(restore) }

// goBack begins to restore: what an earlier try said is out of date.
func (w *wizard) goBack(do work) tea.Cmd {
	w.restoring.verdict = nil
	w.restoring.done.clear()
	return w.start(jobBack, "", do)
}

func restore(ctx context.Context, e *steps.Engine, emit steps.Emit, r *report) error {
	v := rollback.Of(e).Run(ctx, emit)
	r.verdict = &v
	return v.Err
}

// goBack restores everything, or the rest of it, with another way to restart.
func (r *Remedy) goBack(w *wizard) tea.Cmd {
	return r.name(w, func(w *wizard, text string) tea.Cmd {
		return w.goBack(func(ctx context.Context, e *steps.Engine, emit steps.Emit, rep *report) error {
			if err := rollback.Of(e).RestartBy(text); err != nil {
				return err
			}
			return restore(ctx, e, emit, rep)
		})
	})
}

// drawBack draws the page.
func (w *wizard) drawBack(s *sheet) {
	b, st := &w.restoring, w.styles
	switch w.backPhase() {
	case backPlanning:
		s.hang(s.spin+" ", st.Bold, "Looking at what there is to restore.")
		return
	case backAsked:
		s.hang("", st.Bold, b.plan.Summary.Rendered())
		s.blank()
		for _, d := range b.plan.Details {
			s.say("  ", st.Muted, d)
		}
		s.effects(*b.plan)
		return
	case backRunning:
		s.hang(s.spin+" ", st.Bold, "Restoring everything")
	default:
		w.wentBack(s, *b.verdict)
	}
	s.blank()
	s.lines(b.done.lines)
	for _, f := range finding.Groups(b.done.findings) {
		s.blank()
		f.Fix = f.Fix.Repeated("retry").Instead(func(command string) string {
			switch {
			case f.Code == finding.RestartFailed && strings.Contains(command, " --restart "):
				return anotherRestart
			case f.Code == finding.ServerStaleKey: // once it is restarted by hand
				return "Retry"
			}
			return ""
		})
		s.finding(f, true)
	}
	if b.verdict == nil {
		return
	}
	for _, next := range b.verdict.Next {
		s.blank()
		s.say("", st.Bold, next)
	}
	if w.backPhase() == backDone {
		s.blank()
		s.hang("", st.Muted, "To upgrade after all, start over here or run keysplit again later.")
	}
}

// wentBack says how far a rollback came.
func (w *wizard) wentBack(s *sheet, v rollback.Verdict) {
	st := w.styles
	mark := st.Mark(steps.MarkOK)
	switch {
	case v.Err != nil:
		mark = st.Mark(steps.MarkFailed)
	case !v.Proved:
		mark = st.Mark(steps.MarkWarn)
	}
	s.hang(mark+" ", st.Bold, v.Summary.Rendered())
	if v.Err != nil && len(w.restoring.done.findings) == 0 {
		s.blank()
		s.hang("", lipgloss.NewStyle(), Words(v.Err))
	}
}

// backPrompt is the question of the page. Its first answer changes nothing.
func (w *wizard) backPrompt() *prompt {
	finish := option{label: "Finish", act: (*wizard).finish}
	switch w.backPhase() {
	case backAsked:
		plan := *w.restoring.plan
		p := &prompt{question: plan.Question.Rendered(), answers: "ny", options: []option{
			{label: "Back", act: (*wizard).keep}, {label: "Roll back", act: (*wizard).rollBack},
		}}
		if plan.Confirm != "" {
			p.answers = "n"
			p.options[1] = option{label: "Type the name", act: func(w *wizard) tea.Cmd {
				w.askName(plan, jobBack, "", restore)
				return nil
			}}
		}
		return p
	case backFailed:
		options := []option{{label: "Retry", act: (*wizard).rollBack}, finish}
		found := w.restoring.done.findings
		if i := slices.IndexFunc(found, func(f finding.Finding) bool { return f.Code == finding.RestartFailed }); i >= 0 {
			at := 1
			if found[i].Fix.Runs("rollback") { // to try the same again cannot help
				at = 0
			}
			options = slices.Insert(options, at, option{label: anotherRestart, act: remedyOf(found[i]).goBack})
		}
		return &prompt{question: "What now?", options: options}
	case backDone:
		return &prompt{options: []option{finish, {label: "Start over", act: (*wizard).startOver}}}
	}
	return nil
}

// took takes what the rollback reports. The stepper goes back with it.
func (b *restoring) took(ev steps.Event) {
	switch ev.Kind {
	case steps.EventStarted:
		b.at = ev.Step
	case steps.EventUndone:
		b.undone = append(b.undone, ev.Step)
	}
	b.done.take(ev)
}

// past reports whether a step, or one before it, is undone by now.
func (b *restoring) past(p *page) bool {
	return slices.ContainsFunc(b.undone, func(n steps.Name) bool { return steps.About(n).Number <= p.Number })
}
