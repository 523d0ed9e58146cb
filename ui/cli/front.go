package cli

import (
	"context"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
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
}

// result is how a whole run ended.
type result struct {
	OK        bool
	Stopped   bool // by the user
	DryRun    bool
	Changed   bool // a file was changed
	Restarted bool // a server was restarted, and goes on
	OwnServer bool // only a server was asked that keysplit had started
	Edited    bool // a committed file was edited, or the configuration written
	Steps     map[steps.Name]steps.Status
	Findings  []finding.Finding
	Open      int          // items of the checklist that are open and were not shown yet
	Summary   string       // one sentence
	GoOn      string       // the command line that goes on, after a bad end
	Given     []string     // the flags of that
	Misused   bool         // that end came of a wrong command line or configuration
	Next      []prose.Text // what is left and how to go on or back, one sentence each
}
