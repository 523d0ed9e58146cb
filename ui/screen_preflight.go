package ui

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/preflight"
	"dj/keysplit/steps/prose"
)

// preflightScreen shows what was found and what will happen. Its look at the
// project starts by itself: it changes nothing.
type preflightScreen struct {
	basic
	overruled *finding.Finding // by a yes to its question, for the next look
}

func newPreflight() screen {
	return &preflightScreen{basic: basic{step: steps.Preflight}}
}

// arrive looks at the project, and asks the first step what it would do, so
// that the side effects are on the screen before anything is chosen.
func (p *preflightScreen) arrive(w *wizard) tea.Cmd {
	over := p.overruled
	p.overruled = nil
	return w.start(jobApply, steps.Preflight, func(ctx context.Context, e *steps.Engine, emit steps.Emit, r *report) error {
		if over != nil {
			if err := e.Run.Overrule(*over); err != nil {
				return err
			}
		}
		if _, err := e.Plan(ctx, steps.Preflight, emit); err != nil {
			return err
		}
		if err := e.Apply(ctx, steps.Preflight, emit); err != nil {
			if e.Run.Project == nil {
				r.below = preflight.Below(e.Run.Options.Folder, MaxBelow)
			}
			return err
		}
		r.begun = BegunBefore(ctx, e)
		r.restart = e.Task(ctx, steps.Restart)
		e.Run.Answers.Grace = r.begun != nil && r.begun.rests
		if !e.Has(steps.Generate) || e.Run.Options.Skip[steps.Generate] {
			return nil
		}
		// A plan that cannot be made is reported when its own page asks for it.
		if plan, err := e.Plan(ctx, steps.Generate, nil); err == nil {
			r.next = &plan
		}
		return nil
	})
}

// extra offers to begin again or to undo where an earlier run has begun, and to replace a
// key that is good.
func (p *preflightScreen) extra(w *wizard, page *page) []option {
	switch {
	case w.phase(page) == failed && finding.Has(page.findings, finding.ProjectNotFound) && !w.throwaway:
		return w.elsewhere()
	case w.phase(page) == failed:
		return nil
	case w.begun != nil:
		return w.resumeWays()
	case w.next != nil && w.next.Nothing && !w.facts.skip[steps.Generate]:
		return []option{{label: "Another key", act: func(w *wizard) tea.Cmd { return w.goTo(w.at+1, true) }}}
	}
	return nil
}

// askAdopt asks what only a person can allow: that settings which sign with SECRET_KEY get a
// key of their own, say. Without a yes there is nothing that the next steps can do.
func askAdopt(p *page, f finding.Finding) prompt {
	yes := "Yes, go on"
	if f.Code == finding.SettingsNotUpgraded {
		yes = "Yes, show the change"
	}
	return prompt{question: f.Ask.Rendered(), answers: "ny", options: []option{
		{label: "No, quit", act: func(w *wizard) tea.Cmd { return w.quit(false) }},
		{label: yes, act: func(w *wizard) tea.Cmd {
			p.screen.(*preflightScreen).overruled = &f
			return w.startOver()
		}},
		{label: "Look again", act: (*wizard).startOver},
	}}
}

func (p *preflightScreen) done(w *wizard, s *sheet, page *page) {
	less := p.glance(w, s)
	s.blank()
	p.found(w, s, page)
	if less > 0 {
		s.hang(w.styles.Mark(steps.MarkWarn)+" ", w.styles.Muted, steps.Plural(less, "more finding")+" that can wait: press t")
	}
}

// found shows the facts in one column, muted: what is wrong and what comes next
// matters more.
func (p *preflightScreen) found(w *wizard, s *sheet, page *page) {
	st, column := w.styles, 0
	defer func(was int) { s.width = was }(s.width)
	s.width = s.wide
	for _, l := range page.lines {
		column = max(column, ansi.StringWidth(l.Text.Rendered()))
	}
	for _, l := range page.lines {
		text, detail := l.Text.Rendered(), l.Detail.Rendered()
		if l.Kind != steps.EventCheck || detail == "" || column > s.width/2 {
			s.lines([]steps.Event{l})
			continue
		}
		pad := strings.Repeat(" ", column-ansi.StringWidth(text)+3)
		s.hang(st.Mark(l.Mark)+" "+text+pad, st.Muted, detail)
	}
}

// glance is what one must see at the first glance: what is wrong, what will be done
// about it, and what that costs. less is how many findings it does not show.
func (p *preflightScreen) glance(w *wizard, s *sheet) (less int) {
	st := w.styles
	first := true
	_, asked := finding.Overrulable(w.page(steps.Preflight).findings) // what else is wrong counts after its answer
	for _, f := range finding.Groups(w.page(steps.Preflight).findings) {
		switch {
		case f.Severity != finding.Error:
			less++
		case first:
			first = false
			s.headline(w.advised(f), !f.FixedBySteps() && f.Ask.Empty())
		default:
			s.finding(w.advised(f), !f.FixedBySteps() && !asked)
		}
	}
	s.blank()
	switch {
	case w.begun != nil:
		w.resumed(s)
		return less
	case w.next != nil && w.next.Nothing && first:
		s.hang(st.OK.Render(st.Marks.OK)+" ", st.OK.Bold(true), "Your key is good and stays. The next steps prove that the server uses it.")
	default:
		p.outlook(w, s, !first)
	}
	if w.next != nil && !w.blocked() {
		s.effects(*w.next)
	}
	return less
}

// lasts says how long the steps take, beside the person's answers. What takes time is each
// start of the project's Django, as the look at the project was one: to reload the server,
// and for the account that logs in. Where another way of restarting is asked for, it takes
// what it takes.
func (w *wizard) lasts() string {
	const rest = time.Second // the proof on the server
	starts := 0
	for _, n := range []steps.Name{steps.Restart, steps.SmokeTest} {
		if !w.facts.skip[n] {
			starts++
		}
	}
	switch takes := time.Duration(starts)*w.looked + rest; {
	case !w.facts.reloads || takes > time.Minute:
		return ", one step after the other"
	case takes <= 10*time.Second:
		return " in a few seconds"
	default:
		return fmt.Sprintf(" in about %d seconds", 10*((takes+10*time.Second-1)/(10*time.Second)))
	}
}

// outlook lists the steps that come.
func (p *preflightScreen) outlook(w *wizard, s *sheet, wrong bool) {
	st := w.styles
	switch {
	case w.blocked():
		if _, ok := finding.Overrulable(w.page(steps.Preflight).findings); !ok { // else that is the question
			s.hang("", st.Bold, "The next steps cannot fix all of this.")
		}
		return
	case wrong:
		s.hang("", st.Bold, "keysplit fixes this"+w.lasts()+":")
	default:
		s.hang("", st.Bold, "What comes next:")
	}
	var tasks []string
	for _, page := range w.pages {
		if page.Number > 0 && !w.facts.skip[page.Name] {
			tasks = append(tasks, st.Accent.Render(strconv.Itoa(page.Number))+" "+page.Task)
		}
	}
	s.flow(tasks)
	undo := prose.Of("Nothing changes until you say so.")
	if !w.throwaway {
		undo = prose.Say("Nothing changes until you say so; %s undoes it.", prose.Command(w.facts.rollback))
	}
	s.say("  ", st.Muted, undo)
}

// blocked reports whether preflight found an error that no later step fixes.
func (w *wizard) blocked() bool { return Blocked(w.page(steps.Preflight).findings) }

// Blocked reports whether an error is among the findings that no step fixes.
func Blocked(found []finding.Finding) bool {
	return slices.ContainsFunc(found, func(f finding.Finding) bool { return f.Severity == finding.Error && !f.FixedBySteps() })
}
