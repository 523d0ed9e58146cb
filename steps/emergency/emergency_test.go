package emergency

import (
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
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

// What is copied runs as it stands: no placeholder is in it, and each part of the revert
// waits for the one before it.
func TestWhatIsCopiedRunsAsItStands(t *testing.T) {
	for want, c := range map[string]Change{
		"": {},
		"git log --oneline -S JWT_SECRET_KEY -- :/app/settings.py":                                  {Settings: "app/settings.py"},
		"git revert --no-commit 1a2b3c4 && git commit -m 'Revert the JWT key requirement, for now'": {Settings: "app/settings.py", Commit: "1a2b3c4"},
	} {
		if got := Runnable(PlanFor(c, time.Now())); got != want {
			t.Errorf("copied %q, want %q", got, want)
		}
	}
}

// The fallback reads the variable by its name, and the settings' own names stay.
func TestTheFallbackIsPython(t *testing.T) {
	t.Parallel()
	c := Change{names: steps.Names{Key: "SHOP_JWT_KEY", SecretKey: "DJANGO_SECRET_KEY"}}
	text := Text(PlanFor(c, time.Now()), func(t prose.Text) []string { return []string{t.Rendered()} })
	for _, line := range []string{"JWT_SECRET_KEY = config('SHOP_JWT_KEY', default=None)", "= JWT_SECRET_KEY or SECRET_KEY\n", "-S SHOP_JWT_KEY"} {
		if !strings.Contains(text, line) {
			t.Errorf("%q is not in:\n%s", line, text)
		}
	}
}
