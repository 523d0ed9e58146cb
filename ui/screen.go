package ui

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// screen is what is particular about one step. Everything that steps have in
// common (plan, progress, result, failure) is drawn by the wizard.
type screen interface {
	// arrive asks for the plan.
	arrive(w *wizard) tea.Cmd
	// came takes what a job of the step brought home that ended well.
	came(w *wizard, r report)
	// plan draws the plan.
	plan(w *wizard, s *sheet, p steps.Plan)
	// ready is the question under the plan.
	ready(w *wizard) prompt
	// key sees a key before the page does, and reports whether it took it.
	key(w *wizard, k tea.KeyMsg) (tea.Cmd, bool)
	// done draws the proof once the step is done.
	done(w *wizard, s *sheet, p *page)
	// extra are more ways on once the step is done or has failed.
	extra(w *wizard, p *page) []option
}

// page is one step with what is known of it.
type page struct {
	steps.StepInfo
	screen screen

	plan     steps.Plan
	lines    []steps.Event // checks, each ID once, and progress, in order
	findings []finding.Finding
	failure  error // why it failed

	fresh bool // its first plan is being made: what only looks then starts by itself
	again bool // it was done before an edit that is none of its business: it is taken again as it was
	stay  bool // the person came back to it or tries again, and goes on by hand
}

// asks reports whether the plan waits for a person's answer: one that changes
// something does, and one with ways to choose from.
func (p *page) asks(w *wizard) bool {
	if p.plan.Nothing {
		return false
	}
	return !p.plan.Question.Empty() || p.plan.Confirm != "" || p.screen.ready(w).list
}

// passes reports whether the step is done so well that its proof needs no page of its
// own: one line above the next one says it.
func (p *page) passes() bool {
	return p.Number > 0 && !p.stay && !p.warned() &&
		!slices.ContainsFunc(p.findings, func(f finding.Finding) bool { return f.Severity != finding.Info })
}

// tally counts the checks that passed, and those that could not be proved or are open.
func (p *page) tally() (passed, unsure int) {
	for _, l := range p.lines {
		switch l.Mark {
		case steps.MarkOK:
			passed++
		case steps.MarkWarn:
			unsure++
		}
	}
	return passed, unsure
}

// clear forgets what an earlier attempt left on the page.
func (p *page) clear() { p.lines, p.findings, p.failure = nil, nil, nil }

// take puts an event on the page.
func (p *page) take(ev steps.Event) {
	if n := len(p.lines); n > 0 && p.lines[n-1].Kind == steps.EventProgress {
		switch l := p.lines[n-1]; {
		case l.Limit > 0 && ev.Time.Sub(l.Time) < time.Second, l.Limit == 0 && l.Watches: // nothing was waited for, or nobody counts how long
			p.lines = p.lines[:n-1]
		default:
			p.lines[n-1] = waited(l, ev.Time)
		}
	}
	if ev.ID == steps.LineProject {
		ev.Detail = prose.Of(steps.Tilde(ev.Detail.Rendered()))
	}
	switch ev.Kind {
	case steps.EventCheck:
		for i, was := range p.lines {
			if was.Kind == steps.EventCheck && was.ID == ev.ID {
				if took := waited(was, ev.Time); was.Limit > 0 && ev.Limit == 0 && ev.Mark != steps.MarkRunning {
					ev.Detail = joined(ev.Detail, took.Detail)
				}
				p.lines[i] = ev
				return
			}
		}
		p.lines = append(p.lines, ev)
	case steps.EventProgress, steps.EventOutput:
		p.lines = append(p.lines, ev)
	case steps.EventFinding:
		p.findings = append(p.findings, *ev.Finding)
	}
}

// waited is a line of something that was waited for, with how long that took by the
// given time. What came at once says nothing about it.
func waited(ev steps.Event, until time.Time) steps.Event {
	if took := until.Sub(ev.Time); ev.Limit > 0 && took >= time.Second {
		ev.Detail = prose.Say("%.0f s", took.Seconds())
	}
	ev.Limit, ev.Watches = 0, false
	return ev
}

// waits is a line of something that is still waited for, with how long that takes.
func waits(ev steps.Event, now time.Time) steps.Event {
	if ev.Limit > 0 {
		ev.Detail = prose.Say("%.0f s of %.0f s", max(0, now.Sub(ev.Time).Seconds()), ev.Limit.Seconds())
	}
	return ev
}

// joined are two details in one, either of which may be empty.
func joined(a, b prose.Text) prose.Text {
	switch {
	case a.Empty():
		return b
	case b.Empty():
		return a
	}
	return prose.Say("%s, %s", a, b)
}

// settle ends the lines that were still running when the step's job ended: as
// failed when it failed, else as not finished.
func (p *page) settle(err error) {
	for i := range p.lines {
		p.lines[i].Limit = 0
		switch l := &p.lines[i]; {
		case l.Kind != steps.EventCheck || l.Mark != steps.MarkRunning:
		case err != nil && !stopped(err):
			l.Mark = steps.MarkFailed
		default:
			l.Mark, l.Detail = steps.MarkPending, prose.Say("not finished")
		}
	}
}

// basic is the screen of a step that has nothing particular. The others embed
// it.
type basic struct{ step steps.Name }

func (b *basic) arrive(w *wizard) tea.Cmd { return w.ask(b.step, nil) }

func (b *basic) came(*wizard, report) {}

func (b *basic) plan(_ *wizard, s *sheet, p steps.Plan) { s.plan(p) }

func (b *basic) ready(w *wizard) prompt {
	p := w.page(b.step).plan
	question, verb := p.Question.Rendered(), cmp.Or(p.Yes, steps.About(b.step).Title)
	if p.Nothing {
		question, verb = "Nothing to do here. Continue?", "Go on"
	}
	return prompt{question: question, answers: "yn", options: []option{
		{label: verb, act: func(w *wizard) tea.Cmd { return w.apply(b.step) }},
		{label: "Back", act: (*wizard).back},
	}}
}

func (b *basic) key(*wizard, tea.KeyMsg) (tea.Cmd, bool) { return nil, false }
func (b *basic) done(w *wizard, s *sheet, p *page)       { w.doneBody(s, p) }
func (b *basic) extra(*wizard, *page) []option           { return nil }

// prompt is a question with the options to answer it.
type prompt struct {
	question string
	options  []option
	answers  string // the letters that take the options, one each: "yn"; "" for none
	list     bool   // one option a row, chosen with up and down, a digit or the first letter
}

// starting is the next option after from that a digit or its first letter names, -1 for
// none: in a numbered list the digit is the number.
func (p *prompt) starting(key string, from int) int {
	if len(key) != 1 || !p.list {
		return -1
	}
	for i := range p.options {
		at := (from + 1 + i) % len(p.options)
		if strings.EqualFold(p.options[at].label[:1], key) {
			return at
		}
	}
	if n := int(key[0] - '1'); n >= 0 && n < len(p.options) {
		return n
	}
	return -1
}

// option is one answer.
type option struct {
	label  string
	note   string // beside it, in a list
	act    func(*wizard) tea.Cmd
	onward bool                  // it leads to the next page, and its label names that
	focus  func(*wizard) tea.Cmd // when it gets the focus, in a list; nil for nothing
}

// ask plans a step, after set has put what the user chose into the run.
func (w *wizard) ask(n steps.Name, set func(*steps.Run)) tea.Cmd {
	if w.facts.skip[n] {
		return w.start(jobSkip, n, func(_ context.Context, e *steps.Engine, emit steps.Emit, _ *report) error {
			return e.Skip(n, emit)
		})
	}
	return w.start(jobPlan, n, func(ctx context.Context, e *steps.Engine, emit steps.Emit, r *report) (err error) {
		if set != nil {
			set(e.Run)
		}
		r.plan, err = e.Plan(ctx, n, emit)
		return err
	})
}

// apply carries the plan of a step out.
func (w *wizard) apply(n steps.Name) tea.Cmd {
	return w.start(jobApply, n, func(ctx context.Context, e *steps.Engine, emit steps.Emit, _ *report) error {
		return e.Apply(ctx, n, emit)
	})
}

// skip leaves a step out and goes on.
func (w *wizard) skip(n steps.Name) tea.Cmd {
	return w.start(jobSkip, n, func(_ context.Context, e *steps.Engine, emit steps.Emit, _ *report) error {
		return e.Skip(n, emit)
	})
}

// startOver looks at the project again.
func (w *wizard) startOver() tea.Cmd { return w.goTo(0, true) }
