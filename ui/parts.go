package ui

import (
	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
	"dj/keysplit/steps/generate"
	"dj/keysplit/steps/grace"
	"dj/keysplit/steps/preflight"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/smoketest"
	"dj/keysplit/steps/verify"
	"dj/keysplit/steps/write"
)

// parts joins the package of each step to its screen: a new step is a row here and
// one in the table of package steps.
var parts = []struct {
	step   func() steps.Step
	screen func() screen
}{
	{func() steps.Step { return &preflight.Step{} }, newPreflight},
	{func() steps.Step { return &generate.Step{Ready: grace.Ready} }, newGenerate},
	{func() steps.Step { return &write.Step{} }, newWrite},
	{func() steps.Step { return &verify.Step{} }, newDistinct},
	{func() steps.Step { return &restart.Step{Prove: (&smoketest.Step{}).Alone} }, newRestart},
	{func() steps.Step { return &smoketest.Step{} }, newSmokeTest},
	{func() steps.Step { return &checklist.Step{} }, newChecklist},
}

// NewEngine makes an engine of all steps, with those that are given in place of the
// ones of the same name.
func NewEngine(run *steps.Run, instead ...steps.Step) *steps.Engine {
	var all []steps.Step
	for _, p := range parts {
		all = append(all, p.step())
	}
	return steps.NewEngine(run, append(all, instead...)...)
}

// newScreen makes the screen of a step.
func newScreen(n steps.Name) screen {
	for _, p := range parts {
		if p.step().Name() == n {
			return p.screen()
		}
	}
	return &basic{step: n}
}
