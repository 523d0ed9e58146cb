package steps

import (
	"strings"
	"testing"
)

// Who stops learns what is in force, and how to undo it, whichever run wrote the key.
func TestAStoppedRunSaysWhatIsInForce(t *testing.T) {
	t.Parallel()
	const waits, undo = "The key is written; no server was seen to use it yet.", "keysplit rollback"
	for name, c := range map[string]struct {
		end         Ending
		waits, undo bool
	}{
		"before the write":             {end: Ending{Stopped: true}},
		"after the write":              {Ending{Stopped: true, Changed: true, Steps: map[Name]Status{Write: Done}}, true, true},
		"after an earlier run's":       {Ending{Stopped: true, Earlier: true, Steps: map[Name]Status{Write: Done}}, true, true},
		"before that is looked at":     {Ending{Stopped: true, Earlier: true}, false, true},
		"after the restart":            {Ending{Stopped: true, Changed: true, Steps: map[Name]Status{Write: Done, Restart: Done}}, false, true},
		"without a restart":            {Ending{Stopped: true, Changed: true, Steps: map[Name]Status{Write: Done, Restart: Skipped}}, false, true},
		"in the demo, which goes away": {Ending{Stopped: true, Changed: true, Throwaway: true, Steps: map[Name]Status{Write: Done}}, false, false},
	} {
		if got := c.end.Summary().Rendered(); strings.Contains(got, waits) != c.waits || !strings.HasPrefix(got, "Stopped.") {
			t.Errorf("%s: %q", name, got)
		}
		next := ""
		for _, n := range c.end.Next() {
			next += n.Rendered() + "\n"
		}
		if strings.Contains(next, undo) != c.undo {
			t.Errorf("%s: %q", name, next)
		}
	}
	failed := Ending{Earlier: true, Steps: map[Name]Status{Write: Done, Restart: Failed}}
	if next := failed.Next()[0].Rendered(); !strings.Contains(next, undo) {
		t.Errorf("a restart that failed after an earlier run's write: %q", next)
	}
}
