package ui

import (
	"context"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
)

// asking is the screen of a step that wants the name typed of what is production.
type asking struct{ basic }

func newAsking(n steps.Name) asking { return asking{basic{step: n}} }

func (n *asking) ready(w *wizard) prompt {
	p := n.basic.ready(w)
	if plan := w.page(n.step).plan; plan.Confirm != "" {
		p.options[0] = option{label: "Type the name", act: func(w *wizard) tea.Cmd {
			w.askName(plan, jobApply, n.step, func(ctx context.Context, e *steps.Engine, emit steps.Emit, _ *report) error {
				return e.Apply(ctx, n.step, emit)
			})
			return nil
		}}
	}
	return p
}

// askName opens the form for the name of what is production, and starts the job with it.
func (w *wizard) askName(plan steps.Plan, kind jobKind, n steps.Name, do work) {
	name := newField("Type "+plan.Confirm, false, "Type "+plan.Confirm)
	name.judge = func(text string) (steps.Mark, string) {
		switch {
		case text == plan.Confirm:
			return steps.MarkOK, "that is the name"
		case strings.HasPrefix(plan.Confirm, text):
			return steps.MarkPending, "the whole name is " + plan.Confirm
		}
		return steps.MarkWarn, "that is another name: type " + plan.Confirm
	}
	w.open(&form{question: plan.NameQuestion().Rendered() + ".", fields: []*field{name}, submit: func(w *wizard) tea.Cmd {
		typed := name.take()
		return w.start(kind, n, func(ctx context.Context, e *steps.Engine, emit steps.Emit, r *report) error {
			e.Run.Named(plan.Confirm, typed)
			return do(ctx, e, emit, r)
		})
	}})
}
