//go:build unix

package restart

import (
	"errors"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// Whatever restarts the backend or its workers through a program is asked for before the
// first write: where the program is missing, nothing was written yet.
func TestAMissingProgramIsToldBeforeTheWrite(t *testing.T) {
	t.Parallel()
	for name, given := range map[string][2]string{ // --restart and --also
		"heroku": {"heroku:shop"}, "railway": {"railway:web"}, "fly": {"fly:shop"}, "systemd": {"systemd:shop"}, "kubernetes": {"kubernetes:shop"}, "compose": {"compose:web"},
		"one of several":               {"fly:shop,heroku:shop"},
		"a worker":                     {"command:/bin/true", "systemd:celery"},
		"a worker, nothing else":       {"none", "systemd:celery"},
		"a worker, a server of ours":   {"runserver", "systemd:celery"},
		"a worker of a server of ours": {"", "kubernetes:celery"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if given[0] != "" {
				w = managedWorld(t, given[0])
			}
			if given[1] != "" {
				all, err := Also(given[1:])
				if err != nil {
					t.Fatal(err)
				}
				w.run.Options.Also = all
			}
			w.run.Environ = func(name string) (string, bool) { return "", name == "PATH" }
			var failure *steps.Failure
			if err := w.step.Forewarn(t.Context(), w.run); !errors.As(err, &failure) || !finding.Has(failure.Findings, finding.ToolMissing) {
				t.Errorf("%v", err)
			}
		})
	}
}
