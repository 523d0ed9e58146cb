package cli

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// jsonFront prints one JSON object a line. It asks nothing: --json goes with
// --yes or --dry-run.
type jsonFront struct{ out io.Writer }

// print leaves a failure to Main, which asks whether all of the output was written.
func (j *jsonFront) print(v any) {
	enc := json.NewEncoder(j.out)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
}

func (*jsonFront) Step(steps.Name) {}

func (j *jsonFront) Plan(p steps.Plan) {
	j.print(struct {
		Time  time.Time  `json:"time"`
		Step  steps.Name `json:"step"`
		Event string     `json:"event"`
		Plan  steps.Plan `json:"plan"`
	}{time.Now().UTC(), p.Step, "planned", p})
}

func (j *jsonFront) Event(ev steps.Event) {
	if ev.Kind == steps.EventPrinted {
		return // for the log of the wizard alone
	}
	if ev.Time.IsZero() { // it is none of a step's
		ev.Time = time.Now().UTC()
	}
	j.print(ev)
}

func (j *jsonFront) Note(text string) {
	j.Event(steps.Event{Kind: steps.EventProgress, Text: prose.Of(text)})
}

func (*jsonFront) Ask(_ context.Context, _ string, choices []choice) (byte, error) {
	return choices[0].key, nil
}

func (*jsonFront) Line(context.Context, string) (string, error) { return "", steps.ErrCancelled }

func (j *jsonFront) Result(r result) {
	if r.Findings == nil {
		r.Findings = []finding.Finding{}
	}
	j.print(struct {
		Time     time.Time                   `json:"time"`
		Event    steps.EventKind             `json:"event"`
		OK       bool                        `json:"ok"`
		DryRun   bool                        `json:"dry_run,omitempty"`
		Changed  bool                        `json:"changed"`
		Steps    map[steps.Name]steps.Status `json:"steps"`
		Unproved []steps.Name                `json:"unproved,omitempty"`
		Findings []finding.Finding           `json:"findings"`
	}{time.Now().UTC(), steps.EventResult, r.OK, r.DryRun, r.Changed || r.Edited, r.Steps, r.Unproved, r.Findings})
}
