package steps

import (
	"testing"
	"time"

	"dj/keysplit/steps/journal"
)

// Only an edit of what the backend reads makes a server that is older one with the previous
// settings; the others are something to undo all the same.
func TestWhichEditsAServerCanBeOlderThan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file   string
		needed bool
		older  bool
	}{
		{"ci.yml", false, false},
		{"README.md", false, false},
		{"compose.yml", true, true},
		{"config/settings.py", false, true},
		{".env", false, true},
	} {
		run, _ := ground(t, map[string]string{c.file: "A=1\n"})
		edits := plan(t, run, c.file)
		edits[0].Needed, edits[0].Secret, edits[0].On = c.needed, c.file == ".env", true
		if err := run.WriteEdits(t.Context(), edits, func(Event) {}); err != nil {
			t.Fatal(err)
		}
		if older := !run.WroteAt.IsZero(); older != c.older || !run.Wrote {
			t.Errorf("%s: a server can be older: %t, something is written: %t", c.file, older, run.Wrote)
		}
	}
}

// After edits that no server reads, when the key came to its places is still known.
func TestTheKeyIsAsOldAsItWasAfterOtherEdits(t *testing.T) {
	t.Parallel()
	run, _ := ground(t, nil)
	run.Key = run.Secret("the key")
	if err := run.Journal.SetKey(run.Key); err != nil {
		t.Fatal(err)
	}
	run.Wrote = true
	if at, known := run.KeyWritten(); !known || time.Since(at) > time.Minute {
		t.Errorf("written %v, known %t", at, known)
	}
	run.Journal = (*journal.Journal)(nil)
	run.Wrote = false
	if _, known := run.KeyWritten(); known {
		t.Error("without a journal it is known")
	}
}
