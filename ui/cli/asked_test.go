package cli

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// acted is a step that does what the test says.
type acted struct {
	steps.Step
	name        steps.Name
	apply, undo func(run *steps.Run) error
}

func (a acted) Name() steps.Name { return a.name }
func (a acted) Plan(context.Context, *steps.Run) (steps.Plan, error) {
	return steps.Plan{}, nil
}
func (a acted) Apply(_ context.Context, run *steps.Run, _ steps.Emit) error { return a.apply(run) }
func (a acted) Verify(context.Context, *steps.Run, steps.Emit) error        { return nil }
func (a acted) Undo(_ context.Context, run *steps.Run, _ steps.Emit) error  { return a.undo(run) }

// planned is a step that has a plan, and finds what the test says.
type planned struct {
	acted
	plan  steps.Plan
	found []finding.Finding
}

func (p planned) Plan(context.Context, *steps.Run) (steps.Plan, error) { return p.plan, nil }
func (p planned) Apply(_ context.Context, run *steps.Run, emit steps.Emit) error {
	for _, f := range p.found {
		emit.Find(f)
	}
	return p.apply(run)
}

// A yes that is asked line by line comes after the change that it is about.
func TestTheDiffComesBeforeTheQuestion(t *testing.T) {
	applied := false
	fine := func(*steps.Run) error { return nil }
	run := &steps.Run{Prints: secret.NewFingerprinter(nil)}
	e := steps.NewEngine(run, acted{name: steps.Preflight, apply: fine}, planned{
		acted: acted{name: steps.Write, apply: func(*steps.Run) error { applied = true; return nil }},
		plan: steps.Plan{Summary: prose.Say("Write the key."), Question: prose.Say("Write this change?"), File: ".env", Effects: []prose.Text{prose.Say("Everyone logs in again.")},
			Diff: []steps.DiffLine{{Line: 7, Op: "+", Text: "JWT_SECRET_KEY=****"}}},
	})
	e.Machine, _ = e.Machine.Do(steps.Generate, steps.ActSkip)
	var o bytes.Buffer
	stdio := IO{State: Stdio().State, In: strings.NewReader("n\n"), Out: &o, Err: &o, InTTY: true}
	opts := &upgradeOptions{speech: speech{noColor: true}}
	_ = upgrade(t.Context(), stdio, e, newPlain(stdio, &opts.speech), opts)
	before, _, asked := strings.Cut(o.String(), "Write this change?")
	if !asked || applied || !strings.Contains(before, "7 + JWT_SECRET_KEY=****") || !strings.Contains(before, "Everyone logs in again.") || !strings.Contains(before, "Write the key.") {
		t.Errorf("asked %t, applied %t:\n%s", asked, applied, o.String())
	}
}

// A plan ends with 1 where it would fail: what keeps it from working is still so, and a
// script goes by the code. What the plan fixes is no failure.
func TestADryRunOfABrokenProjectIsNoSuccess(t *testing.T) {
	for name, c := range map[string]struct {
		found []finding.Finding
		code  int
		says  string
	}{
		"broken":  {[]finding.Finding{finding.New(finding.DjangoCheckFailed, "")}, ExitFinding, "That was the plan, and it would fail"},
		"fixed":   {[]finding.Finding{finding.New(finding.JWTKeyMissing, "")}, ExitOK, "That was the plan."},
		"warned":  {[]finding.Finding{finding.New(finding.DjangoCheckFailed, "").WithSeverity(finding.Warning)}, ExitOK, "That was the plan."},
		"healthy": {nil, ExitOK, "That was the plan."},
	} {
		t.Run(name, func(t *testing.T) {
			fine := func(*steps.Run) error { return nil }
			run := &steps.Run{Prints: secret.NewFingerprinter(nil), Options: steps.Options{ReadOnly: true}}
			e := steps.NewEngine(run, planned{acted: acted{name: steps.Preflight, apply: fine}, found: c.found}, acted{name: steps.Generate, apply: fine})
			var o bytes.Buffer
			stdio := IO{State: Stdio().State, In: strings.NewReader(""), Out: &o, Err: &o}
			opts := &upgradeOptions{speech: speech{noColor: true}, dryRun: true}
			if code := exitCode(stdio, upgrade(t.Context(), stdio, e, newPlain(stdio, &opts.speech), opts)); code != c.code || !strings.Contains(o.String(), c.says) {
				t.Errorf("exit %d, want %d\n%s", code, c.code, o.String())
			}
		})
	}
}
