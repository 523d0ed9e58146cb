package verify

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

func TestPlacesAreJudgedByWhatTheyHold(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "JWT_SECRET_KEY=short\n", nil)
	key, other := run.Secret(stepstest.Key()), run.Secret(stepstest.Key())
	short := run.Secret(key.Reveal()[:40])
	for name, c := range map[string]struct {
		held steps.Held
		key  secret.Secret
		code finding.Code // "" for none
		mark steps.Mark   // of the line that compares the two keys
	}{
		"good":               {steps.Held{Readable: true, There: true, Key: key, SecretKey: other}, key, "", steps.MarkOK},
		"SECRET_KEY unknown": {steps.Held{Readable: true, There: true, Key: key}, key, "", steps.MarkWarn},
		"sealed":             {steps.Held{There: true}, key, "", steps.MarkWarn},
		"missing":            {steps.Held{Readable: true}, key, "jwt-key-missing", ""},
		"equal":              {steps.Held{Readable: true, There: true, Key: key, SecretKey: key}, key, "jwt-key-equals-secret-key", ""},
		"short":              {steps.Held{Readable: true, There: true, Key: short, SecretKey: other}, short, "jwt-key-too-short", ""},
		"another":            {steps.Held{Readable: true, There: true, Key: other}, key, "place-conflict", ""},
	} {
		t.Run(name, func(t *testing.T) {
			run.Key = c.key
			if err := stepstest.Places(run, c.held); err != nil {
				t.Fatal(err)
			}
			var events stepstest.Events
			err := (&Step{}).Apply(context.Background(), run, events.Emit)
			var failure *steps.Failure
			switch {
			case c.code == "" && err != nil:
				t.Fatalf("error %v", err)
			case c.code != "" && (!errors.As(err, &failure) || !finding.Has(failure.Findings, c.code)):
				t.Fatalf("error %v, want %s", err, c.code)
			}
			good, placed := c.code == "" && c.held.Readable, false
			var compared steps.Mark
			for _, ev := range events {
				placed = placed || ev.ID == steps.LinesPlace+run.Targets[0].Spec() && ev.Mark == steps.MarkOK && strings.Contains(ev.Detail.Rendered(), "characters, fingerprint "+c.held.Key.Fingerprint())
				if ev.ID == "differ" {
					compared = ev.Mark
				}
			}
			if placed != good {
				t.Errorf("the place has its line with the fingerprint: %t", placed)
			}
			if compared != c.mark {
				t.Errorf("the keys were compared with the mark %q, want %q", compared, c.mark)
			}
		})
	}
}

// The line of a place says how long a key must be in this project.
func TestAPlaceWithAKeyThatIsTooShortForTheProject(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "", nil)
	run.Options.MinLength = 64
	run.Key = run.Secret(stepstest.Key()[:60])
	if err := stepstest.Places(run, steps.Held{Readable: true, There: true, Key: run.Key}); err != nil {
		t.Fatal(err)
	}
	var events stepstest.Events
	if err := (&Step{}).Apply(t.Context(), run, events.Emit); err == nil {
		t.Error("it passed")
	}
	said := ""
	for _, ev := range events {
		if ev.ID == "place a" {
			said = ev.Detail.Rendered()
		}
	}
	if !strings.Contains(said, "64") {
		t.Errorf("it says %q", said)
	}
}

// A place, a file or a Django that cannot be read is an error and not a good pair, and what
// was found beside a good one is told.
func TestWhatCannotBeReadIsNotGood(t *testing.T) {
	t.Parallel()
	broken := errors.New("no answer")
	run, _, _, _ := healthy(t)
	if err := errors.Join(os.Remove(run.Project.EnvFile.Path), os.Mkdir(run.Project.EnvFile.Path, 0o700)); err != nil {
		t.Fatal(err)
	}
	if codes, err := look(t, run); err == nil {
		t.Errorf("a folder: %v", codes)
	}
	run.Project.Source = steps.Source{Kind: steps.ValueFile, File: run.Project.EnvFile.Path}
	if codes, err := look(t, run); err == nil || !slices.Contains(codes, finding.KeyUnread) {
		t.Errorf("a value that cannot be read: %v, %v", codes, err)
	}
	run, facts, _, _ := healthy(t)
	place := &stepstest.Place{Name: "keeper", Held: steps.Held{Where: "the keeper", Readable: true, There: true, Key: run.Key}}
	run.Targets = []steps.Target{place}
	if _, err := look(t, run); err != nil {
		t.Fatal(err)
	}
	run.Django = &stepstest.Django{Now: facts, Err: broken}
	if _, err := look(t, run); !errors.Is(err, broken) {
		t.Errorf("Django: %v", err)
	}
	run.Django, place.Err = nil, broken
	if _, err := look(t, run); !errors.Is(err, broken) {
		t.Errorf("the place: %v", err)
	}
	if name := sameAs(run, envfile.Decouple, []byte("A=\xff\n"), run.Key); name != "" {
		t.Errorf("a file that is no text holds the key as %s", name)
	}
}

// What gives the backend a key that no file of variables holds is said, good or not.
func TestAKeyOfItsOwnFileIsSaid(t *testing.T) {
	t.Parallel()
	for key, mark := range map[string]steps.Mark{stepstest.Key(): steps.MarkOK, "short": steps.MarkFailed} {
		run, _, _, _ := healthy(t)
		run.Django = nil
		path := run.Project.EnvFile.Path + "-value"
		if err := os.WriteFile(path, []byte(key), 0o600); err != nil {
			t.Fatal(err)
		}
		run.Project.Source, run.Key = steps.Source{Kind: steps.ValueFile, File: path}, secret.Secret{}
		var events stepstest.Events
		found := given(run, events.Emit)
		if len(events) != 1 || events[0].Mark != mark || (len(found) > 0) != (mark == steps.MarkFailed) {
			t.Errorf("%s: %+v, %v", mark, events, found)
		}
	}
}
