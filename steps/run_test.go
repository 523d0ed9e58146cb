package steps

import "testing"

// The name that is typed is the one that says production.
func TestProductionName(t *testing.T) {
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
