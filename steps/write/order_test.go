package write

import (
	"errors"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/stepstest"
)

// Another place comes before a file of this machine, whatever the order on the command
// line: it can refuse, and nothing here is changed by then.
func TestAnotherPlaceIsWrittenBeforeAFile(t *testing.T) {
	t.Parallel()
	for name, refuses := range map[string]bool{"it takes the key": false, "it refuses": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run, k, target := shown(t)
			was := stepstest.Content(t, run)
			run.Targets = append(Default(), target)
			file := ""
			k.put = func(write func()) error {
				if file = stepstest.Content(t, run); refuses {
					return errLost
				}
				write()
				return nil
			}
			_, err := deliver(t, run)
			if file != was || errors.Is(err, errLost) != refuses || !refuses && err != nil {
				t.Errorf("the file was written first: %t; error %v", file != was, err)
			}
			if now := stepstest.Content(t, run); (now == was) != refuses {
				t.Errorf("the file is as it was: %t", now == was)
			}
			if !refuses && !run.Journal.Brought(run.Key, func(e journal.Entry) bool { return e.Step == string(steps.Restart) }) {
				t.Error("that the key was about to be brought is not noted")
			}
		})
	}
}
