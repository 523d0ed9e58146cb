package checklist

import (
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/stepstest"
)

// The items about keys rest on what was read back from the places, and not on
// the .env that happens to be here.
func TestAnotherEnvironmentsItems(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "SECRET_KEY="+stepstest.Key()+"\n", nil)
	if err := stepstest.Places(run, steps.Held{Readable: true}); err != nil {
		t.Fatal(err)
	}
	states := func() string {
		r, err := Look(t.Context(), run, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, it := range r.Items[:3] {
			out = append(out, string(it.State))
		}
		return strings.Join(out, " ")
	}
	if got := states(); got != "open open open" {
		t.Errorf("before: %s", got)
	}
	record := func(n steps.Name, mark steps.Mark, ids ...string) {
		ev := journal.Evidence{Files: steps.ProofFiles(run)}
		for _, id := range ids {
			ev.Checks = append(ev.Checks, journal.CheckLine{ID: id, Mark: string(mark), Text: "x"})
		}
		if err := run.Journal.Record(string(n), ev); err != nil {
			t.Fatal(err)
		}
	}
	record(steps.Write, steps.MarkWarn, "read-back a")
	record(steps.Distinct, steps.MarkWarn, "place a", "differ")
	if got := states(); got != "open open open" {
		t.Errorf("when nothing could be read back: %s", got)
	}
	record(steps.Write, steps.MarkOK, "read-back a")
	record(steps.Distinct, steps.MarkOK, "place a", "differ")
	if got := states(); got != "done done done" {
		t.Errorf("after: %s", got)
	}
	run.Targets = nil
	if got := states(); !strings.HasPrefix(got, "open") {
		t.Errorf("the local environment: %s", got)
	}
}
