package write

import (
	"os"
	"strings"
	"testing"

	"dj/keysplit/steps"
)

func TestByHandSaysWhereTheKeyLiesAndClaimsNothing(t *testing.T) {
	run, target := oneTarget(t, "manual:the vault of the bank")
	if err := run.Journal.Choose(run.Key, run.Specs()); err != nil {
		t.Fatal(err)
	}
	file := run.Journal.ChosenFile()
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	plan, err := target.Plan(t.Context(), run)
	if err != nil || plan.Question == "" || !strings.Contains(strings.Join(plan.Details, " "), file) || !strings.Contains(plan.Summary, "the vault of the bank") {
		t.Fatalf("plan %+v, %v", plan, err)
	}
	run.Options.Unattended = false
	said, err := bring(run, target)
	if err != nil || !strings.Contains(said, `"mark":"warn"`) || strings.Contains(said, `"mark":"ok"`) {
		t.Errorf("%s, %v", said, err)
	}
	noLeak(t, run, run.Key.Reveal(), map[string]string{"what was said": said})
	if err := run.LookAround(t.Context()); err != nil || !run.Held[0].There || run.Held[0].Readable {
		t.Errorf("afterwards: %+v, %v", run.Held, err)
	}
	if _, err := undo(run); err != nil || len(run.Left) != 1 || !strings.Contains(run.Left[0], "the vault of the bank") {
		t.Errorf("undo: %v, left %v", err, run.Left)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the key is still on the disk")
	}
}

func TestByHandNeedsAPerson(t *testing.T) {
	run, target := oneTarget(t, "manual")
	run.Options.Unattended = true
	_, err := bring(run, target)
	wantCode(t, err, "by-hand-only")
	if len(run.Journal.Deliveries()) != 0 {
		t.Error("it was recorded as done")
	}
	run.Key = steps.Secret{}
	if plan, err := target.Plan(t.Context(), run); err != nil || !plan.Nothing {
		t.Errorf("with nothing to set: %+v, %v", plan, err)
	}
}
