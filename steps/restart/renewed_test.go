package restart

import (
	"context"
	"testing"
	"time"

	"dj/keysplit/steps"
)

// A command that only sends a signal ends before the workers are new: they are waited
// for, and those that never come are left to the smoke test.
func TestTheWorkersAreWaitedFor(t *testing.T) {
	for name, after := range map[string]int{"they come": 3, "they do not": 1 << 30} {
		w := newWorld(t)
		url := backend(t)
		wrote := time.Now().Add(-time.Minute)
		w.run.Written = steps.Written{Wrote: true, WroteAt: wrote}
		looks := 0
		w.step.Find = func(context.Context, string) ([]steps.Server, error) {
			s := w.server(7, 0, wrote.Add(-time.Hour), url) // the master stays
			s.Workers, s.Oldest = 4, wrote.Add(-time.Hour)
			if looks++; looks > after {
				s.Oldest = wrote.Add(time.Second)
			}
			return []steps.Server{s}, nil
		}
		way, err := Parse("command:true")
		if err != nil {
			t.Skip("there is no such command here: " + err.Error())
		}
		w.run.Options.Restart = way
		if _, _, err := do(w.step.Apply, w.run); err != nil || w.run.URL != url || looks < 4 {
			t.Errorf("%s: %v, address %q, %d looks", name, err, w.run.URL, looks)
		}
		if fresh := w.run.Servers[0].Since().After(wrote); fresh != (name == "they come") {
			t.Errorf("%s: the workers that were seen last are new: %t", name, fresh)
		}
	}
}
