package restart

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// await restarts an app, or waits for it where the key was just written.
func await(t *testing.T, spec string, wrote bool, limit time.Duration) (said string, found []finding.Finding, err error) {
	t.Helper()
	w := managedWorld(t, spec)
	w.run.Options.Timeout, w.step.StartsWithin = limit, limit
	if wrote {
		delivered(t, w, spec)
	}
	return restarted(t, w)
}

func wantFound(t *testing.T, found []finding.Finding, err error, code finding.Code) {
	t.Helper()
	if err == nil || len(found) != 1 || found[0].Code != code {
		t.Errorf("error %v, findings %v, want %s alone", err, found, code)
	}
}

// dynos answers as the part of Heroku's Platform API that is about releases and
// dynos (devcenter.heroku.com/articles/platform-api-reference).
type dynos struct {
	mu        sync.Mutex
	token     string
	statuses  []string // of the latest release, at each look; the last one stays
	released  time.Time
	started   time.Time // the dynos
	state     string    // theirs
	restarted int
}

func (d *dynos) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	answer := func(code int, v any) { stepstest.AnswerJSON(w, code, v) }
	if r.Header.Get("Authorization") != "Bearer "+d.token {
		answer(http.StatusUnauthorized, map[string]string{"id": "unauthorized", "message": "Invalid credentials provided."})
		return
	}
	release := func(version int, status string, at time.Time, current bool) map[string]any {
		return map[string]any{"version": version, "status": status, "created_at": at.UTC().Format(time.RFC3339), "updated_at": at.UTC().Format(time.RFC3339),
			"id": "r", "description": "Set JWT_SECRET_KEY config vars", "user": map[string]string{"email": "ada@example.com"}, "current": current}
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /apps/shop/releases":
		if !strings.Contains(r.Header.Get("Range"), "order=desc") {
			answer(http.StatusBadRequest, map[string]string{"id": "bad_request", "message": "no order"})
			return
		}
		status := d.statuses[0]
		if len(d.statuses) > 1 {
			d.statuses = d.statuses[1:]
		}
		answer(http.StatusPartialContent, []any{release(8, status, d.released, status == "succeeded"), release(7, "succeeded", time.Now().Add(-time.Hour), status != "succeeded")})
	case "GET /apps/shop/dynos":
		answer(http.StatusOK, []any{map[string]any{"id": d.started.String(), "name": "web.1", "type": "web", "state": d.state, "size": "Basic", "command": "gunicorn",
			"app": map[string]string{"name": "shop"}, "release": map[string]any{"version": 8}, "created_at": d.started.UTC().Format(time.RFC3339), "updated_at": d.started.UTC().Format(time.RFC3339)}})
	case "GET /apps/shop":
		answer(http.StatusOK, map[string]any{"id": "a", "name": "shop", "process_tier": "basic", "owner": map[string]string{"id": "o", "email": "ada@example.com"}})
	case "GET /account":
		answer(http.StatusOK, map[string]any{"id": "o", "email": "ada@example.com"})
	case "DELETE /apps/shop/dynos":
		d.restarted++
		d.started = time.Now()
		answer(http.StatusAccepted, map[string]any{})
	case "GET /apps/theirs/releases":
		answer(http.StatusForbidden, map[string]string{"id": "forbidden", "message": "You do not have access to the app theirs."})
	default:
		answer(http.StatusNotFound, map[string]string{"resource": "app", "id": "not_found", "message": "Couldn't find that app."})
	}
}

func TestTheRealHeroku(t *testing.T) {
	d := &dynos{token: stepstest.Key()}
	logIn := stepstest.RealHeroku(t, stepstest.Serve(t, d))
	logIn(d.token)
	const enough = 60 * time.Second

	d.released, d.started, d.state, d.statuses = time.Now(), time.Now(), "up", []string{"pending", "pending", "succeeded"}
	said, _, err := await(t, "heroku:shop", true, enough)
	if err != nil || len(d.statuses) != 1 || d.restarted != 0 {
		t.Errorf("after a write: error %v, %d restarts\n%s", err, d.restarted, said)
	}
	d.statuses = []string{"pending", "failed"}
	_, found, err := await(t, "heroku:shop", true, enough)
	wantFound(t, found, err, "restart-failed")
	// The release before the write does not count, nor a dyno that crashes with it.
	d.released, d.statuses = time.Now().Add(-10*time.Minute), []string{"succeeded"}
	_, found, err = await(t, "heroku:shop", true, 20*time.Second)
	wantFound(t, found, err, "restart-failed")
	d.released, d.state = time.Now(), "crashed"
	_, found, err = await(t, "heroku:shop", true, enough)
	wantFound(t, found, err, "restart-failed")
	d.state = "up"
	// A restart is of the release that runs, whatever became of the latest.
	for i, status := range []string{"succeeded", "failed"} {
		d.statuses = []string{status}
		if said, _, err = await(t, "heroku:shop", false, enough); err != nil || d.restarted != i+1 {
			t.Errorf("a restart after a release that %s: error %v, %d restarts\n%s", status, err, d.restarted, said)
		}
	}

	for spec, code := range map[string]finding.Code{"heroku:nothing": "place-not-found", "heroku:theirs": "access-denied"} {
		_, found, err = await(t, spec, true, enough)
		wantFound(t, found, err, code)
	}
	for _, token := range []string{stepstest.Key(), ""} {
		logIn(token)
		_, found, err = await(t, "heroku:shop", true, enough)
		wantFound(t, found, err, "tool-not-logged-in")
	}
	t.Setenv("HEROKU_API_KEY", stepstest.Key())
	_, found, err = await(t, "heroku:shop", true, enough)
	wantFound(t, found, err, "tool-not-logged-in")
}

func TestTheRealRailway(t *testing.T) {
	server := stepstest.RealRailway(t)
	server.Vars = map[string]map[string]*string{"production-id": {}, "staging-id": {}}
	const enough = 30 * time.Second

	for _, spec := range []string{"railway:web", "railway:web@staging"} {
		server.Deployed, server.Statuses, server.Again = time.Now(), []string{"QUEUED", "BUILDING", "DEPLOYING", "SUCCESS"}, 0
		if said, _, err := await(t, spec, true, enough); err != nil || len(server.Statuses) != 1 || server.Again != 0 {
			t.Errorf("%s after a write: error %v, %d deployments\n%s", spec, err, server.Again, said)
		}
		if said, _, err := await(t, spec, false, enough); err != nil || server.Again != 1 {
			t.Errorf("%s: a restart: error %v, %d deployments\n%s", spec, err, server.Again, said)
		}
	}
	server.Deployed, server.Statuses = time.Now(), []string{"DEPLOYING", "SLEEPING"}
	if said, _, err := await(t, "railway:web", true, 5*time.Second); err != nil {
		t.Errorf("one that sleeps until a request comes: %v\n%s", err, said)
	}
	for _, status := range []string{"FAILED", "CRASHED"} {
		server.Deployed, server.Statuses = time.Now(), []string{"BUILDING", status}
		_, found, err := await(t, "railway:web", true, enough)
		wantFound(t, found, err, "restart-failed")
	}
	// The deployment before the write does not count.
	server.Deployed, server.Statuses = time.Now().Add(-10*time.Minute), []string{"SUCCESS"}
	_, found, err := await(t, "railway:web", true, 3*time.Second)
	wantFound(t, found, err, "restart-failed")
	if len(server.Wrong) > 0 {
		t.Errorf("not understood: %v", server.Wrong)
	}

	for spec, code := range map[string]finding.Code{"railway:nothing": "place-not-found", "railway:web@nothing": "place-not-found", "railway:web@vault": "access-denied"} {
		_, found, err = await(t, spec, true, enough)
		wantFound(t, found, err, code)
	}
	server.LogIn(t, false, true)
	_, found, err = await(t, "railway:web", false, enough)
	wantFound(t, found, err, "tool-not-logged-in")
	server.LogOut(t)
	_, found, err = await(t, "railway:web", true, enough)
	wantFound(t, found, err, "tool-not-logged-in")
}

func TestTheRealFly(t *testing.T) {
	server := stepstest.RealFly(t)
	const enough = 30 * time.Second
	// set gives the machines a state, as if they were updated some time ago.
	set := func(ago time.Duration, states ...string) {
		for i, state := range states {
			server.Machine[i]["state"] = state
			server.Machine[i]["updated_at"] = time.Now().Add(-ago).UTC().Format(time.RFC3339)
		}
	}
	set(0, "started", "started")
	if said, _, err := await(t, "fly:shop", true, enough); err != nil || server.Updates != 0 {
		t.Errorf("after a write: error %v, %d updates\n%s", err, server.Updates, said)
	}
	// One that was stopped for want of requests has the new key when it starts.
	set(0, "started", "stopped")
	exit := func(code int, requested bool) []any {
		return []any{map[string]any{"id": "e", "type": "exit", "status": "stopped", "source": "flyd", "timestamp": time.Now().UnixMilli(),
			"request": map[string]any{"exit_event": map[string]any{"exit_code": code, "requested_stop": requested, "exited_at": time.Now().UTC().Format(time.RFC3339)}}}}
	}
	server.Machine[1]["events"] = exit(143, true)
	if said, _, err := await(t, "fly:shop", true, enough); err != nil {
		t.Errorf("with one at rest: error %v\n%s", err, said)
	}
	server.Machine[1]["events"] = exit(1, false)
	said, found, err := await(t, "fly:shop", true, enough)
	wantFound(t, found, err, "restart-failed")
	if !strings.Contains(said, "the app says why") {
		t.Errorf("its log is not shown:\n%s", said)
	}
	server.Machine[1]["events"] = []any{}
	// Machines that were not touched since do not count.
	set(10*time.Minute, "started", "started")
	_, found, err = await(t, "fly:shop", true, 3*time.Second)
	wantFound(t, found, err, "restart-failed")
	// A restart brings the secrets as they are to both machines, 10 seconds each.
	if said, _, err := await(t, "fly:shop", false, 10*time.Second); err != nil || server.Updates != 2 {
		t.Errorf("a restart: error %v, %d updates\n%s", err, server.Updates, said)
	}
	if len(server.Wrong) > 0 {
		t.Errorf("not understood: %v", server.Wrong)
	}

	for spec, code := range map[string]finding.Code{"fly:nothing": "place-not-found", "fly:theirs": "access-denied"} {
		_, found, err = await(t, spec, true, enough)
		wantFound(t, found, err, code)
	}
	server.LogIn(t, false)
	_, found, err = await(t, "fly:shop", false, enough)
	wantFound(t, found, err, "tool-not-logged-in")
	server.LogOut(t)
	_, found, err = await(t, "fly:shop", true, enough)
	wantFound(t, found, err, "tool-not-logged-in")
}
