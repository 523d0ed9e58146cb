package edits

import (
	"testing"

	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// The line of an earlier key says what it was, and only that line does.
func TestAnEarlierKeySaysWhatItWas(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "SECRET_KEY=x\n", nil)
	old := stepstest.Key()
	run.Key, run.Previous = run.Secret(stepstest.Key()), run.Secret(old)
	note := func(line string) string {
		text, note := mask(run, public{}, line)
		if text == line {
			t.Errorf("the value is shown: %q", note)
		}
		return note
	}
	if got, want := note("JWT_SECRET_KEY="+old), "previous, "+run.Previous.Fingerprint(); got != want {
		t.Errorf("the previous key: %q, want %q", got, want)
	}
	for _, line := range []string{"JWT_SECRET_KEY=" + stepstest.Key(), "SECRET_KEY=" + old} {
		if got := note(line); got != "" {
			t.Errorf("another line: %q", got)
		}
	}
	run.Project.Findings = append(run.Project.Findings, finding.New(finding.JWTKeyEqualsSecretKey, ""))
	if got := note("JWT_SECRET_KEY=" + old); got != "same as SECRET_KEY" {
		t.Errorf("the key of SECRET_KEY: %q", got)
	}
}

// A long value is cut, and a short one is whole.
func TestShorten(t *testing.T) {
	t.Parallel()
	if a, b := shorten("abc", 3), shorten("abcé", 3); a != "abc" || b != "abc…" {
		t.Errorf("%q, %q", a, b)
	}
}
