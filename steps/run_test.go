package steps

import (
	"context"
	"testing"

	"dj/keysplit/steps/internal/canary"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
)

// somewhere is a place of the given name that is asked for nothing.
type somewhere struct {
	Target
	spec string
}

func (s somewhere) Spec() string                           { return s.spec }
func (somewhere) Local() bool                              { return false }
func (somewhere) File(*Run) string                         { return "" }
func (somewhere) Look(context.Context, *Run) (Held, error) { return Held{}, nil }

// The previous key is that of the latest upgrade of this run's own places: neither
// one that another place had, nor one from before the latest upgrade.
func TestThePreviousKeyIsThatOfTheLatestUpgradeHere(t *testing.T) {
	t.Parallel()
	j, env := withJournal(t, "")
	older, old, other := j.Prints().Secret(canary.New()), j.Prints().Secret(canary.New()), j.Prints().Secret(canary.New())
	previous := func(targets ...string) string {
		t.Helper()
		r := &Run{Found: Found{Journal: j, Project: &Project{EnvFile: EnvFile{Path: env}}}, Prints: j.Prints()}
		for _, spec := range targets {
			r.Targets = append(r.Targets, somewhere{spec: spec})
		}
		return r.PreviousTo(r.Prints.Secret("the one in force")).Key.Reveal()
	}
	deliver := func(target string, before secret.Secret) {
		t.Helper()
		if _, err := j.Deliver(journal.Delivery{Target: target}, before); err != nil {
			t.Fatal(err)
		}
	}
	restarted := func() {
		t.Helper()
		if err := j.SetStatus(string(Restart), string(Done)); err != nil {
			t.Fatal(err)
		}
		j = nextRun(t, j, env)
	}
	deliver("heroku:a", older)
	restarted()
	deliver("heroku:a", old)
	deliver("github:a/b", secret.Secret{})
	restarted()
	deliver("heroku:b", other)
	for _, c := range []struct {
		targets []string
		want    secret.Secret
	}{
		{[]string{"heroku:a"}, old}, {[]string{"github:a/b", "heroku:a"}, old}, {[]string{"heroku:b"}, other},
		{[]string{"heroku:c"}, secret.Secret{}}, {[]string{"github:a/b"}, secret.Secret{}},
	} {
		if previous(c.targets...) != c.want.Reveal() {
			t.Errorf("%v: another key than the one before", c.targets)
		}
	}
	restarted()
	deliver("heroku:a", secret.Secret{}) // its value could not be read
	if previous("heroku:a") != "" {
		t.Error("a key of an earlier upgrade counts as the previous one")
	}
}

// The name that is typed is the one that says production.
func TestProductionName(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		options Options
		held    []Held
		places  []string
		want    string
	}{
		"nothing":           {Options{Environment: "staging"}, []Held{{Where: "Fly app shop-stg"}}, []string{"fly:shop-stg"}, ""},
		"the environment":   {Options{Environment: "production"}, []Held{{Where: "Fly app shop-prod"}}, nil, "production"},
		"the configuration": {Options{Environment: "eu1", Production: true}, nil, nil, "eu1"},
		"an app":            {Options{Environment: "development"}, []Held{{Where: "Fly app shop-prod, as me@example.com"}}, nil, "shop-prod"},
		"a context":         {Options{Environment: "staging"}, []Held{{Where: "Secret backend, key jwt, namespace shop, context prod-eu (https://k8s.example.com)"}}, nil, "prod-eu"},
		"a target":          {Options{Environment: "staging"}, nil, []string{"heroku:shop-live"}, "shop-live"},
		"a namespace":       {Options{Environment: "staging"}, nil, []string{"kind-test", "prod/backend,worker"}, "prod"},
	} {
		r := &Run{Options: c.options, Held: c.held}
		if got := r.ProductionName(c.places...); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		r.Confirmed = []string{c.want}
		if got := r.Confirm(c.places...); got != "" {
			t.Errorf("%s: asked again for %q", name, got)
		}
	}
}
