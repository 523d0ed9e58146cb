package write

import (
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// An account that may not write is refused by the plan, before any place is changed. One
// that may, and one that the place says nothing about, goes on.
func TestWhoMayNotWriteIsToldBeforeAnythingIsWritten(t *testing.T) {
	for may, ok := range map[string]bool{"no": false, "yes": true, "": true} {
		t.Run("kubernetes "+may, func(t *testing.T) {
			a := cluster(t)
			a.may = may
			run, target := oneTarget(t, "kubernetes:backend")
			run.Options.Timeout = 30 * time.Second
			_, err := target.Plan(t.Context(), run)
			if (err == nil) != ok || a.patches != 0 {
				t.Errorf("%v, %d patches", err, a.patches)
			}
			if !ok {
				f := wantCode(t, err, "access-denied")
				if !strings.Contains(f.Fix.Rendered(), "kubectl auth can-i patch secrets/backend") {
					t.Errorf("fix: %s", f.Fix.Rendered())
				}
			}
		})
	}
	for _, c := range []struct {
		kv    int
		may   string
		stage steps.Stage
		ok    bool
	}{
		{2, "read", steps.NoStage, false}, {2, "deny", steps.NoStage, false}, {2, "patch, read", steps.NoStage, true},
		{2, "create, update", steps.NoStage, true}, {2, "root", steps.NoStage, true}, {2, "", steps.NoStage, true},
		{2, "patch, read", steps.Signing, true}, {2, "patch, read", steps.Closing, false}, {2, "update", steps.Closing, true},
		{1, "read", steps.NoStage, false}, {1, "patch, read", steps.NoStage, false}, {1, "update", steps.NoStage, true},
	} {
		m := vaultManager(c.kv)
		k := m.start(stepstest.Key())
		k.May = c.may
		program := m.begin(t, k)
		run, target := oneTarget(t, m.spec)
		run.Stage = c.stage
		if c.stage == steps.Closing { // there is something to take out
			k.Versions[0]["jwt_previous_key"] = stepstest.Key()
			remember(t, program, k)
		}
		_, err := target.Plan(t.Context(), run)
		if (err == nil) != c.ok {
			t.Errorf("KV version %d, %q, stage %q: %v", c.kv, c.may, c.stage, err)
		}
		if !c.ok {
			wantCode(t, err, "access-denied")
		}
		if strings.Contains(program.Argv(), "kv put") || strings.Contains(program.Argv(), "kv patch") {
			t.Error("it was written")
		}
	}
}
