package ui

import (
	"context"
	"fmt"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
)

// The ways to a key.
const (
	keepKey   = "Keep the current key"
	makeKey   = "Make a new key"
	importKey = "Use your own key"
)

// generateScreen lets one keep, make or import a key, and show or copy it
// after a question.
type generateScreen struct {
	basic
	canKeep bool
	entry   *field // of the imported key
	typing  bool
	typed   bool // the key to import was typed here
}

func newGenerate() screen {
	return &generateScreen{basic: basic{step: steps.Generate}, entry: newField("Key", true)}
}

// arrive finds out whether there is a good key to keep, and plans what was
// asked for on the command line, or else what the step thinks best.
func (g *generateScreen) arrive(w *wizard) tea.Cmd {
	g.typing = false
	g.entry.reset()
	if w.facts.skip[steps.Generate] {
		return w.ask(steps.Generate, nil)
	}
	forget := g.typed
	g.typed = false
	return w.start(jobPlan, steps.Generate, func(ctx context.Context, e *steps.Engine, emit steps.Emit, r *report) error {
		o := &e.Run.Answers
		if forget {
			// It was refused, or the user came back to choose again.
			o.Import = secret.Secret{}
		}
		asked := *o
		o.Rotate, o.Import = false, secret.Secret{}
		plan, err := e.Plan(ctx, steps.Generate, emit)
		r.canKeep = err == nil && plan.Nothing
		o.Rotate, o.Import = asked.Rotate, asked.Import
		if err == nil && (o.Rotate || o.Import.Set()) {
			plan, err = e.Plan(ctx, steps.Generate, emit)
		}
		r.plan = plan
		return err
	})
}

// choose plans one of the ways.
func (g *generateScreen) choose(w *wizard, rotate bool, typed *string) tea.Cmd {
	keep := g.canKeep
	return w.start(jobPlan, steps.Generate, func(ctx context.Context, e *steps.Engine, emit steps.Emit, r *report) (err error) {
		e.Run.Answers.Rotate, e.Run.Answers.Import = rotate, secret.Secret{}
		if typed != nil {
			e.Run.Answers.Import = e.Run.Secret(*typed)
		}
		r.canKeep = keep
		r.plan, err = e.Plan(ctx, steps.Generate, emit)
		return err
	})
}

func (g *generateScreen) planned(w *wizard, r report) {
	g.canKeep = r.canKeep
	for i, o := range g.ready(w).options {
		if o.label == g.chosen(w) {
			w.selected = i
		}
	}
}

// chosen names the way that the plan is about.
func (g *generateScreen) chosen(w *wizard) string {
	switch {
	case w.facts.imported:
		return importKey
	case w.facts.rotate || !g.canKeep:
		return makeKey
	}
	return keepKey
}

func (g *generateScreen) ready(w *wizard) prompt {
	take := func(w *wizard) tea.Cmd { return w.apply(steps.Generate) }
	p := prompt{question: "Which key should sign your tokens?", list: true}
	if g.canKeep {
		p.options = append(p.options, option{keepKey, "it is good", take})
	}
	p.options = append(p.options, option{makeKey, "random, 86 characters", take})
	if w.facts.imported {
		p.options = append(p.options, option{importKey, "the key you typed; enter uses it", take})
	} else {
		p.options = append(p.options, option{importKey, "typed or pasted, shown as dots", func(*wizard) tea.Cmd {
			g.typing = true
			return nil
		}})
	}
	return p
}

// moved plans the way that has the focus now. A key that was typed in is
// forgotten when another way is chosen.
func (g *generateScreen) moved(w *wizard, to int) tea.Cmd {
	switch g.ready(w).options[to].label {
	case keepKey:
		return g.choose(w, false, nil)
	case makeKey:
		return g.choose(w, g.canKeep, nil)
	}
	return nil
}

func (g *generateScreen) plan(w *wizard, s *sheet, p steps.Plan) {
	if q := g.ready(w); !w.facts.imported && w.selected < len(q.options) && q.options[w.selected].label == importKey {
		s.hang("", w.styles.Bold, "Use your own key.")
		s.hang("  ", w.styles.Muted, "It must be random and have 50 characters or more.")
		if n := len(g.entry.text()); g.typing && n > 0 {
			mark, text := steps.MarkWarn, fmt.Sprintf("%d of at least %d characters", n, steps.MinKeyLength)
			if n >= steps.MinKeyLength {
				mark, text = steps.MarkOK, fmt.Sprintf("%d characters", n)
			}
			s.hang("  "+w.styles.Mark(mark)+" ", w.styles.Muted, text)
		}
		return
	}
	s.plan(p)
}

func (g *generateScreen) fields() ([]*field, int) {
	if g.typing {
		return []*field{g.entry}, 0
	}
	return nil, 0
}

func (g *generateScreen) key(w *wizard, k tea.KeyMsg) (tea.Cmd, bool) {
	if w.key {
		w.key = false // any key hides it again
		return nil, true
	}
	if !g.typing {
		return nil, false
	}
	switch k.String() {
	case "esc":
		g.typing = false
		g.entry.reset()
	case "enter":
		if g.entry.empty() {
			w.flash = "Type or paste the key first, or press esc."
			break
		}
		g.typing = false
		g.typed = true
		typed := g.entry.take()
		return g.choose(w, false, &typed), true
	default:
		g.entry.key(k)
	}
	return nil, true
}

func (g *generateScreen) extra(w *wizard) []option {
	if !w.facts.key.Set() {
		return nil
	}
	return []option{
		{label: "Show", act: func(w *wizard) tea.Cmd {
			w.confirm("Show the key? Everyone who sees this screen can read it.", "No", "Show it", func(w *wizard) tea.Cmd {
				w.key = true
				return nil
			})
			return nil
		}},
		{label: "Copy", act: func(w *wizard) tea.Cmd {
			w.confirm("Copy the key? Every program on this machine can read the clipboard.", "No", "Copy it", func(w *wizard) tea.Cmd {
				return w.copyKey(w.facts.key)
			})
			return nil
		}},
	}
}

func (g *generateScreen) done(w *wizard, s *sheet, p *page) {
	w.doneBody(s, p)
	st := w.styles
	if w.key {
		s.blank()
		if key := w.facts.key.Reveal(); len(key) < w.width-w.margin() {
			s.rows = append(s.rows, st.Warn.Render(key)) // in one row it can be selected
		} else {
			s.hang("", st.Warn, key)
		}
		s.hang("", st.Muted, "Press any key to hide it.")
		return
	}
	s.blank()
	if w.facts.key.Set() {
		s.hang("", st.Muted, fmt.Sprintf("The key is never shown unless you ask. Its fingerprint is %s.", w.facts.key.Fingerprint()))
	}
	if w.facts.machine.Status(steps.Write) != steps.Done && !p.plan.Nothing {
		s.hang("", st.Muted, "Nothing is written yet.")
	}
}

func (g *generateScreen) again() string { return "choose again" }

// fix lets keysplit make the key after one that was brought is refused.
func (g *generateScreen) fix(w *wizard) tea.Cmd { return g.choose(w, g.canKeep, nil) }
