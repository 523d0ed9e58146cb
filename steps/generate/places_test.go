package generate

import (
	"errors"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

func TestAKeyThatIsKeptElsewhere(t *testing.T) {
	t.Parallel()
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
			run.Answers.Rotate = c.rotate
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
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	chosen := run.Secret(stepstest.Key())
	if err := stepstest.Places(run, steps.Held{Readable: true}); err != nil {
		t.Fatal(err)
	}
	if err := run.Journal.Choose(chosen, run.Specs()); err != nil {
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

// The rest of an upgrade's places must get its key and no other: a run over other
// places neither takes that key nor forgets it.
func TestAnUnfinishedUpgradeComesFirst(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "JWT_SECRET_KEY="+stepstest.Key()+"\n", nil)
	run.Options.Environment = "staging"
	if err := stepstest.Places(run, steps.Held{Readable: true}, steps.Held{}); err != nil {
		t.Fatal(err)
	}
	if _, err := apply(t, run); err != nil {
		t.Fatal(err)
	}
	chosen, all := run.Key, run.Targets
	run.Targets, run.KeyFrom = nil, "" // the .env here
	if _, err := apply(t, run); err != nil || run.KeyFrom != "kept" {
		t.Fatalf("nothing was delivered yet, so nothing is left half done: %s, %v", run.KeyFrom, err)
	}
	run.Targets = all
	if _, err := apply(t, run); err != nil || !run.Key.Equal(chosen) {
		t.Fatalf("the same places: another key, %v", err)
	}
	if _, err := run.Journal.Deliver(journal.Delivery{Target: "a"}, secret.Secret{}); err != nil {
		t.Fatal(err)
	}
	for _, others := range [][]steps.Target{nil, all[:1], all[1:]} {
		for _, imported := range []bool{false, true} {
			run.Targets, run.Answers.Import = others, secret.Secret{}
			if imported {
				run.Answers.Import = run.Secret(stepstest.Key())
			}
			_, err := apply(t, run)
			var failure *steps.Failure
			if !errors.As(err, &failure) || failure.Findings[0].Code != "upgrade-unfinished" ||
				!strings.Contains(failure.Findings[0].Fix.Rendered(), "keysplit upgrade --env staging --target a --target b.") {
				t.Fatalf("%d of the places: %v", len(others), err)
			}
		}
	}
	if kept, ok := run.Journal.Chosen([]string{"b", "a"}); !ok || string(kept) != chosen.Reveal() {
		t.Error("the key is forgotten")
	}
}

// A key that one place had before goes to the others in one upgrade, over any
// interruption.
func TestAKeptKeyThatGoesElsewhereIsRemembered(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	good := run.Secret(stepstest.Key())
	holds := steps.Held{Readable: true, There: true, Key: good}
	for name, c := range map[string]struct {
		held       []steps.Held
		remembered bool
	}{
		"one place lacks it":  {[]steps.Held{holds, {Readable: true}}, true},
		"one place is sealed": {[]steps.Held{holds, {There: true}}, true},
		"all have it":         {[]steps.Held{holds, holds}, false},
	} {
		if err := stepstest.Places(run, c.held...); err != nil {
			t.Fatal(err)
		}
		if _, err := apply(t, run); err != nil || !run.Key.Equal(good) {
			t.Fatalf("%s: %v", name, err)
		}
		if _, ok := run.Journal.Chosen(run.Specs()); ok != c.remembered {
			t.Errorf("%s: remembered %t", name, ok)
		}
		if err := run.Journal.Settle(); err != nil {
			t.Fatal(err)
		}
	}
}
