//go:build unix

package restart

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// A command may end before its server listens: where one was there, it is waited for, in an
// upgrade and in a rollback.
func TestTheServerOfACommandIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, act := range map[string]func(*Step) func(context.Context, *steps.Run, steps.Emit) error{
		"upgrade": func(s *Step) func(context.Context, *steps.Run, steps.Emit) error { return s.Apply }, "rollback": func(s *Step) func(context.Context, *steps.Run, steps.Emit) error { return s.Undo },
	} {
		w := commandWorld(t, "touch ended")
		base := backend(t)
		looks := 0
		w.step.Find = func(context.Context, string) ([]steps.Server, error) {
			if _, err := os.Stat(filepath.Join(w.run.Project.Root, "ended")); err == nil {
				if looks++; looks < 3 { // the new one has not begun
					return nil, nil
				}
			}
			return []steps.Server{w.server(2+looks, 1, time.Now(), base)}, nil
		}
		if _, _, err := do(act(w.step), w.run); err != nil || w.run.URL != base {
			t.Errorf("%s: %v, at %q", name, err, w.run.URL)
		}
	}
}
