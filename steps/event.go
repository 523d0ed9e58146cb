package steps

import (
	"time"

	"dj/keysplit/steps/finding"
)

// EventKind says what an event reports.
type EventKind string

// The kinds of event. Their names are part of the JSON that `upgrade --json`
// prints and do not change.
const (
	EventStarted  EventKind = "started"  // a step begins
	EventProgress EventKind = "progress" // one line of what is going on
	EventOutput   EventKind = "output"   // one line that a child process or a server said, inert and redacted
	EventCheck    EventKind = "check"    // one line of proof; the same ID later replaces the line
	EventFinding  EventKind = "finding"  // something is wrong, or worth knowing
	EventDone     EventKind = "done"     // the step ended well
	EventFailed   EventKind = "failed"   // the step ended badly
	EventSkipped  EventKind = "skipped"  // on request
	EventUndone   EventKind = "undone"   // the step's change was taken back
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
	ID      string           `json:"id,omitempty"`     // of a check line, unique within the step
	Mark    Mark             `json:"mark,omitempty"`   // of a check line
	Text    string           `json:"text,omitempty"`   // one plain line
	Detail  string           `json:"detail,omitempty"` // the short right-hand side of a check line
	Finding *finding.Finding `json:"finding,omitempty"`
}

// Emit takes an event as it happens. Steps call it from one goroutine at a
// time; the engine fills in Time and Step.
type Emit func(Event)

// Progress reports one line of what is going on.
func (e Emit) Progress(text string) { e(Event{Kind: EventProgress, Text: text}) }

// Output reports one line from a child or a server, already cleaned.
func (e Emit) Output(text string) { e(Event{Kind: EventOutput, Text: text}) }

// Check reports the state of one line of proof.
func (e Emit) Check(id string, mark Mark, text, detail string) {
	e(Event{Kind: EventCheck, ID: id, Mark: mark, Text: text, Detail: detail})
}

// Find reports a finding.
func (e Emit) Find(f finding.Finding) { e(Event{Kind: EventFinding, Text: f.Message, Finding: &f}) }
