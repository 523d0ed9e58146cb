package write

import (
	"net/http"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/vendor"
)

// The real heroku gives the token of its login; the value goes to the Platform API.
func TestTheRealHeroku(t *testing.T) {
	fake := &herokuFake{t: t, token: stepstest.Key(), vars: map[string]string{"OTHER": "x", "SECRET_KEY": stepstest.Key()}}
	server := stepstest.Serve(t, fake)
	logIn := stepstest.RealHeroku(t, server)
	starts := traced(t, "heroku")
	begin := func(spec string) (*steps.Run, steps.Target) {
		run, target := oneTarget(t, spec)
		run.Options.Timeout = 60 * time.Second
		target.(*remote).store.(*vendor.Heroku).API = server
		return run, target
	}

	logIn(fake.token)
	run, target := begin("heroku:shop")
	said, err := bring(run, target)
	if err != nil {
		t.Fatal(err)
	}
	key := run.Key.Reveal()
	if fake.body != `{"JWT_SECRET_KEY":"`+key+`"}` || fake.vars["JWT_SECRET_KEY"] != key || len(fake.vars) != 3 {
		t.Errorf("the request changes more than the one config var, or not that: %d of them", len(fake.vars))
	}
	var events stepstest.Events
	if err := target.(*remote).undo(t.Context(), run, run.Journal.Deliveries()[0], events.Emit); err != nil {
		t.Fatal(err)
	}
	if _, there := fake.vars["JWT_SECRET_KEY"]; there || len(fake.vars) != 2 {
		t.Errorf("after the undo it is there: %t, and %d config vars are", there, len(fake.vars))
	}
	for _, secret := range []string{key, fake.token} {
		noLeak(t, run, secret, map[string]string{"what was said": said, "how heroku was started": starts()})
	}

	refused := func(code finding.Code) {
		t.Helper()
		run, target := begin("heroku:shop")
		_, err := bring(run, target)
		wantCode(t, err, code)
		if _, there := fake.vars["JWT_SECRET_KEY"]; there {
			t.Error("it was written")
		}
	}
	run, target = begin("heroku:nothing")
	_, err = bring(run, target)
	wantCode(t, err, "place-not-found")
	fake.fail = http.StatusForbidden
	refused("access-denied")
	fake.fail = 0
	// A login that has ended: heroku auth:token gives its token all the same.
	logIn(stepstest.Key())
	refused("tool-not-logged-in")
	logIn("")
	refused("tool-not-logged-in")
}
