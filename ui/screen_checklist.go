package ui

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
	"dj/keysplit/steps/finding"
)

// checklistScreen shows the nine items. For what no machine can know it takes a
// person's word, with a name, as keysplit report --attest does.
type checklistScreen struct {
	basic
	items   map[string]checklist.Item // by the ID of their lines
	at      int                       // the line of the one that is looked at
	strayed bool                      // the person has moved there
	author  string                    // who commits here, "" where git does not know
}

func newChecklist() screen { return &checklistScreen{basic: basic{step: steps.Checklist}} }

// arrive goes through the items at once: that changes nothing, and there is
// nothing to choose before.
func (c *checklistScreen) arrive(w *wizard) tea.Cmd {
	if w.facts.stage == steps.Accepting {
		return w.startOver() // the first page says what the second stage is
	}
	if w.facts.skip[steps.Checklist] {
		return w.ask(steps.Checklist, nil)
	}
	return w.start(jobApply, steps.Checklist, func(ctx context.Context, e *steps.Engine, emit steps.Emit, r *report) error {
		return goThrough(ctx, e, emit, r)
	})
}

// goThrough goes through the nine items. What to do next about the open ones is
// not among the events of the step, so it is looked up; without it they are
// shown all the same.
func goThrough(ctx context.Context, e *steps.Engine, emit steps.Emit, r *report) error {
	if _, err := e.Plan(ctx, steps.Checklist, emit); err != nil {
		return err
	}
	if err := e.Apply(ctx, steps.Checklist, emit); err != nil {
		return err
	}
	if e.Run.Project != nil {
		if seen, err := checklist.Look(ctx, e.Run, time.Now()); err == nil {
			r.items = seen.Items
		}
		r.author = checklist.Author(ctx, e.Run)
	}
	return nil
}

// came takes the items that a job brought home.
func (c *checklistScreen) came(_ *wizard, r report) {
	if r.items == nil {
		return
	}
	c.author, c.items = r.author, map[string]checklist.Item{}
	for _, it := range r.items {
		c.items[lineID(it.Number)] = it
	}
}

// lineID is the ID of an item's line.
func lineID(item int) string { return fmt.Sprintf("item-%d", item) }

// done is the last page: how the upgrade ended, the items, and what is left to do.
func (c *checklistScreen) done(w *wizard, s *sheet, p *page) {
	all := c.lines(p)
	if w.typing() && len(all) > 0 { // one is signed off just now
		at := c.looked(all)
		s.say(s.s.Mark(steps.MarkWarn)+" ", s.s.Bold, all[at].Text)
		s.blank()
		c.details(w, s, all[at])
		return
	}
	w.ending(s)
	w.remains(s, finding.Error)
	s.blank()
	c.bar(s, p)
	s.blank()
	c.list(w, s, all)
}

// logIn is the button that leads back to the login.
const logIn = "Log in"

// extra offers the edits of the plan that were not made, what an open item asks for, and to
// sign off what a person's word can tick.
func (c *checklistScreen) extra(w *wizard, p *page) (out []option) {
	if w.phase(p) == failed {
		return nil
	}
	if left := w.unmade(); len(left) > 0 {
		out = append(out, option{label: "Review " + steps.Plural(len(left), "edit"), act: func(w *wizard) tea.Cmd { return w.review(left) }})
	}
	var todo []finding.Finding
	for _, l := range c.lines(p) {
		if it := c.items[l.ID]; l.Mark == steps.MarkWarn && !it.Awaits {
			todo = append(todo, finding.Finding{Severity: finding.Error, Fix: it.Todo})
		}
	}
	if slices.ContainsFunc(todo, func(f finding.Finding) bool { return f.Fix.Runs("--username") }) {
		out = append(out, option{label: logIn, act: func(w *wizard) tea.Cmd {
			return w.goTo(slices.IndexFunc(w.pages, func(p *page) bool { return p.Name == steps.SmokeTest }), true)
		}})
	}
	out = append(out, actions(w.remedies(nil, todo))...)
	if len(c.open(w)) == 0 {
		return out
	}
	return append(out, option{label: "Sign an item off", act: func(w *wizard) tea.Cmd {
		w.question = &prompt{question: "Which one is done? Your name and the time go into the report.", list: true, options: c.open(w)}
		all := c.lines(p)
		marked := all[c.looked(all)].Text.Rendered()
		w.selected = max(0, slices.IndexFunc(w.question.options, func(o option) bool { return o.label == marked }))
		return nil
	}})
}

// open are the items that wait for a person's word.
func (c *checklistScreen) open(w *wizard) []option {
	var out []option
	for _, l := range w.page(steps.Checklist).lines {
		id, isItem := strings.CutPrefix(l.ID, "item-")
		n, err := strconv.Atoi(id)
		if !isItem || err != nil || n < checklist.FirstAttestable || l.Mark != steps.MarkWarn {
			continue
		}
		out = append(out, option{label: l.Text.Rendered(), act: func(w *wizard) tea.Cmd {
			w.question, w.selected = nil, 0
			c.at, c.strayed = n-1, true
			c.sign(w, n)
			return nil
		}})
	}
	return out
}

// sign opens the form for a person's word about an item: recorded, it goes through the
// checklist again.
func (c *checklistScreen) sign(w *wizard, item int) {
	name := newField("Your name", false, "The report needs your name. Type it")
	name.fill(c.author)
	note := newField("Note", false, "The report needs a note. Type it")
	name.most, note.most = checklist.MaxWords, checklist.MaxWords
	w.open(&form{question: "Who says that it is done, and what was done?", fields: []*field{name, note}, submit: func(w *wizard) tea.Cmd {
		by, what := name.take(), note.take()
		return w.start(jobApply, steps.Checklist, func(ctx context.Context, e *steps.Engine, emit steps.Emit, r *report) error {
			if err := checklist.Attest(ctx, e.Run, item, by, what); err != nil {
				return err
			}
			return goThrough(ctx, e, emit, r)
		})
	}})
}

// key looks at another item.
func (c *checklistScreen) key(w *wizard, k tea.KeyMsg) (tea.Cmd, bool) {
	return nil, c.move(w, k.String())
}
