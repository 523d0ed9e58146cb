package write

import (
	"strings"
	"testing"

	"dj/keysplit/steps/stepstest"
)

func TestTheRealRailway(t *testing.T) {
	server := stepstest.RealRailway(t)
	starts := traced(t, "railway")
	const name = "JWT_SECRET_KEY"
	other, earlier := stepstest.Key(), stepstest.Key()

	for spec, place := range map[string]string{"railway:web": "production-id", "railway:web@staging": "staging-id"} {
		for _, old := range []*string{nil, &earlier} {
			project, environment := "shop", strings.TrimSuffix(place, "-id")
			vars := map[string]*string{"OTHER": &other, "SEALED": nil, "RAILWAY_PROJECT_NAME": &project, "RAILWAY_ENVIRONMENT_NAME": &environment}
			if old != nil {
				vars[name] = old
			}
			server.Vars = map[string]map[string]*string{place: vars}
			server.Changes = nil
			run, target := realTarget(t, spec)
			said, err := bring(run, target)
			if err != nil {
				t.Fatal(err)
			}
			key := run.Key.Reveal()
			if got := vars[name]; got == nil || *got != key || *vars["OTHER"] != other || len(server.Changes) != 1 || server.Changes[0] != `{"JWT_SECRET_KEY":"`+key+`"}` {
				t.Errorf("%s: the key is not there, or something else changed in %d requests", spec, len(server.Changes))
			}
			if !strings.Contains(said, "Railway service web, environment "+environment+", project shop") {
				t.Errorf("%s: it does not say where that is: %s", spec, said)
			}
			again, _ := Targets([]string{spec})
			if plan, err := again[0].Plan(t.Context(), run); err != nil || !plan.Nothing {
				t.Errorf("%s: a second run: %+v, %v", spec, plan, err)
			}
			undone, err := undo(run)
			if err != nil {
				t.Fatal(err)
			}
			got, there := vars[name]
			if there != (old != nil) || there && (got == nil || *got != *old) || *vars["OTHER"] != other {
				t.Errorf("%s: after the undo it is there: %t, before: %t", spec, there, old != nil)
			}
			for _, secret := range []string{key, other, earlier} {
				noLeak(t, run, secret, map[string]string{"what was said": said, "the undo": undone, "how railway was started": starts()})
			}
		}
	}

	// A sealed variable: it is replaced, and never shown.
	server.Vars = map[string]map[string]*string{"production-id": {name: nil}}
	run, target := realTarget(t, "railway:web")
	said, err := bring(run, target)
	if err != nil || !strings.Contains(said, "a value that cannot be read") || !strings.Contains(said, "not compared") {
		t.Errorf("a sealed variable: %v\n%s", err, said)
	}
	_, err = undo(run)
	wantCode(t, err, "place-not-restored")

	server.Changes = nil
	refused(t, "railway:nothing", "place-not-found")
	refused(t, "railway:web@nothing", "place-not-found")
	refused(t, "railway:web@vault", "access-denied")
	if len(server.Wrong) > 0 {
		t.Errorf("not understood: %v", server.Wrong)
	}
	server.LogIn(t, true, false)
	refused(t, "railway:web", "place-not-found")
	server.LogIn(t, false, true)
	refused(t, "railway:web", "tool-not-logged-in")
	server.LogOut(t)
	refused(t, "railway:web", "tool-not-logged-in")
	t.Setenv("RAILWAY_TOKEN", stepstest.Key())
	refused(t, "railway:web", "tool-not-logged-in")
	server.LogIn(t, true, true)
	t.Setenv("RAILWAY_BACKBOARD_URL", "http://127.0.0.1:1")
	refused(t, "railway:web", "place-unreachable")
	if len(server.Changes) > 0 {
		t.Errorf("%d requests changed something", len(server.Changes))
	}
}
