package verify

import (
	"testing"

	"dj/keysplit/steps"
)

// Only what Django calls a warning or worse is counted.
func TestChecksInWords(t *testing.T) {
	t.Parallel()
	level := func(levels ...int) (all []steps.SystemCheck) {
		for _, l := range levels {
			all = append(all, steps.SystemCheck{Level: l})
		}
		return all
	}
	for want, checks := range map[string][]steps.SystemCheck{
		"no issues": level(10, 20, 25), "1 warning": level(20, 30), "2 warnings": level(30, 10, 40),
	} {
		if got := checksInWords(checks); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if short("abc") != "abc" || short("abcdefgh") != "abcdef" {
		t.Errorf("%q, %q", short("abc"), short("abcdefgh"))
	}
}
