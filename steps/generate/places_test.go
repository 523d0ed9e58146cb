package generate

import (
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

func TestAKeyThatIsKeptElsewhere(t *testing.T) {
	good, local := stepstest.Key(), stepstest.Key()
	var run *steps.Run
	held := func(key, secretKey string) steps.Held {
		h := steps.Held{Readable: true, There: key != ""}
		if key != "" {
			h.Key = run.Secret(key)
		}
		if secretKey != "" {
			h.SecretKey = run.Secret(secretKey)
		}
		return h
	}
	for name, c := range map[string]struct {
		held   func() []steps.Held
		rotate bool
		from   string
		key    string // "" for a fresh one
	}{
		"good":             {func() []steps.Held { return []steps.Held{held(good, stepstest.Key())} }, false, "kept", good},
		"rotated":          {func() []steps.Held { return []steps.Held{held(good, "")} }, true, "made", ""},
		"missing":          {func() []steps.Held { return []steps.Held{held("", stepstest.Key())} }, false, "made", ""},
		"equal":            {func() []steps.Held { return []steps.Held{held(good, good)} }, false, "made", ""},
		"short":            {func() []steps.Held { return []steps.Held{held(good[:20], "")} }, false, "made", ""},
		"one of two":       {func() []steps.Held { return []steps.Held{held("", ""), held(good, "")} }, false, "kept", good},
		"sealed":           {func() []steps.Held { return []steps.Held{{There: true}} }, false, "kept", "-"},
		"sealed, rotated":  {func() []steps.Held { return []steps.Held{{There: true}} }, true, "made", ""},
		"sealed and empty": {func() []steps.Held { return []steps.Held{{There: true}, {}} }, false, "made", ""},
	} {
		t.Run(name, func(t *testing.T) {
			// The local .env is another environment's: its key must not matter.
			run = stepstest.NewRun(t, "JWT_SECRET_KEY="+local+"\n", nil)
			run.Options.Rotate = c.rotate
			if err := stepstest.Places(run, c.held()...); err != nil {
				t.Fatal(err)
			}
			if _, err := apply(t, run); err != nil {
				t.Fatal(err)
			}
			switch {
			case run.KeyFrom != c.from:
				t.Errorf("the key is %s, want %s", run.KeyFrom, c.from)
			case c.key == "-" && run.Key.Set():
				t.Error("a key that cannot be read has a value")
			case c.key == "" && (run.Key.Len() != 86 || run.Key.Reveal() == local):
				t.Errorf("a key of %d characters was made", run.Key.Len())
			case len(c.key) > 1 && run.Key.Reveal() != c.key:
				t.Error("another key was settled on")
			}
		})
	}
}

func TestGoesOnWithTheKeyOfAnInterruptedRun(t *testing.T) {
	run := stepstest.NewRun(t, "", nil)
	chosen := run.Secret(stepstest.Key())
	if err := run.Journal.Choose(chosen); err != nil {
		t.Fatal(err)
	}
	if err := stepstest.Places(run, steps.Held{Readable: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := apply(t, run); err != nil {
		t.Fatal(err)
	}
	if run.KeyFrom != "chosen before" || !run.Key.Equal(chosen) {
		t.Errorf("the key is %s", run.KeyFrom)
	}
	if err := run.Journal.Settle(); err != nil {
		t.Fatal(err)
	}
	if _, err := apply(t, run); err != nil || run.KeyFrom != "made" {
		t.Errorf("after it was settled: %s, %v", run.KeyFrom, err)
	}
}
