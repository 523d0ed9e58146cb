package write

import (
	"testing"

	"dj/keysplit/steps/stepstest"
)

// A run that was killed right after its write has not noted the key: the next one does,
// once, and not for a key that keysplit did not bring, whatever else it edits that no server
// reads: else each server that has that key would be older than it.
func TestAResumedRunNotesTheKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ brought, edits bool }{
		"killed after the write": {true, false}, "the user's own key": {false, false}, "the user's own key, and .gitignore is edited": {false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			key := stepstest.Key()
			run := stepstest.NewRun(t, "SECRET_KEY="+stepstest.Key()+"\nJWT_SECRET_KEY="+key+"\n", nil)
			run.Key, run.KeyFrom = run.Secret(key), "kept"
			run.Wrote = c.edits
			if c.brought {
				if err := run.Journal.Bring(run.Key); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := deliver(t, run); err != nil {
				t.Fatal(err)
			}
			first, noted := run.Journal.KeySince(run.Key)
			if noted != c.brought {
				t.Errorf("noted: %t", noted)
			}
			if _, err := deliver(t, run); err != nil {
				t.Fatal(err)
			}
			if again, _ := run.Journal.KeySince(run.Key); !again.Equal(first) {
				t.Error("its age begins again")
			}
		})
	}
}
