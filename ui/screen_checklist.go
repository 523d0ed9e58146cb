package ui

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// checklistScreen shows the nine items. For what no machine can know it takes a
// person's word, with a name, as keysplit report --attest does.
type checklistScreen struct {
	basic
	name, note *field
	focus      int
	item       int                   // that is attested just now, 0 for none
	next       map[string]prose.Text // what to do about the open items, by the ID of their lines
	signed     int                   // items that a person has signed off
	against    map[int]string        // what was seen against an item
}

func newChecklist() screen {
	return &checklistScreen{
		basic: basic{step: steps.Checklist},
		name:  newField("Your name", false), note: newField("Note", false),
	}
}

// arrive goes through the items at once: that changes nothing, and there is
// nothing to choose before.
func (c *checklistScreen) arrive(w *wizard) tea.Cmd {
	c.close()
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
	}
	return nil
}

// came takes the items that a job brought home.
func (c *checklistScreen) came(r report) {
	if r.items == nil {
		return
	}
	c.next, c.against, c.signed = map[string]prose.Text{}, map[int]string{}, 0
	for _, it := range r.items {
		if it.State == checklist.Attested {
			c.signed++
		}
		// The command that attests is for the shell; here there is a button.
		c.next[fmt.Sprintf("item-%d", it.Number)] = it.Todo
		c.against[it.Number] = it.Against
	}
}

// done is the last page: how the upgrade ended, the items, and what is left to do.
func (c *checklistScreen) done(w *wizard, s *sheet, p *page) {
	if c.item != 0 {
		what := fmt.Sprintf("Sign off item %d: your name, and what was done or seen", c.item)
		if against := c.against[c.item]; against != "" {
			what = fmt.Sprintf("The evidence says otherwise: %s. To sign off item %d all the same: your name, and what was done or seen", against, c.item)
		}
		s.hang(s.s.Mark(steps.MarkWarn)+" ", s.s.Bold, what)
		s.blank()
		c.all(w, s, p)
		return
	}
	w.ending(s)
	w.remains(s, finding.Error)
	s.blank()
	c.bar(s, p)
	s.blank()
	c.all(w, s, p)
}

// bar shows how much of the checklist is done.
func (c *checklistScreen) bar(s *sheet, p *page) {
	const longest = 36
	in, open := p.tally()
	all := max(1, in+open)
	text := fmt.Sprintf("%d of %d done", in, in+open)
	if c.signed > 0 {
		text += fmt.Sprintf(", %d signed off", c.signed)
	}
	left := ""
	if open > 0 {
		left = s.s.Warn.Render(fmt.Sprintf("%d left", open))
	}
	row := s.s.Bold.Render(text)
	if width := min(longest, s.width-ansi.StringWidth(text)-ansi.StringWidth(left)-4); width >= all {
		full := width * in / all
		row += "  " + s.s.OK.Render(strings.Repeat(s.s.Marks.Heavy, full)) + s.s.Rule.Render(strings.Repeat(s.s.Marks.Rule, width-full))
	}
	s.add(strings.TrimRight(row+"  "+left, " "))
}

// all shows each item with its evidence; an open one with the reason and what
// to do next. Where that does not fit, an item that is in order takes one row.
func (c *checklistScreen) all(w *wizard, s *sheet, p *page) {
	whole := newSheet(s.s, s.width, s.spin)
	c.items(whole, p, true)
	if room := w.height - 9; len(whole.rows) > room {
		c.items(s, p, false)
		return
	}
	s.rows = append(s.rows, whole.rows...)
}

func (c *checklistScreen) items(s *sheet, p *page, whole bool) {
	for _, l := range p.lines {
		switch {
		case l.Kind != steps.EventCheck: // the bar says it
		case l.Mark == steps.MarkWarn:
			s.say(s.s.Mark(l.Mark)+" ", s.s.Bold, l.Text)
			s.hang("    ", s.s.Muted, capital(l.Detail.Rendered())+".")
			if next := c.next[l.ID]; !next.Empty() {
				s.say("    "+s.s.Accent.Render("Do")+"  ", lipgloss.NewStyle(), next)
			}
		case whole || ansi.StringWidth(l.Text.Rendered())+ansi.StringWidth(l.Detail.Rendered()) <= s.width-4:
			s.check(l, widest)
		default:
			l.Detail = prose.Text{}
			s.check(l, widest)
		}
	}
}

// extra offers to attest what is open, where a person's word can tick it.
func (c *checklistScreen) extra(w *wizard) []option {
	if len(c.open(w)) == 0 {
		return nil
	}
	return []option{{label: "Sign an item off", act: func(w *wizard) tea.Cmd {
		w.selected = 0
		w.question = &prompt{question: "Which one is done? Your name and the time go into the report.", list: true, options: c.open(w)}
		return nil
	}}}
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
			c.item, c.focus = n, 0
			return nil
		}})
	}
	return out
}

func (c *checklistScreen) fields() ([]*field, int) {
	if c.item == 0 {
		return nil, 0
	}
	return []*field{c.name, c.note}, c.focus
}

func (c *checklistScreen) key(w *wizard, k tea.KeyMsg) (tea.Cmd, bool) {
	if c.item == 0 {
		return nil, false
	}
	all, _ := c.fields()
	switch k.String() {
	case "esc":
		c.close()
	case "tab", "down", "shift+tab", "up":
		c.focus = 1 - c.focus
	case "enter":
		f := all[c.focus]
		switch text := strings.TrimSpace(string(f.text())); {
		case text == "":
			w.flash = "The report needs this. Type it, or press esc."
		case utf8.RuneCountInString(text) > checklist.MaxWords:
			w.flash = "At most " + strconv.Itoa(checklist.MaxWords) + " characters."
		case c.focus == 0:
			c.focus = 1
		case c.name.empty():
			c.focus = 0
		default:
			return c.submit(w), true
		}
	default:
		all[c.focus].key(k)
	}
	return nil, true
}

// submit records the word and goes through the checklist again.
func (c *checklistScreen) submit(w *wizard) tea.Cmd {
	item, by, note := c.item, c.name.take(), c.note.take()
	c.close()
	return w.start(jobApply, steps.Checklist, func(ctx context.Context, e *steps.Engine, emit steps.Emit, r *report) error {
		if err := checklist.Attest(ctx, e.Run, item, by, note); err != nil {
			return err
		}
		return goThrough(ctx, e, emit, r)
	})
}

func (c *checklistScreen) close() {
	c.item, c.focus = 0, 0
	c.name.reset()
	c.note.reset()
}
