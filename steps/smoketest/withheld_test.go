package smoketest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// anyToken are servers that take a token of any key: nobody's backend, or one that
// only pretends to be it.
var anyToken = map[string]func(b *bench){
	"200 for everything": func(b *bench) {
		b.intercept = func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, "{}"); return true }
	},
	"200 for everything, no route to verify tokens": func(b *bench) {
		b.run.Project.Facts.Routes.Verify = ""
		b.intercept = func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, "{}"); return true }
	},
	"200 for everything, routes guessed": func(b *bench) {
		b.run.Project.Facts = nil
		b.intercept = func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, "{}"); return true }
	},
	"it says so in words": func(b *bench) {
		b.intercept = func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"code":"user_not_found"}`)
			return true
		}
	},
	"the protected route, where there is a token": func(b *bench) {
		b.run.Project.Facts.Routes.Verify = ""
		b.intercept = func(_ http.ResponseWriter, r *http.Request) bool {
			return r.URL.Path == "/api/v1/auth/user/" && r.Header.Get("Authorization") != ""
		}
	},
	"the route to verify tokens, the other alike for all": func(b *bench) {
		b.cookies, b.cookieID = true, true
		b.intercept = func(_ http.ResponseWriter, r *http.Request) bool { return r.URL.Path == "/api/v1/auth/token/verify/" }
	},
}

// A server that has just accepted a random key gets no password, whatever else it
// answers and whoever the account belongs to. Nor does one to whose address nobody
// said yes.
func TestNoPasswordForAServerThatTakesAnyToken(t *testing.T) {
	for name, change := range anyToken {
		for _, yes := range []string{"", "https://another.example.com", "temp-user"} {
			t.Run(name+" "+yes, func(t *testing.T) {
				b := newBench(t).account()
				b.run.Answers.LoginAnyway = yes
				if yes == "temp-user" {
					b.run.Answers.TempUser = true
					b.run.Django = noUser{t: t}
				}
				change(b)
				answer := b.intercept
				b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path == "/api/v1/auth/login/" {
						t.Error("the login was asked")
					}
					return answer(w, r)
				}
				findings, err := b.apply()
				f, ok := finding.Overrulable(findings)
				if err == nil || !ok || f.Code != "login-withheld" || f.File != b.server.URL || !strings.Contains(f.Ask.Rendered(), b.server.URL) || f.Severity != finding.Error {
					t.Errorf("error %v, findings %+v", err, findings)
				}
				b.wantLine(steps.LineLogin, steps.MarkFailed, "no password was sent")
			})
		}
	}
}

// noUser is a Django that signs nothing and of which no account may be asked.
type noUser struct {
	steps.Django
	t *testing.T
}

func (noUser) Sign(context.Context, string, string, []byte) ([]byte, error) {
	return nil, errors.New("it cannot")
}

func (n noUser) CreateUser(context.Context) (steps.Account, error) {
	n.t.Error("an account was made")
	return steps.Account{}, errors.New("no")
}

// A yes is for this address, and then the login is tried.
func TestAPersonMayLogInAllTheSame(t *testing.T) {
	for name, change := range anyToken {
		t.Run(name, func(t *testing.T) {
			b := newBench(t).account()
			change(b)
			findings, _ := b.apply()
			f, _ := finding.Overrulable(findings)
			if err := b.run.Overrule(f); err != nil {
				t.Fatal(err)
			}
			asked := false
			answer := b.intercept
			b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
				asked = asked || r.URL.Path == "/api/v1/auth/login/"
				return answer(w, r)
			}
			if findings, _ := b.apply(); !asked || finding.Has(findings, "login-withheld") {
				t.Errorf("asked %t, findings %+v", asked, findings)
			}
		})
	}
}

// A route that the project names cannot send a request to another address.
func TestARouteStaysAtTheAddress(t *testing.T) {
	for _, path := range []string{"@evil.example.com/login/", ".evil.example.com/login/", "1/login/", ":1/", "x@127.0.0.1:1/"} {
		b := newBench(t).account()
		b.run.Project.Facts.Routes.Login = path
		findings, err := b.apply()
		if err == nil || !finding.Has(findings, "server-unreachable") || b.logins > 0 {
			t.Errorf("%s: %v, %+v", path, err, findings)
		}
		b.wantLine(steps.LineLogin, steps.MarkFailed, "")
	}
	b := newBench(t).account()
	b.run.Project.Facts.Routes.Login = "//evil.example.com/login/"
	if _, err := b.apply(); err == nil || b.logins > 0 {
		t.Error(err)
	}
}
