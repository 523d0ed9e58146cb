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
