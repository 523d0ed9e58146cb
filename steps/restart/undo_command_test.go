//go:build unix

package restart

import (
	"errors"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// A command that cannot be run leaves the rollback to be finished by another one.
func TestARollbackWithoutItsCommand(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"not found": "keysplit-no-such-program", "not kept": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := commandWorld(t, "true")
			w.run.Options.Restart = nil
			var err error
			if w.run.Journal, err = stepstest.State(t).Open(w.run.Project.Root, steps.DefaultEnvironment); err != nil {
				t.Fatal(err)
			}
			if text != "" {
				w.run.Options.Restart = by(t, "command:"+text)
			} else if err := w.run.Journal.SetRestart(steps.OwnCommand); err != nil {
				t.Fatal(err)
			}
			_, _, err = do(w.step.Undo, w.run)
			var failure *steps.Failure
			if !errors.As(err, &failure) || failure.Findings[0].Code != finding.RestartFailed || !strings.Contains(failure.Findings[0].Fix.Rendered(), "keysplit rollback --restart command:") {
				t.Errorf("error %v", err)
			}
		})
	}
}
