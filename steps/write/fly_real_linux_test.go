package write

import (
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

func TestTheRealFly(t *testing.T) {
	server := stepstest.RealFly(t)
	starts := traced(t, "fly")
	other := server.Secrets["OTHER"]
	begin := func(spec string) (*steps.Run, steps.Target) {
		run, target := oneTarget(t, spec)
		// Less than fly waits for the two machines: 10 seconds each.
		run.Options.Timeout = 15 * time.Second
		return run, target
	}

	run, target := begin("fly:shop")
	said, err := bring(run, target)
	if err != nil {
		t.Fatalf("%v\n%s\nnot understood: %v", err, said, server.Wrong)
	}
	key := run.Key.Reveal()
	if server.Secrets["JWT_SECRET_KEY"] != key || server.Secrets["OTHER"] != other || len(server.Changes) != 1 || server.Changes[0] != `{"values":{"JWT_SECRET_KEY":"`+key+`"}}` {
		t.Errorf("the key is not there, or something else changed in %d requests", len(server.Changes))
	}
	if server.Updates != 2 || !strings.Contains(said, "as ada@example.com") {
		t.Errorf("%d machines were restarted; said %s", server.Updates, said)
	}
	again, _ := Targets([]string{"fly:shop"})
	if plan, err := again[0].Plan(t.Context(), run); err != nil || !plan.Nothing {
		t.Errorf("a second run: %+v, %v", plan, err)
	}
	undone, err := undo(run)
	if err != nil {
		t.Fatal(err)
	}
	if _, there := server.Secrets["JWT_SECRET_KEY"]; there || server.Secrets["OTHER"] != other || server.Updates != 4 {
		t.Errorf("after the undo it is there: %t, and %d machines were restarted", there, server.Updates)
	}
	noLeak(t, run, key, map[string]string{"what was said": said, "the undo": undone, "how fly was started": starts()})

	// A value from before cannot be restored.
	server.Secrets["JWT_SECRET_KEY"] = stepstest.Key()
	run, target = begin("fly:shop")
	if _, err := bring(run, target); err != nil || server.Secrets["JWT_SECRET_KEY"] != run.Key.Reveal() {
		t.Errorf("over another value: %v", err)
	}
	_, err = undo(run)
	wantCode(t, err, "place-not-restored")
	if len(server.Wrong) > 0 {
		t.Errorf("not understood: %v", server.Wrong)
	}

	// The machines do not come up with it: that is said, and the key can be taken out.
	delete(server.Secrets, "JWT_SECRET_KEY")
	server.Crashes = true
	run, target = begin("fly:shop")
	_, err = bring(run, target)
	wantCode(t, err, "restart-failed")
	server.Crashes = false
	for _, m := range server.Machine {
		m["events"] = []any{}
	}
	if _, err := undo(run); err != nil || server.Secrets["JWT_SECRET_KEY"] != "" {
		t.Errorf("after a failed deployment: %v", err)
	}

	server.Changes = nil
	refused(t, "fly:nothing", "place-not-found")
	refused(t, "fly:theirs", "access-denied")
	server.LogIn(t, false)
	refused(t, "fly:shop", "tool-not-logged-in")
	server.LogOut(t)
	refused(t, "fly:shop", "tool-not-logged-in")
	server.LogIn(t, true)
	t.Setenv("FLY_FLAPS_BASE_URL", "http://127.0.0.1:1")
	refused(t, "fly:shop", "place-unreachable")
	if len(server.Changes) > 0 {
		t.Errorf("%d requests changed something", len(server.Changes))
	}
}
