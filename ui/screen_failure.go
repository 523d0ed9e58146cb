package ui

import (
	"context"
	"errors"
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
)

// failedBody shows why a step failed: cause, reason and fix of each finding,
// the lines of proof, and last what a machine said.
func (w *wizard) failedBody(s *sheet, p *page) {
	st := w.styles
	if stopped(p.failure) {
		s.hang(s.s.Mark(steps.MarkWarn)+" ", st.Bold, Words(p.failure))
		s.blank()
		s.lines(p.lines)
		return
	}
	told := false
	var said finding.Group // what has one reason, or one fix mends, is told that once
	for _, f := range finding.Groups(p.findings) {
		if f.Severity != finding.Error {
			continue
		}
		shown := w.advised(f)
		if f.Why == said.Why {
			shown.Why = prose.Text{}
		}
		s.headline(shown, !f.FixedBySteps() && f.Fix != said.Fix)
		said = f
		s.blank()
		told = true
	}
	if held := (*journal.HeldError)(nil); errors.As(p.failure, &held) {
		s.hang(st.Error.Render(st.Marks.Failed)+" ", st.Error.Bold(true), held.Headline())
		s.hang("  ", st.Muted, held.By.String())
		s.blank()
	} else if !told {
		s.hang(st.Error.Render(st.Marks.Failed)+" ", st.Error.Bold(true), Words(p.failure))
		do := "Retry. If it fails again, press l: the log shows what was done before that."
		if ways := w.ways(p); len(ways) > 0 {
			do = ways[0].label + ". Or retry, once it is there."
		} else if misplaced := (*journal.PlaceError)(nil); errors.As(p.failure, &misplaced) { // by variables, which a retry would find as they are
			do = "Quit, do that, and start keysplit again."
		}
		s.labelled(st.Accent, "Do ", do)
		s.blank()
	}
	lines := slices.Clone(p.lines)
	for i, l := range lines {
		lines[i].Text = l.Text.Instead(button)
	}
	s.lines(lines)
	s.blank()
	for _, f := range finding.Groups(p.findings) {
		if f.Severity != finding.Error {
			s.finding(w.advised(f), true)
		}
	}
}

// button is that of a failure which does what a command of keysplit does, "" for none.
func button(command string) string {
	switch {
	case strings.HasPrefix(command, "keysplit upgrade"):
		return "Retry"
	case strings.HasPrefix(command, "keysplit rollback"):
		return "Roll back"
	}
	return ""
}

// failedPrompt offers the ways out of a failure.
func (w *wizard) failedPrompt(p *page) prompt {
	q := prompt{question: "What now?", list: len(w.below) > 0 && p.Name == steps.Preflight}
	add := func(label string, act func(*wizard) tea.Cmd) {
		q.options = append(q.options, option{label: label, act: act})
	}
	retry := func(w *wizard) tea.Cmd { return w.goTo(w.at, true) }
	unread := w.mayRollBack() && (p.Name == steps.Distinct && slices.ContainsFunc(p.findings, finding.Finding.Unread) ||
		w.facts.stage == steps.Accepting && finding.Has(p.findings, finding.GraceNotInForce))
	own, ways := p.screen.extra(w, p), w.ways(p)
	q.options = append(q.options, own...)
	held, usage := (*journal.HeldError)(nil), (*steps.UsageError)(nil)
	if errors.As(p.failure, &held) || errors.As(p.failure, &usage) { // to try again at once cannot help
		q.options, ways = append(q.options, ways...), nil
	}
	switch {
	case p.Name == steps.Preflight, len(own) > 0:
		add("Retry", retry)
	case unread:
		add("Retry", retry)
		add("Remove what was written", (*wizard).askRollBack)
	case fixable(p.findings):
		add("Fix it", (*wizard).startOver)
		add("Retry", retry)
	case finding.Has(p.findings, finding.EnvFileChanged):
		// What was seen at the start is not there any more: to try the same
		// again cannot help.
		add("Start over", (*wizard).startOver)
	default:
		add("Retry", retry)
		add("Start over", (*wizard).startOver)
	}
	q.options = append(q.options, ways...)
	if f, ok := finding.Overrulable(p.findings); ok {
		add("Go on anyway", func(w *wizard) tea.Cmd { return w.askOverrule(p, f) })
	}
	if m := w.facts.machine; m.Can(p.Name, steps.ActSkip) {
		add("Skip "+p.Title, func(w *wizard) tea.Cmd { return w.skip(p.Name) })
	}
	if w.mayRollBack() && !unread {
		add("Roll back", (*wizard).askRollBack)
	}
	add("Quit", func(w *wizard) tea.Cmd { return w.quit(false) })
	return q
}

// askOverrule asks the question of a finding that a person may overrule, and plans
// the step again after a yes.
func (w *wizard) askOverrule(p *page, f finding.Finding) tea.Cmd {
	w.confirm(f.Ask.Rendered(), "Back", "Go on", func(w *wizard) tea.Cmd {
		return w.start(jobPlan, p.Name, func(ctx context.Context, e *steps.Engine, emit steps.Emit, r *report) (err error) {
			if err := e.Run.Overrule(f); err != nil {
				return err
			}
			r.plan, err = e.Plan(ctx, p.Name, emit)
			return err
		})
	})
	return nil
}

// fixable reports whether an error among the findings can be fixed by keysplit.
func fixable(fs []finding.Finding) bool {
	for _, f := range fs {
		if f.Severity == finding.Error && f.FixedBySteps() {
			return true
		}
	}
	return false
}
