package adopt_test

import (
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/adopt"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// A line of the settings is shown without a text that may be a secret, and with names and words.
func TestWhatALineOfTheSettingsShows(t *testing.T) {
	t.Parallel()
	show := adopt.Shown(&steps.Run{Prints: secret.NewFingerprinter(nil)})
	for line, want := range map[string]string{
		`X = "` + stepstest.Key() + `"`:  `X = "••••"`,
		`X = 'hunter2hunter2'`:           `X = '••••'`,
		`X = "shop.settings.Base_two"`:   `X = "shop.settings.Base_two"`,
		`X = "two words of 2026"`:        `X = "two words of 2026"`,
		`X = "short1", "hunter2hunter2"`: `X = "short1", "••••"`,
	} {
		if got := show(line); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
