package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/grace"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/write"
)

// What is said of a grace period is what is so: what is left to do, what is proved, and
// whether anything was changed.
func TestWhatIsSaidOfAGracePeriod(t *testing.T) {
	t.Parallel()
	const (
		done     = "Done: write x"
		same     = "Nothing was changed."
		settings = "jwt_grace.GraceConfig"
		unproved = "The previous key is not proved"
		unsure   = "SECRET_KEY cannot be read there"
		restart  = "Then restart the backend."
		byHand   = "Bring JWT_PREVIOUS_SECRET_KEY and JWT_PREVIOUS_SECRET_KEY_UNTIL"
		once     = "Once both are there, tokens"
		longer   = "keysplit grace --hours N"
		back     = "keysplit rollback"
	)
	all := []string{done, same, settings, unproved, unsure, restart, byHand, once, longer, back}
	for name, c := range map[string]struct {
		g      grace.Grace
		named  bool // the settings name the module
		target string
		says   []string
	}{
		"a new one":                       {grace.Grace{Proved: true, Changes: []string{"write x"}}, false, "", []string{done, settings, restart, back}},
		"of a key that is not proved":     {grace.Grace{Changes: []string{"write x"}}, false, "", []string{done, settings, unproved, restart, back}},
		"it goes on":                      {grace.Grace{Proved: true, Goes: true}, true, "", []string{same, longer, back}},
		"so, and the settings lack lines": {grace.Grace{Proved: true, Goes: true}, false, "", []string{same, settings, restart, longer, back}},
		"it goes on, with a change":       {grace.Grace{Proved: true, Goes: true, Changes: []string{"write x"}}, true, "", []string{done, settings, restart, back}},
		"in a store":                      {grace.Grace{Proved: true, Unsure: true, File: "/state/backup-1", Changes: []string{"write x"}}, false, "fly:shop", []string{done, settings, unsure, restart, byHand, once}},
	} {
		run := stepstest.NewRun(t, "JWT_SECRET_KEY="+stepstest.Key()+"\n", nil)
		c.g.Module, c.g.Settings, c.g.Until = filepath.Join(run.Project.Root, grace.FileName), []string{"INSTALLED_APPS += ['jwt_grace.GraceConfig']"}, time.Now()
		run.Project.SettingsFile = filepath.Join(run.Project.Root, "settings.py")
		text := "A = 1\n"
		if c.named {
			text = "INSTALLED_APPS += ['jwt_grace.GraceConfig']\n"
		}
		if err := os.WriteFile(run.Project.SettingsFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if c.target != "" {
			targets, err := write.Targets([]string{c.target})
			if err != nil {
				t.Fatal(err)
			}
			run.Targets = targets
		}
		var o bytes.Buffer
		(&graceOptions{}).tell(t.Context(), run, newPlain(IO{Out: &o, Err: &o}, &speech{noColor: true}), &c.g)
		said := strings.Join(strings.Fields(o.String()), " ")
		for _, part := range all {
			if want := strings.Contains(strings.Join(c.says, "|"), part); strings.Contains(said, part) != want {
				t.Errorf("%s: it says %q: %t\n%s", name, part, !want, o.String())
			}
		}
		if !strings.Contains(said, "tokens of the previous key are accepted until") && !strings.Contains(said, "Tokens of the previous key are accepted until") {
			t.Errorf("%s: no deadline\n%s", name, o.String())
		}
	}
}
