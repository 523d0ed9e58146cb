package write

import (
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// realTarget is oneTarget with the patience that the real programs need.
func realTarget(t *testing.T, spec string) (*steps.Run, steps.Target) {
	t.Helper()
	run, target := oneTarget(t, spec)
	run.Options.Timeout = 30 * time.Second
	return run, target
}

// refused wants a place to take no key, for a reason.
func refused(t *testing.T, spec string, code finding.Code) {
	t.Helper()
	run, target := realTarget(t, spec)
	_, err := bring(run, target)
	wantCode(t, err, code)
}
