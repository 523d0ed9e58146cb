package ui

import (
	"context"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
)

// asking is the screen of a step that wants the name typed of what is production.
type asking struct {
	basic
	name   *field // of the environment, the app or the cluster
	typing bool
}

func newAsking(n steps.Name) asking {
	return asking{basic: basic{step: n}, name: newField("Name", false)}
}

func (n *asking) arrive(w *wizard) tea.Cmd {
	n.typing = false
	n.name.reset()
	return n.basic.arrive(w)
}

func (n *asking) ready(w *wizard) prompt {
	p := n.basic.ready(w)
	if plan := w.page(n.step).plan; plan.Confirm != "" {
		p.question = plan.NameQuestion().Rendered() + "."
		p.options[0] = option{label: "Type the name", act: func(*wizard) tea.Cmd {
			n.typing, n.name.label = true, "Type "+plan.Confirm
			return nil
		}}
	}
	return p
}

func (n *asking) fields() ([]*field, int) {
	if n.typing {
		return []*field{n.name}, 0
	}
	return nil, 0
}

func (n *asking) key(w *wizard, k tea.KeyMsg) (tea.Cmd, bool) {
	if !n.typing {
		return nil, false
	}
	switch k.String() {
	case "esc":
		n.typing = false
		n.name.reset()
	case "enter":
		confirm := w.page(n.step).plan.Confirm
		if n.name.take() != confirm {
			w.flash = steps.WrongName + " Type " + confirm + ", or press esc."
			break
		}
		n.typing = false
		return w.start(jobApply, n.step, func(ctx context.Context, e *steps.Engine, emit steps.Emit, _ *report) error {
			e.Run.Named(confirm, confirm)
			return e.Apply(ctx, n.step, emit)
		}), true
	default:
		n.name.key(k)
	}
	return nil, true
}
