package ui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// The ways to a key.
const (
	keepKey   = "Keep the current key"
	graceKey  = "Rotate with a grace period"
	makeKey   = "Make a new key"
	importKey = "Use your own key"
)

// generateScreen lets one keep, make or import a key, and show or copy it
// after a question.
type generateScreen struct {
	basic
	canKeep bool
	staged  bool // the current key can be replaced in stages
	typed   bool // the key to import was typed here
}

func newGenerate() screen { return &generateScreen{basic: basic{step: steps.Generate}} }

// arrive finds out whether there is a good key to keep, and plans what was
// asked for on the command line, or else what the step thinks best.
func (g *generateScreen) arrive(w *wizard) tea.Cmd {
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
		o.Grace = e.Run.Journal != nil && e.Run.Journal.Rotated() // it goes on
		plan, err := e.Plan(ctx, steps.Generate, emit)
		r.canKeep, r.staged = err == nil && plan.Nothing, err == nil && plan.Keeps
		o.Rotate, o.Import = asked.Rotate, asked.Import
		if err == nil && (o.Rotate || o.Import.Set()) && !o.Grace {
			plan, err = e.Plan(ctx, steps.Generate, emit)
		}
		r.plan = plan
		return err
	})
}

// choose plans one of the ways that need no key to be typed.
func (g *generateScreen) choose(w *wizard, rotate bool) tea.Cmd {
	keep, staged := g.canKeep, g.staged
	return w.start(jobPlan, steps.Generate, func(ctx context.Context, e *steps.Engine, emit steps.Emit, r *report) (err error) {
		a := &e.Run.Answers
		a.Rotate, a.Grace, a.Import = rotate, false, secret.Secret{}
		r.canKeep, r.staged = keep, staged
		r.plan, err = e.Plan(ctx, steps.Generate, emit)
		return err
	})
}

// enter opens the form for a key of the person's own.
func (g *generateScreen) enter(w *wizard) tea.Cmd {
	entry := newField("Key", true, "Type or paste the key first")
	entry.judge = judgeKey
	w.open(&form{question: "Type or paste your key.", fields: []*field{entry}, submit: func(w *wizard) tea.Cmd {
		typed := entry.take()
		g.typed = true
		return g.take(w, func(r *steps.Run) {
			r.Answers.Rotate, r.Answers.Grace, r.Answers.Import = false, false, r.Secret(typed)
		})
	}})
	return nil
}

// rotate begins a rotation in stages.
func (g *generateScreen) rotate(w *wizard) tea.Cmd {
	return g.take(w, func(r *steps.Run) {
		r.Answers.Rotate, r.Answers.Grace, r.Answers.Import = false, true, secret.Secret{}
	})
}

// take plans what set has put into the run, and carries it out.
func (g *generateScreen) take(w *wizard, set func(*steps.Run)) tea.Cmd {
	keep, staged := g.canKeep, g.staged
	return w.start(jobApply, steps.Generate, func(ctx context.Context, e *steps.Engine, emit steps.Emit, r *report) (err error) {
		set(e.Run)
		r.canKeep, r.staged = keep, staged
		if r.plan, err = e.Plan(ctx, steps.Generate, emit); err != nil {
			return err
		}
		return e.Apply(ctx, steps.Generate, emit)
	})
}

// judgeKey says how far a key is that is being typed, by the rules that need nothing
// but the key.
func judgeKey(text string) (steps.Mark, string) {
	codes := steps.JudgeKey(secret.Fingerprinter{}.Secret(text))
	n := utf8.RuneCountInString(text)
	switch {
	case slices.Contains(codes, finding.JWTKeyTooShort):
		return steps.MarkWarn, fmt.Sprintf("%d of at least %d characters", n, steps.MinKeyLength)
	case len(codes) > 0:
		return steps.MarkWarn, fmt.Sprintf("%d characters, but easy to guess: it must be random", n)
	}
	return steps.MarkOK, fmt.Sprintf("%d characters", n)
}

func (g *generateScreen) came(w *wizard, r report) {
	if r.plan.Summary.Empty() {
		return
	}
	g.canKeep, g.staged = r.canKeep, r.staged
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
	if w.facts.rotates {
		return g.basic.ready(w)
	}
	plan := w.page(steps.Generate).plan
	resumed := g.canKeep && w.begun != nil && w.phase(w.page(steps.Restart)) != done // no other key before its restart
	if resumed || !g.canKeep && !plan.Nothing && plan.Question.Empty() && !plan.Summary.Empty() {
		q := g.basic.ready(w) // an earlier run has chosen
		q.options[0].label = "Go on"
		return q
	}
	take := func(w *wizard) tea.Cmd { return w.apply(steps.Generate) }
	p := prompt{question: "Which key should sign your tokens?", list: true}
	if g.canKeep {
		p.options = append(p.options, option{label: keepKey, note: "it is good", act: take,
			focus: func(w *wizard) tea.Cmd { return g.choose(w, false) }})
	}
	note := "random, 86 characters"
	if g.staged {
		note = "everyone logs in again"
		p.options = append(p.options, option{label: graceKey, note: w.facts.grace, act: g.rotate})
	}
	own := option{label: importKey, note: "typed or pasted, shown as dots", act: g.enter}
	if w.facts.imported {
		own.note, own.act = "the key you typed; enter uses it", take
	}
	return prompt{question: p.question, list: true, options: append(p.options,
		option{label: makeKey, note: note, act: take,
			focus: func(w *wizard) tea.Cmd { return g.choose(w, g.canKeep) }}, own)}
}

func (g *generateScreen) plan(w *wizard, s *sheet, p steps.Plan) {
	focus := ""
	if q := g.ready(w); w.selected < len(q.options) {
		focus = q.options[w.selected].label
	}
	switch {
	case focus == importKey && !w.facts.imported:
		s.hang("", w.styles.Bold, "Use your own key.")
		s.hang("  ", w.styles.Muted, "It must be random and have 50 characters or more.")
	case focus == graceKey:
		s.hang("", w.styles.Bold, "Replace the key in two stages, each restarted and proved.")
		s.hang("  ", w.styles.Muted, "First every process accepts a new key. Then every process signs with it, and still accepts the previous one.")
		s.effects(steps.Plan{Effects: []prose.Text{w.facts.pays}})
	default:
		s.plan(p)
	}
}

// key hides a key that is shown, whatever is pressed, but for what brings its rows into
// sight.
func (g *generateScreen) key(w *wizard, k tea.KeyMsg) (tea.Cmd, bool) {
	shown, was := w.key, w.scroll
	if shown {
		w.scrolled(k.String())
	}
	w.key = shown && w.scroll != was
	return nil, shown
}

// extra shows or copies the key after a question. Where a key of the person's own was
// refused, it leads to another one.
func (g *generateScreen) extra(w *wizard, p *page) []option {
	if w.phase(p) == failed {
		switch {
		case w.facts.rotates && g.staged:
			return []option{{label: "Choose again", act: func(w *wizard) tea.Cmd { return g.choose(w, false) }}}
		case !fixable(p.findings):
			return nil
		}
		ways := []option{{label: "Make a key instead", act: func(w *wizard) tea.Cmd { return g.choose(w, g.canKeep) }}}
		if w.facts.imported {
			ways = append(ways, option{label: "Enter another key", act: g.enter})
		}
		return ways
	}
	if !w.facts.key.Set() {
		return nil
	}
	return []option{
		{label: "Show", act: func(w *wizard) tea.Cmd {
			w.confirm("Show the key? Everyone who sees this screen can read it.", "No", "Show it", func(w *wizard) tea.Cmd {
				w.key = true
				w.scroll = w.lowest()
				return nil
			})
			return nil
		}},
		{label: "Copy", act: (*wizard).askCopyKey},
	}
}

// askCopyKey copies the key after a question.
func (w *wizard) askCopyKey() tea.Cmd {
	w.confirm("Copy the key? Every program on this machine can read the clipboard.", "No", "Copy it", func(w *wizard) tea.Cmd {
		return w.copyKey(w.facts.key)
	})
	return nil
}

func (g *generateScreen) done(w *wizard, s *sheet, p *page) {
	w.doneBody(s, p)
	st := w.styles
	if w.key {
		s.blank()
		key, width := w.facts.key.Reveal(), s.width
		if len(key) < w.width-w.margin() {
			width = len(key) // in one row it can be selected
		}
		for _, row := range strings.Split(ansi.Hardwrap(key, width, true), "\n") { // a hyphen is no place to break it
			s.rows = append(s.rows, st.Warn.Render(row))
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
