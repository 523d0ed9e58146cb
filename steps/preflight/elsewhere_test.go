package preflight

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// onePlace makes a target of what it holds.
func onePlace(run *steps.Run, held steps.Held, err error) {
	run.Targets = []steps.Target{&stepstest.Place{Name: "vault:secret/app#key", Held: held, Err: err}}
}

func TestAnotherEnvironmentIsJudgedByItsPlaces(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY=short\n"})
	for name, c := range map[string]struct {
		held func(run *steps.Run) steps.Held
		want string
	}{
		"good": {func(run *steps.Run) steps.Held {
			return steps.Held{Where: "w", Readable: true, There: true, Key: run.Secret(stepstest.Key()), SecretKey: run.Secret(stepstest.Key())}
		}, ""},
		"missing":   {func(*steps.Run) steps.Held { return steps.Held{Where: "w", Readable: true} }, "jwt-key-missing"},
		"not shown": {func(*steps.Run) steps.Held { return steps.Held{Where: "w", There: true} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			run, _, err := apply(t, p, func(run *steps.Run) {
				run.Options.Environment = "staging"
				onePlace(run, c.held(run), nil)
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := codes(run.Project.Findings); got != c.want {
				t.Errorf("findings %q, want %q", got, c.want)
			}
			if run.Django != nil || run.Project.Facts == nil || run.Project.Facts.Routes.Login == "" {
				t.Error("the project's Django was not asked for its routes alone")
			}
		})
	}
}

func TestAnotherEnvironmentNeedsNoDjangoHere(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	run, events, err := apply(t, p, func(run *steps.Run) {
		run.Options.Python = filepath.Join(p.Dir, "no-such-python")
		onePlace(run, steps.Held{Where: "w", There: true}, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	warned := false
	for _, ev := range events {
		warned = warned || ev.ID == "django" && ev.Mark == steps.MarkWarn
	}
	if !warned || run.Project.Facts != nil {
		t.Error("it does not say that Django was not asked")
	}
}

func TestAPlaceThatCannotBeLookedAt(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	_, _, err := apply(t, p, func(run *steps.Run) {
		onePlace(run, steps.Held{}, steps.Fail(finding.New("tool-not-logged-in", "")))
	})
	var failure *steps.Failure
	if !errors.Is(err, steps.ErrCannotLook) || !errors.As(err, &failure) || !finding.Has(failure.Findings, "tool-not-logged-in") {
		t.Errorf("error %v", err)
	}
}

func TestAStaticCheckAsksNoPlace(t *testing.T) {
	t.Parallel()
	p := djangotest.New(t, djangotest.Options{})
	run := newRun(t)
	run.Options.Folder, run.Options.Static = p.Dir, true
	onePlace(run, steps.Held{}, errors.New("asked"))
	var events stepstest.Events
	if err := (&Step{}).Apply(context.Background(), run, events.Emit); err != nil {
		t.Error(err)
	}
	if !slices.ContainsFunc(events, func(ev steps.Event) bool {
		return ev.ID == "place vault:secret/app#key" && ev.Mark == steps.MarkSkipped && ev.Detail.Rendered() == "not looked at: only files are read"
	}) {
		t.Errorf("it does not say that the place was not looked at: %+v", events)
	}
}

// What is said of a place that cannot be seen is that it cannot be seen: "no key there"
// would have somebody set another one.
func TestWhatIsSaidOfAPlace(t *testing.T) {
	t.Parallel()
	for want, held := range map[string]steps.Held{
		"skipped, keysplit cannot read it from here":                   {Unknown: true},
		"ok, no key there":                                             {},
		"ok, a key that cannot be read back":                           {There: true},
		"ok, a key that cannot be read back, set 2025-01-31 12:00 UTC": {There: true, Changed: time.Date(2025, 1, 31, 12, 0, 0, 0, time.UTC)},
	} {
		run := newRun(t)
		held.Where = "the bank"
		onePlace(run, held, nil)
		var events stepstest.Events
		if err := lookAtPlaces(t.Context(), run, events.Emit); err != nil {
			t.Fatal(err)
		}
		if last := events[len(events)-1]; string(last.Mark)+", "+last.Detail.Rendered() != want || last.Text.Rendered() != "the bank" {
			t.Errorf("it says %s, %s; want %s", last.Mark, last.Detail, want)
		}
		found := run.JudgePlaces()
		if held.Unknown != (len(found) == 1 && found[0].Severity == finding.Warning) {
			t.Errorf("%s: %+v", want, found)
		}
	}
}
