package cli

import (
	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
	"dj/keysplit/steps/distinct"
	"dj/keysplit/steps/generate"
	"dj/keysplit/steps/preflight"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/smoketest"
	"dj/keysplit/steps/write"
)

// newEngine registers the steps: the one place that names them all.
func newEngine(run *steps.Run) *steps.Engine {
	return steps.NewEngine(run, &preflight.Step{}, &generate.Step{}, &write.Step{}, &distinct.Step{},
		&restart.Step{}, &smoketest.Step{}, &checklist.Step{})
}
