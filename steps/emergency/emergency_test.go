package emergency

import (
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/prose"
)

// The commands are pasted into a shell, and names of folders come from a repository
// of anyone's.
func TestCommandsCanBePasted(t *testing.T) {
	for settings, want := range map[string]string{
		"config/settings.py":       "git log --oneline -S JWT_SECRET_KEY -- :/config/settings.py",
		"a $(touch x)/settings.py": "git log --oneline -S JWT_SECRET_KEY -- ':/a $(touch x)/settings.py'",
		"":                         "git log --oneline -S JWT_SECRET_KEY -- SETTINGS",
	} {
		for _, c := range []Change{{Settings: settings}, {Settings: settings, Commit: "1a2b3c4", Earlier: 2}} {
			if text := Text(PlanFor(c, time.Now()), func(t prose.Text) []string { return []string{t.Rendered()} }); !strings.Contains(text, want) {
				t.Errorf("want %s in\n%s", want, text)
			}
		}
	}
}
