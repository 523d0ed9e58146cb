package smoketest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// visits notes which requests came, beside what the bench does with them.
func (b *bench) visits(then func(w http.ResponseWriter, r *http.Request) bool) func() []string {
	var mu sync.Mutex
	var seen []string
	b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		mu.Lock()
		seen = append(seen, r.Method+" "+r.URL.Path)
		mu.Unlock()
		return then != nil && then(w, r)
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(seen)
	}
}

// Throttles count a GET of the login as well: it is asked so only where a CSRF token is
// missed, and has no other source.
func TestTheLoginIsNotAskedByGet(t *testing.T) {
	const login = "/api/v1/auth/login/"
	b := newBench(t).account()
	b.cookies = true
	seen := b.visits(nil)
	b.wantPass(steps.LineLogin)
	if got := seen(); slices.Contains(got, "GET "+login) || !slices.Contains(got, "GET /api/v1/auth/csrf/") {
		t.Errorf("%q", got)
	}

	b = newBench(t).account()
	b.cookies = true
	b.run.Project.Facts.Routes.CSRF = ""
	seen = b.visits(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && r.URL.Path == login {
			http.SetCookie(w, &http.Cookie{Name: "csrftoken", Value: newKey()})
			return true
		}
		return false
	})
	b.wantPass(steps.LineLogin)
	got := seen()
	if post, get := slices.Index(got, "POST "+login), slices.Index(got, "GET "+login); post < 0 || get < post || b.logins != 2 {
		t.Errorf("%q, %d logins", got, b.logins)
	}
}

// The field of the name is a guess too: a form that wants another one says so before it
// looks at any password.
func TestALoginWithAnotherField(t *testing.T) {
	for name, c := range map[string]struct {
		says   string
		passes bool
	}{
		"email":                {`{"email":["This field is required."]}`, true},
		"nothing of its field": {`{"non_field_errors":["Wrong."]}`, false},
		"the field that came":  {`{"username":["Too short."]}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t).account()
			posts := 0
			b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/api/v1/auth/login/" {
					return false
				}
				if posts++; posts == 2 {
					b.give(w, "access", "refresh")
					return true
				}
				w.WriteHeader(http.StatusBadRequest)
				fmt.Fprint(w, c.says)
				return true
			}
			if c.passes {
				b.wantPass(steps.LineLogin)
			} else if b.wantFail("login-rejected"); posts != 1 {
				t.Errorf("%d attempts", posts)
			}
		})
	}
}

// A route that only the guide has, and the backend has not, is no fault of the backend.
func TestAnAssumedRouteThatIsNotThere(t *testing.T) {
	for _, path := range []string{"login", "token/refresh", "user"} {
		b := newBench(t).account()
		b.visits(nil)
		b.run.Project.Facts.Routes.Login, b.run.Project.Facts.Routes.Refresh = "", ""
		if path != "login" { // only the guide's refresh is tried where nothing is known at all
			b.run.Project.Facts = nil
		}
		b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/api/v1/auth/"+path+"/" {
				return false
			}
			http.NotFound(w, r)
			return true
		}
		found, err := b.apply()
		if err != nil || len(found) != 1 || found[0].Code != "route-unknown" || found[0].Severity != finding.Warning || !strings.Contains(found[0].Fix.Rendered(), " PATH") {
			t.Fatalf("%s: %v, %+v", path, err, found)
		}
		if path == "user" { // one that a person named is no better
			b.run.Options.Routes.Protected = "/api/v1/auth/user/"
			if found, err := b.apply(); err != nil || !finding.Has(found, "route-unknown") {
				t.Errorf("named: %v, %+v", err, found)
			}
		}
		line := map[string]string{"login": steps.LineLogin, "token/refresh": steps.LineRefresh, "user": steps.LineProtected}[path]
		b.wantLine(line, steps.MarkWarn, "not verified")
	}
	// One that the project's Django named is another matter.
	b := newBench(t).account()
	b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/api/v1/auth/login/" {
			return false
		}
		http.NotFound(w, r)
		return true
	}
	b.wantFail("login-no-token", "There is no login", "keysplit --login PATH")
	// Where nothing else shows the key either, nothing is passed.
	b.run.Project.Facts.Routes.Login, b.run.Project.Facts.Routes.Verify, b.run.Project.Facts.Routes.Protected = "", "", ""
	if found, err := b.apply(); err == nil || !finding.Has(found, "proof-inconclusive") {
		t.Errorf("%v, %+v", err, found)
	}
}

// Where none of the routes that keysplit assumes for the proof is there, that is said, and
// how to name one: it is no word about the backend. With a route that is named, all is proved.
func TestNoAssumedRouteIsThere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		protected string
		passes    bool
	}{"none named": {"", false}, "one that is not there": {"/nothing/", false}, "the right one": {"/whoami/", true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.verify, b.run.Project.Facts, b.run.Options.Routes.Protected = false, nil, c.protected
			b.visits(func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/whoami/" {
					r.URL.Path = "/api/v1/auth/user/"
					return false
				}
				http.NotFound(w, r)
				return true
			})
			found, err := b.apply()
			if c.passes {
				if err != nil {
					t.Errorf("%v, %+v", err, found)
				}
				b.wantLine(steps.LineFresh, steps.MarkOK, "connections")
				return
			}
			if err == nil || len(found) != 1 || found[0].Code != "proof-inconclusive" || !strings.Contains(found[0].Message.Rendered(), "not verified") ||
				!strings.Contains(found[0].Fix.Rendered(), "keysplit --protected PATH") {
				t.Errorf("%v, %+v", err, found)
			}
			b.wantLine(steps.LineFresh, steps.MarkWarn, "not verified: /api/v1/auth/token/verify/ and ")
			b.wantLine(steps.LineControl, steps.MarkWarn, "not verified")
		})
	}
}
