package steps

import (
	"errors"
	"testing"

	"dj/keysplit/steps/finding"
)

// What a person has overruled counts no more, wherever it was found; another file's
// does. What asks nothing cannot be overruled.
func TestWhatIsOverruledCountsNoMore(t *testing.T) {
	t.Parallel()
	first := finding.New("login-withheld", "").At("https://a.example.com", 0).Asking("Send it?")
	other := first.At("https://b.example.com", 0)
	e, run := engineOf(&fake{name: Preflight, apply: Fail(first, other)})
	if _, err := e.Plan(t.Context(), Preflight, nil); err != nil {
		t.Fatal(err)
	}
	_ = e.Apply(t.Context(), Preflight, nil)
	if found := e.Findings(); len(found) != 2 {
		t.Fatalf("%+v", found)
	}
	if err := run.Overrule(first); err != nil || run.Answers.LoginAnyway != first.File {
		t.Fatal(err)
	}
	if found := e.Findings(); len(found) != 1 || found[0].File != other.File {
		t.Errorf("%+v", found)
	}
	if err := run.Overrule(finding.New("env-file-unreadable", "")); !errors.Is(err, ErrUsage) {
		t.Errorf("error %v", err)
	}
}

// A server that was not restarted is told of until the proof sees that it was.
func TestASkippedRestartIsForgottenOnceItIsProved(t *testing.T) {
	t.Parallel()
	e, _ := engineOf(&fake{name: Preflight}, &fake{name: Generate}, &fake{name: Write}, &fake{name: Distinct},
		&fake{name: Restart, apply: Fail(finding.New(finding.ServerStaleKey, ""))}, &fake{name: SmokeTest})
	for _, n := range []Name{Preflight, Generate, Write, Distinct} {
		pass(t, e, n)
	}
	if _, err := e.Plan(t.Context(), Restart, nil); err != nil || e.Apply(t.Context(), Restart, nil) == nil || e.Skip(Restart, nil) != nil {
		t.Fatalf("the restart does not fail: %v", err)
	}
	if !finding.Has(e.Findings(), finding.ServerStaleKey) {
		t.Error("it is forgotten before anything is proved")
	}
	if pass(t, e, SmokeTest); len(e.Findings()) > 0 {
		t.Errorf("it is told of beside the proof: %v", e.Findings())
	}
}
