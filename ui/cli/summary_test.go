package cli

import (
	"strings"
	"testing"

	"dj/keysplit/steps"
)

// What is said at the end is no more than what was done and proved.
func TestSummaries(t *testing.T) {
	skipped := map[steps.Name]steps.Status{steps.Write: steps.Done, steps.Restart: steps.Skipped, steps.SmokeTest: steps.Skipped}
	for name, c := range map[string]struct {
		r        result
		says     string
		rollback bool
	}{
		"done":                {result{OK: true, Changed: true}, "has a JWT key of its own", true},
		"nothing to do":       {result{OK: true}, "Nothing was changed", false},
		"only files edited":   {result{OK: true, Edited: true}, "Only the files named above were edited", true},
		"written, no more":    {result{OK: true, Changed: true, Steps: skipped}, "What was left out is not proved", true},
		"in order, no more":   {result{OK: true, Steps: skipped}, "What was left out is not proved", false},
		"a plan":              {result{OK: true, DryRun: true}, "That was the plan", false},
		"failed":              {result{Changed: true}, "Not finished", true},
		"failed, not changed": {result{}, "Not finished", false},
	} {
		r := (&options{env: steps.DefaultEnvironment}).summarise(c.r)
		if !strings.Contains(r.Summary, c.says) || strings.Contains(strings.Join(r.Next, " "), "rollback") != c.rollback {
			t.Errorf("%s: %s %q", name, r.Summary, r.Next)
		}
	}
	if got := wizardCommand("keysplit upgrade --env staging --target fly:x"); got != "keysplit --env staging --target fly:x" {
		t.Errorf("the wizard goes on with %s", got)
	}
}
