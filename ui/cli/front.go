package cli

import (
	"context"
	"strconv"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
)

// front is one way of showing a run: plain lines or JSON. It shows what the
// engine says and decides nothing.
type front interface {
	// Step announces that a step is next.
	Step(n steps.Name)
	// Plan shows what a step would do.
	Plan(p steps.Plan)
	// Event shows one thing that happened.
	Event(ev steps.Event)
	// Note says one sentence beside the steps.
	Note(text string)
	// Ask asks for one of the choices, the first being what enter takes.
	Ask(ctx context.Context, question string, choices []choice) (byte, error)
	// Line asks for one line of text.
	Line(ctx context.Context, what string) (string, error)
	// Result ends the run.
	Result(r result)
}

// choice is one answer to a question: the key to press and what it does.
type choice struct {
	key  byte
	text string
	also string // another word for it, "" for none
}

// result is how a whole run ended.
type result struct {
	steps.Ending
	Summary prose.Text   // in a sentence or two
	Next    []prose.Text // what is left and how to go on or back, one sentence each
}

// chosen finds the choice that was typed: its words, its number or its letter. A
// word that begins with another choice's letter is not taken for that one.
func chosen(answer string, choices []choice) (byte, bool) {
	for i, c := range choices {
		if answer == c.text || answer == strconv.Itoa(i+1) || answer == string(c.key) || answer != "" && answer == c.also {
			return c.key, true
		}
	}
	for _, c := range choices {
		if word, _, _ := strings.Cut(c.text, " "); answer == strings.TrimSuffix(word, ",") {
			return c.key, true
		}
	}
	return 0, false
}
