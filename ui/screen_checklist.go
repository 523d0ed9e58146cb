package ui

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/sys/git"
)

// checklistScreen shows the nine items. For what no machine can know it takes a
// person's word, with a name, as keysplit report --attest does.
type checklistScreen struct {
	basic
	name, note *field
	focus      int
	item       int                       // that is signed off just now, 0 for none
	items      map[string]checklist.Item // by the ID of their lines
	at         int                       // the line of the one that is looked at
	strayed    bool                      // the person has moved there
	author     string                    // who commits here, "" where git does not know
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
		if said, ok := git.Ask(ctx, e.Run.Project.Root, nil, checklist.MaxWords, "config", "--get", "user.name"); ok && said.Code == 0 {
			r.author = e.Run.Show(strings.TrimSpace(string(said.Stdout)))
		}
	}
	return nil
}

// came takes the items that a job brought home.
func (c *checklistScreen) came(r report) {
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
	if c.item != 0 {
		at := max(0, slices.IndexFunc(all, func(l steps.Event) bool { return l.ID == lineID(c.item) }))
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

// extra offers to sign off what is open, where a
// person's word can tick it.
func (c *checklistScreen) extra(w *wizard) []option {
	var out []option
	if len(c.open(w)) == 0 {
		return out
	}
	return append(out, option{label: "Sign an item off", act: func(w *wizard) tea.Cmd {
		w.selected = 0
		w.question = &prompt{question: "Which one is done? Your name and the time go into the report.", list: true, options: c.open(w)}
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
			c.item, c.focus = n, 0
			if c.author != "" {
				c.name.set([]rune(c.author))
				c.name.at, c.focus = len(c.name.text()), 1
			}
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
		return nil, c.move(w, k.String())
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
			w.flash = map[int]string{0: "The report needs your name. Type it, or press esc.", 1: "The report needs a note. Type it, or press esc."}[c.focus]
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
	c.at, c.strayed = item-1, true
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
