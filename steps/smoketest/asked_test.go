package smoketest

import (
	"encoding/json"
	"maps"
	"net/http"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
)

// After a rollback the routes are those that the upgrade had, where the settings do not
// load any more.
func TestTheRoutesOfTheUpgradeAreTakenUp(t *testing.T) {
	t.Parallel()
	b := witnessed(t)
	facts, err := json.Marshal(map[string]any{"tokens": b.run.Project.Facts.Tokens, "routes": b.run.Project.Facts.Routes, "username_field": "login"})
	if err == nil {
		err = b.run.Journal.Use(journal.Used{Facts: facts})
	}
	if err != nil {
		t.Fatal(err)
	}
	b.run.Project.Facts = nil
	_ = b.step.Restored(t.Context(), b.run, b.run.Secret(b.previous), func(steps.Event) {})
	if f := b.run.Project.Facts; f == nil || f.LoginField != "login" || f.Routes.Protected == "" {
		t.Errorf("%+v", f)
	}
}

// Every request asks for JSON: a browsable API would answer with a page.
func TestEachRequestAsksForJSON(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.fake.intercept = func(_ http.ResponseWriter, r *http.Request) bool {
		if got := r.Header.Get("Accept"); got != "application/json, */*;q=0.5" {
			t.Errorf("%s %s: Accept %q", r.Method, r.URL.Path, got)
		}
		return false
	}
	_, _ = b.apply()
	if b.fake.requests == 0 {
		t.Error("nothing was asked")
	}
}

func TestTheTokenOfAForm(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"csrfToken":"abc123","other":"x"}`: "abc123",
		`{"CSRF":"abc123"}`:                  "abc123",
		`{"token":"abc123"}`:                 "",
		`{"csrf":7}`:                         "",
		`{"csrf":"a\r\nX: b"}`:               "",
		`<html>csrf`:                         "",
		``:                                   "",
	} {
		if got := csrfInBody([]byte(body)); got != want {
			t.Errorf("%s: %q", body, got)
		}
	}
}

// A token is carried by the header and the word of the settings.
func TestTheHeaderOfTheSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		facts steps.TokenFacts
		want  map[string]string
	}{
		"none told": {steps.TokenFacts{}, map[string]string{"Authorization": "Bearer x"}},
		"both told": {steps.TokenFacts{HeaderTypes: []string{"JWT", "Bearer"}, HeaderName: "HTTP_X_TOKEN"}, map[string]string{"X-TOKEN": "JWT x"}},
	} {
		if got := (&session{facts: c.facts}).bearer("x"); !maps.Equal(got, c.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
