package write

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/vendor"
)

// herokuFake is the part of the Platform API that is used, as its reference
// describes it.
type herokuFake struct {
	t     *testing.T
	mu    sync.Mutex
	token string
	vars  map[string]string
	fail  int // a status for every answer, 0 for none
	slow  time.Duration
	body  string // of the last PATCH
}

func (h *herokuFake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	time.Sleep(h.slow)
	if r.Header.Get("Accept") != "application/vnd.heroku+json; version=3" {
		h.t.Errorf("Accept: %q", r.Header.Get("Accept"))
	}
	switch {
	case h.fail == http.StatusFound:
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
		return
	case h.fail != 0:
		w.WriteHeader(h.fail)
		_ = json.NewEncoder(w).Encode(h.vars) // a server that says too much
		return
	case r.Header.Get("Authorization") != "Bearer "+h.token:
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /oauth/authorizations": // asked by heroku auth:token, for the day that it ends
		_, _ = io.WriteString(w, `[{"access_token":{"token":"`+h.token+`","expires_in":86400},"user":{"email":"ada@example.com"}}]`)
		return
	case "GET /account":
		_, _ = io.WriteString(w, `{"email":"ada@example.com"}`)
		return
	case "GET /apps/shop/config-vars":
	case "PATCH /apps/shop/config-vars":
		if r.Header.Get("Content-Type") != "application/json" {
			h.t.Errorf("Content-Type: %q", r.Header.Get("Content-Type"))
		}
		b, _ := io.ReadAll(r.Body)
		h.body = string(b)
		var change map[string]*string
		if err := json.Unmarshal(b, &change); err != nil {
			h.t.Errorf("body: %v", err)
		}
		for k, v := range change {
			if v == nil {
				delete(h.vars, k)
			} else {
				h.vars[k] = *v
			}
		}
	default:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_ = json.NewEncoder(w).Encode(h.vars)
}

// herokuBench makes a run whose one target talks to the fake.
func herokuBench(t *testing.T) (*herokuFake, *steps.Run, *remote) {
	t.Helper()
	fake := &herokuFake{t: t, token: stepstest.Key(), vars: map[string]string{"OTHER": "x", "SECRET_KEY": stepstest.Key()}}
	run, target := oneTarget(t, "heroku:shop")
	run.Environ = func(name string) (string, bool) { return fake.token, name == "HEROKU_API_KEY" }
	r := target.(*remote)
	r.store.(*vendor.Heroku).API = stepstest.Serve(t, fake)
	return fake, run, r
}

func TestHerokuSetsOneConfigVar(t *testing.T) {
	t.Parallel()
	for _, old := range []string{"", stepstest.Key()} {
		fake, run, target := herokuBench(t)
		if old != "" {
			fake.vars["JWT_SECRET_KEY"] = old
		}
		said, err := bring(run, target)
		if err != nil {
			t.Fatal(err)
		}
		key := run.Key.Reveal()
		if fake.vars["JWT_SECRET_KEY"] != key || fake.vars["OTHER"] != "x" || len(fake.vars) != 3 {
			t.Errorf("config vars: %d of them", len(fake.vars))
		}
		if fake.body != `{"JWT_SECRET_KEY":"`+key+`"}` {
			t.Error("the request changes more than the one config var")
		}
		if !strings.Contains(said, "ada@example.com") || !strings.Contains(said, "Heroku app shop") {
			t.Errorf("the plan does not say which app and account: %s", said)
		}
		noLeak(t, run, key, map[string]string{"what was said": said})
		noLeak(t, run, fake.token, map[string]string{"what was said": said})
		var events stepstest.Events
		d := run.Journal.Deliveries()[0]
		if err := target.undo(t.Context(), run, d, events.Emit); err != nil {
			t.Fatal(err)
		}
		if got, there := fake.vars["JWT_SECRET_KEY"]; got != old || there != (old != "") {
			t.Errorf("after the undo it is there: %t, as before: %t", there, got == old)
		}
	}
}

// What is there beside the key is seen too: SECRET_KEY to compare it with, and a grace period.
func TestWhatHerokuHolds(t *testing.T) {
	t.Parallel()
	fake, run, target := herokuBench(t)
	second, until := steps.GraceNames("JWT_SECRET_KEY")
	fake.vars[second], fake.vars[until] = stepstest.Key(), "20300101T000000Z"
	held, err := target.Look(t.Context(), run)
	if err != nil || held.There || held.SecretKey.Reveal() != fake.vars["SECRET_KEY"] || pairOf(held) != (journal.Pair{Second: fake.vars[second], Until: fake.vars[until]}) {
		t.Errorf("%+v, %v", held, err)
	}
}

func TestHerokuIsNotPutBackOverSomeoneElsesChange(t *testing.T) {
	t.Parallel()
	fake, run, target := herokuBench(t)
	if _, err := bring(run, target); err != nil {
		t.Fatal(err)
	}
	theirs := stepstest.Key()
	fake.vars["JWT_SECRET_KEY"] = theirs
	var events stepstest.Events
	d := run.Journal.Deliveries()[0]
	wantCode(t, target.undo(t.Context(), run, d, events.Emit), "place-conflict")
	if fake.vars["JWT_SECRET_KEY"] != theirs {
		t.Error("their change is gone")
	}
	run.Options.Force = true
	if err := target.undo(t.Context(), run, d, events.Emit); err != nil {
		t.Fatal(err)
	}
	if _, there := fake.vars["JWT_SECRET_KEY"]; there {
		t.Error("by force it was not taken out")
	}
}

func TestWhatCanGoWrongWithHeroku(t *testing.T) {
	t.Parallel()
	t.Attr("part", "hostile programs of managers")
	for status, code := range map[int]finding.Code{
		http.StatusUnauthorized: "tool-not-logged-in", http.StatusForbidden: "access-denied",
		http.StatusNotFound: "place-not-found", http.StatusTooManyRequests: "place-unreachable",
	} {
		fake, run, target := herokuBench(t)
		fake.fail = status
		said, err := bring(run, target)
		wantCode(t, err, code)
		noLeak(t, run, fake.vars["SECRET_KEY"], map[string]string{"what was said": said})
	}
	for _, status := range []int{http.StatusFound, http.StatusInternalServerError} {
		fake, run, target := herokuBench(t)
		fake.fail = status
		if said, err := bring(run, target); err == nil || holdsPart(said, fake.vars["SECRET_KEY"]) || holdsPart(said, fake.token) {
			t.Errorf("%d: error %v", status, err)
		}
	}
	fake, run, target := herokuBench(t)
	fake.slow, run.Options.Timeout = 400*time.Millisecond, 100*time.Millisecond
	_, err := bring(run, target)
	wantCode(t, err, "place-unreachable")

	fake, run, target = herokuBench(t)
	run.Environ = stepstest.LookupEnv(t, nil)
	program := stepstest.NewTool(t, "heroku", `[ "$1" = auth:token ] && echo `+fake.token)
	if _, err := bring(run, target); err != nil || program.Argv() == "" {
		t.Errorf("with the program's own login: %v", err)
	}
	stepstest.NewTool(t, "heroku", "echo ' ›   Error: not logged in' >&2; exit 100")
	_, err = bring(run, target)
	wantCode(t, err, "tool-not-logged-in")
}
