package steps

import (
	"fmt"
	"time"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// EventKind says what an event reports.
type EventKind string

// The kinds of event. Their names are part of the JSON that `upgrade --json`
// prints and do not change.
const (
	EventStarted  EventKind = "started"  // a step begins
	EventProgress EventKind = "progress" // one line of what is going on
	EventOutput   EventKind = "output"   // one line that a child process or a server said, inert and redacted
	EventPrinted  EventKind = "printed"  // one line for the log alone: what the project's own code printed, or how a server answered
	EventCheck    EventKind = "check"    // one line of proof; the same ID later replaces the line
	EventFinding  EventKind = "finding"  // something is wrong, or worth knowing
	EventDone     EventKind = "done"     // the step ended well
	EventFailed   EventKind = "failed"   // the step ended badly
	EventSkipped  EventKind = "skipped"  // on request
	EventUndone   EventKind = "undone"   // the step's change was undone
	EventResult   EventKind = "result"   // the whole run ended
)

// Mark is the state of one line of proof.
type Mark string

// The marks of a check line.
const (
	MarkPending Mark = "pending"
	MarkRunning Mark = "running"
	MarkOK      Mark = "ok"
	MarkWarn    Mark = "warn"
	MarkFailed  Mark = "failed"
	MarkSkipped Mark = "skipped"
)

// Event is one thing that happened in a step. Front ends only render events;
// they hold no secret.
type Event struct {
	Time    time.Time        `json:"time"`
	Step    Name             `json:"step,omitempty"`
	Kind    EventKind        `json:"event"`
	ID      string           `json:"id,omitempty"`    // of a check line, unique within the step
	Mark    Mark             `json:"mark,omitempty"`  // of a check line
	Text    prose.Text       `json:"text,omitzero"`   // one plain line
	Detail  prose.Text       `json:"detail,omitzero"` // the short right-hand side of a check line
	Finding *finding.Finding `json:"finding,omitempty"`

	Limit   time.Duration `json:"-"` // what is waited for is given up after it; 0 where nothing is
	Watches bool          `json:"-"` // and the step does nothing itself meanwhile, so that stopping it cuts nothing off

	Ends bool           `json:"-"` // of a finding: the step failed with it, so that nothing follows that fixes it
	Said secret.Foreign `json:"-"` // becomes the text, once it is fit to be shown
}

// Emit takes an event as it happens. Steps call it from one goroutine at a
// time; the engine fills in Time and Step.
type Emit func(Event)

// Progress reports one line of what is going on.
func (e Emit) Progress(text string) { e.Tell(prose.Of(text)) }

// Tell is Progress for a text that has commands in it.
func (e Emit) Tell(text prose.Text) { e(Event{Kind: EventProgress, Text: text}) }

// Wait reports for what the step waits from now on, only looking, and how long it does at
// most.
func (e Emit) Wait(what string, limit time.Duration) {
	e(Event{Kind: EventProgress, Text: prose.Say("Waiting for %s", what), Limit: limit, Watches: true})
}

// WaitForEnd is Wait for the end of a program that the step runs.
func (e Emit) WaitForEnd(limit time.Duration) {
	e(Event{Kind: EventProgress, Text: prose.Say("Waiting for it to end"), Limit: limit})
}

// Output reports one line from a child or a server.
func (e Emit) Output(said secret.Foreign) { e(Event{Kind: EventOutput, Said: said}) }

// maxPrinted is how many lines of the project's output the log keeps, the last ones.
const maxPrinted = 200

// Printed reports what the project's own code printed; who says whose it is, for the
// beginning of a sentence. It may hold anything, so it goes to the log alone, and one
// line tells how much it is.
func (e Emit) Printed(who string, printed ...secret.Foreign) {
	var lines []secret.Foreign
	for _, p := range printed {
		lines = append(lines, p.Lines()...)
	}
	if len(lines) == 0 {
		return
	}
	for _, l := range lines[max(0, len(lines)-maxPrinted):] {
		e(Event{Kind: EventPrinted, Said: l})
	}
	e.Progress(fmt.Sprintf("%s printed %s (shown in the wizard's log alone: l).", who, Plural(len(lines), "line")))
}

// Logged reports one line for the log alone.
func (e Emit) Logged(text string) { e(Event{Kind: EventPrinted, Text: prose.Of(text)}) }

// Plural is a number of things, in words: "1 line", "3 lines".
func Plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Check reports the state of one line of proof.
func (e Emit) Check(id string, mark Mark, text, detail string) {
	e.CheckWith(id, mark, text, prose.Of(detail))
}

// Await is Check for a line that is waited for, at most for a limit.
func (e Emit) Await(id, text string, limit time.Duration) {
	e(Event{Kind: EventCheck, ID: id, Mark: MarkRunning, Text: prose.Of(text), Limit: limit})
}

// CheckWith is Check for a detail that is a text already, such as a finding's message.
func (e Emit) CheckWith(id string, mark Mark, text string, detail prose.Text) {
	e(Event{Kind: EventCheck, ID: id, Mark: mark, Text: prose.Of(text), Detail: detail})
}

// Find reports a finding.
func (e Emit) Find(f finding.Finding) { e(Event{Kind: EventFinding, Text: f.Message, Finding: &f}) }
