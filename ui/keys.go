package ui

import (
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// pressed takes one key. Who is asked first: the terminal's own answer, the
// keys that always work, what covers the page, a question, a text field, and
// then the page.
func (w *wizard) pressed(k tea.KeyMsg) tea.Cmd {
	if w.answer.takes(k, w.dark) {
		return nil
	}
	w.flash = ""
	name := k.String()
	switch {
	case name == "ctrl+c":
		return w.quit(true)
	case name == "ctrl+z":
		return w.suspend()
	case w.leaving:
		return nil
	case w.over != nil:
		return w.over.pressed(w, k)
	case w.question != nil:
		return w.choose(w.question, name)
	}
	if w.typing() {
		return w.form.pressed(w, k)
	}
	if p := w.current(); p != nil && (w.phase(p) == ready || w.phase(p) == done) {
		if cmd, took := p.screen.key(w, k); took {
			return cmd
		}
	}
	// A paste outside of a field is not a row of commands.
	if k.Paste {
		return nil
	}
	p := w.prompt()
	if p == nil || p.starting(name, w.selected) < 0 || w.hinted(name) { // else the letter is the list's
		if cmd, took := w.global(name); took {
			return cmd
		}
	}
	if p != nil {
		return w.choose(p, name)
	}
	w.scrolled(name)
	return nil
}

// hinted reports whether the footer says what the key does.
func (w *wizard) hinted(key string) bool {
	return slices.ContainsFunc(w.hints(), func(h hint) bool { return h.key == key })
}

// covered shows the page over the others that the key opens: on every page, and in place
// of another of them. The help page names these keys.
func (w *wizard) covered(name string) (tea.Cmd, bool) {
	switch name {
	case "?":
		w.over, w.scroll = helpOverlay(), 0
	case "w":
		w.over, w.scroll = whyOverlay(w), 0
	case "l":
		w.over = logOverlay()
		w.scroll = w.lowest() // the latest is what one looks for
	case "t":
		w.over, w.scroll = troubleOverlay(w), 0
	case "m":
		w.over, w.scroll, w.message = messageOverlay(), 0, ""
		return w.askMessage(), true
	case "b":
		w.over, w.scroll, w.emergency = emergencyOverlay(), 0, nil
		return w.askEmergency(), true
	default:
		return nil, false
	}
	return nil, true
}

// global is for the keys that mean the same on every page.
func (w *wizard) global(name string) (tea.Cmd, bool) {
	switch name {
	case "q":
		return w.quit(false), true
	case "x":
		if w.job != nil {
			w.flash = "Stopping at the next safe place."
			w.stop()
		}
	case "c":
		if w.current() != nil && w.atEnd() {
			return w.askReport(), true
		}
		if text := w.copyable(); text != "" {
			return w.copy(text), true
		}
		w.flash = "There is no command to copy here."
	case "r":
		if p := w.current(); w.job == nil && p != nil {
			return w.goTo(w.at, true), true
		}
	case "esc":
		return w.back(), true
	default:
		return w.covered(name)
	}
	return nil, true
}

// choose moves the focus of a prompt or takes the option that has it.
func (w *wizard) choose(p *prompt, name string) tea.Cmd {
	last := len(p.options) - 1
	to := w.selected
	switch name {
	case "enter", " ":
		return w.take(p)
	case "esc":
		if p == w.question {
			w.question, w.selected = nil, 0
		}
		return nil
	case "tab":
		to = (w.selected + 1) % len(p.options)
	case "shift+tab":
		to = (w.selected + last) % len(p.options)
	case "right":
		to = min(last, w.selected+1)
	case "left", "h":
		to = max(0, w.selected-1)
	case "down", "j":
		if p.list {
			to = min(last, w.selected+1)
			break
		}
		w.scrolled(name)
	case "up", "k":
		if p.list {
			to = max(0, w.selected-1)
			break
		}
		w.scrolled(name)
	default:
		if at := strings.Index(p.answers, name); at >= 0 {
			w.selected = at
			return w.take(p)
		}
		if at := p.starting(name, w.selected); at >= 0 {
			to = at
			break
		}
		w.scrolled(name)
	}
	if to == w.selected {
		return nil
	}
	w.selected = to
	if focus := p.options[to].focus; focus != nil {
		return focus(w)
	}
	return nil
}

// take does what the option with the focus is for.
func (w *wizard) take(p *prompt) tea.Cmd {
	if p != w.question && w.job != nil || w.selected >= len(p.options) {
		return nil // the plan is still being made
	}
	return p.options[w.selected].act(w)
}

// scrolled moves the body. View keeps it within its ends.
func (w *wizard) scrolled(name string) {
	page := max(1, w.height/2)
	switch name {
	case "down", "j":
		w.scroll++
	case "up", "k":
		w.scroll--
	case "pgdown", "ctrl+d", "ctrl+f":
		w.scroll += page
	case "pgup", "ctrl+u", "ctrl+b":
		w.scroll -= page
	case "home", "g":
		w.scroll = 0
	case "end", "G":
		w.scroll += 1 << 20
	}
	w.scroll = max(0, min(w.scroll, w.lowest()))
}

// prompt is the question of the page on the screen, nil when there is none.
func (w *wizard) prompt() *prompt {
	if w.question != nil {
		return w.question
	}
	if w.form != nil {
		return &prompt{question: w.form.question}
	}
	p := w.current()
	if p == nil {
		return w.endPrompt()
	}
	var q prompt
	switch w.phase(p) {
	case planning:
		if p.plan.Summary.Empty() {
			return nil
		}
		q = p.screen.ready(w)
	case ready:
		q = p.screen.ready(w)
	case done:
		if w.atEnd() {
			return w.endPrompt()
		}
		q = w.donePrompt(p)
	case failed:
		q = w.failedPrompt(p)
	case skipped:
		q = prompt{question: "This step was skipped.", options: []option{
			{label: "Go on", act: (*wizard).forward},
			{label: "Do it now", act: func(w *wizard) tea.Cmd { return w.goTo(w.at, true) }},
		}}
	default:
		return nil
	}
	return &q
}

// donePrompt leads on to the next page.
func (w *wizard) donePrompt(p *page) prompt {
	label, onward, letters := "Next", true, ""
	switch {
	case p.Name == steps.Preflight && w.begun != nil:
		label, onward, letters = w.begun.Ways()[0].Label, true, w.begun.letters()
	case p.Name == steps.Preflight:
		label, onward = "Start", false
	case p.Name == steps.SmokeTest && w.facts.stage == steps.Accepting:
		label = "Next: second stage"
	case w.width >= 40 && w.at+1 < len(w.pages):
		label = "Next: " + w.pages[w.at+1].Task
	}
	if p.Name == steps.Preflight && w.blocked() {
		if f, ok := finding.Overrulable(p.findings); ok {
			q := askAdopt(p, f)
			q.options = append(q.options, w.ways(p)...)
			return q
		}
		options := append(append([]option{{label: "Look again", act: (*wizard).startOver}}, w.ways(p)...), option{label: "Go on anyway", act: (*wizard).forward})
		if w.begun != nil {
			options = append(options, option{label: "Undo", act: (*wizard).askRollBack})
		}
		return prompt{question: "Fix it, then look again.", options: options}
	}
	options := append([]option{{label: label, act: (*wizard).forward, onward: onward}}, p.screen.extra(w, p)...)
	if p.Number > 0 {
		options = append(options, w.waysOn(p)...)
	}
	return prompt{options: options, answers: letters}
}

// confirm asks a question whose first answer changes nothing.
func (w *wizard) confirm(question, no, yes string, act func(*wizard) tea.Cmd) {
	w.selected, w.over = 0, nil
	w.shut()
	w.question = &prompt{question: question, answers: "ny", options: []option{
		{label: no, act: func(w *wizard) tea.Cmd { w.question, w.selected = nil, 0; return nil }},
		{label: yes, act: func(w *wizard) tea.Cmd { w.question, w.selected = nil, 0; return act(w) }},
	}}
}

// copyable is the command that c copies, "" where none can be run as it stands. It is
// never a key, and never prose.
func (w *wizard) copyable() string {
	p := w.current()
	if p == nil {
		if w.facts.wrote && !w.throwaway {
			return w.facts.rollback
		}
		return ""
	}
	if w.phase(p) == failed {
		for _, f := range p.findings {
			if f.Severity != finding.Error || f.FixedBySteps() {
				continue
			}
			said := w.advised(one(f)).Fix.Parts()
			if c := f.Fix.Command(); c != "" && slices.Contains(said, prose.Part{Text: c, Command: true}) {
				return c
			}
		}
		return ""
	}
	return steps.CommandDetail(p.plan.Command).Command()
}
