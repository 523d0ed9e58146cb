package smoketest

import (
	"net/http"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// Tokens that keysplit does not know are no fault of the backend: the lines say that
// nothing was tested, what makes the tokens is named, and no password is sent to a
// guessed route.
func TestTokensOfAnotherPackage(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		made    string
		routes  steps.Routes // that the configuration names
		fails   bool
		logins  int
		detail  string
		account bool
	}{
		"graphql-jwt":                         {"graphql-jwt", steps.Routes{}, false, 0, "not tested", true},
		"PyJWT":                               {"pyjwt", steps.Routes{}, false, 0, "not tested", false},
		"PyJWT, a route that tells nothing":   {"pyjwt", steps.Routes{Protected: "/open/"}, false, 0, "same answer", false},
		"PyJWT, a login":                      {"pyjwt", steps.Routes{Login: "/api/v1/auth/login/", Protected: "/api/v1/auth/user/"}, false, 1, "connections", true},
		"simplejwt, a route that says naught": {"simplejwt", steps.Routes{Protected: "/open/"}, true, 0, "same answer", false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if c.account {
				b.account()
			}
			b.verify = false
			b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/open/" {
					w.WriteHeader(http.StatusForbidden)
				}
				return r.URL.Path == "/open/"
			}
			b.run.Options.Routes = c.routes
			b.run.Project.Facts.Package, b.run.Project.Facts.Routes = c.made, steps.Routes{}
			found, err := b.apply()
			if (err != nil) != c.fails || b.logins != c.logins {
				t.Fatalf("%v, %v, %d logins", err, found, b.logins)
			}
			mark, detail := b.line(steps.LineFresh)
			if c.logins == 0 && mark != steps.MarkWarn {
				t.Errorf("the line of the new key is %q %q", mark, detail)
			}
			b.wantLine(steps.LineFresh, mark, c.detail)
			if named := finding.Has(found, finding.TokenPackage); named != (!c.fails && c.logins == 0) {
				t.Errorf("what makes the tokens is named: %t", named)
			}
		})
	}
}
