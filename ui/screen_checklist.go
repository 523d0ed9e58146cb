package ui

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
)

// checklistScreen shows the nine items. For what no machine can know it takes a
// person's word, with a name, as keysplit report --attest does.
type checklistScreen struct {
	basic
	name, note *field
	focus      int
	item       int // that is attested just now, 0 for none
}

func newChecklist() screen {
	return &checklistScreen{
		basic: basic{step: steps.Checklist, verb: "Check"},
		name:  newField("Your name", false), note: newField("Note", false),
	}
}

func (c *checklistScreen) arrive(w *wizard) tea.Cmd {
	c.close()
	return c.basic.arrive(w)
}

func (c *checklistScreen) heading(p *page) (steps.Mark, string) {
	if c.item != 0 {
		return steps.MarkWarn, fmt.Sprintf("Item %d: who says so, and what was done or seen?", c.item)
	}
	if p.warned() {
		return steps.MarkWarn, "What is marked with ! is still open."
	}
	return steps.MarkOK, "All nine items are in order."
}

// extra offers to attest what is open, where a person's word can tick it.
func (c *checklistScreen) extra(w *wizard) []option {
	if len(c.open(w)) == 0 {
		return nil
	}
	return []option{{label: "Attest an item", act: func(w *wizard) tea.Cmd {
		w.selected = 0
		w.question = &prompt{question: "Which one is in order? Your name and the time go into the report.", list: true, options: c.open(w)}
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
		out = append(out, option{label: l.Text, act: func(w *wizard) tea.Cmd {
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
	return w.start(jobApply, steps.Checklist, func(ctx context.Context, e *steps.Engine, emit steps.Emit, _ *report) error {
		if err := checklist.Attest(ctx, e.Run, item, by, note); err != nil {
			return err
		}
		if _, err := e.Plan(ctx, steps.Checklist, emit); err != nil {
			return err
		}
		return e.Apply(ctx, steps.Checklist, emit)
	})
}

func (c *checklistScreen) close() {
	c.item, c.focus = 0, 0
	c.name.reset()
	c.note.reset()
}
