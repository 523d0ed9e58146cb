package smoketest

import (
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
)

// A login is posted in the form that the project's own asks for.
func TestTheBodyOfALogin(t *testing.T) {
	t.Parallel()
	password := secret.NewFingerprinter(nil).Secret("x")
	for want, facts := range map[string]*steps.Facts{
		`{"email":"a","password":"x"}`:          nil,
		`{"email":"a","senha":"x"}`:             {PasswordField: "senha"},
		`{"user":{"email":"a","password":"x"}}`: {LoginInside: "user"},
	} {
		s := &session{run: &steps.Run{Found: steps.Found{Project: &steps.Project{Facts: facts}}}}
		if got := s.loginBody("email", steps.Account{Username: "a", Password: password}); string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
