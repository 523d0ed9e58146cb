package preflight

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// fileTarget is a file that another environment's backend reads.
type fileTarget struct {
	*stepstest.Place
	path string
}

func (fileTarget) Local() bool              { return true }
func (f fileTarget) File(*steps.Run) string { return f.path }

// A grace period in force is told, of whichever file the backend reads; one that is
// over is not.
func TestAGracePeriodIsTold(t *testing.T) {
	t.Parallel()
	text := func(until time.Time) string {
		return fmt.Sprintf("SECRET_KEY=%s\nJWT_SECRET_KEY=%s\n%s=%s\n%s='%s'\n", stepstest.Key(), stepstest.Key(),
			steps.GraceKeyName, stepstest.Key(), steps.GraceUntilName, until.Format(time.RFC3339))
	}
	later, before := time.Now().Add(time.Hour).UTC(), time.Now().Add(-time.Hour).UTC()
	none := text(later)
	none = none[:strings.Index(none, steps.GraceKeyName)]
	for name, c := range map[string]struct {
		env, other string
		committed  bool
		told       bool
	}{
		"in force":                    {env: text(later), told: true},
		"over":                        {env: text(before)},
		"none":                        {env: none},
		"in another file":             {env: none, other: text(later), told: true},
		"over in another file":        {env: text(later), other: text(before)},
		"not in what is committed":    {env: text(later), committed: true},
		"without a deadline it reads": {env: strings.ReplaceAll(text(later), "Z'", "'")},
	} {
		t.Run(name, func(t *testing.T) {
			dir := lay(t, tree(c.env, map[string]string{"other.env": c.other, ".git/HEAD": "-"}))
			_, events, _ := lookStatic(t, filepath.Join(dir, "backend"), func(r *steps.Run) {
				if c.other != "" {
					r.Targets = []steps.Target{fileTarget{&stepstest.Place{Name: "a"}, filepath.Join(dir, "other.env")}}
				}
				if c.committed {
					r.Options.Committed = true
					if out, err := exec.Command("git", "init", "-q", dir).CombinedOutput(); err != nil {
						t.Skipf("SKIPPED, NOT TESTED: no git: %v %s", err, out)
					}
				}
			}, nil)
			told := false
			for _, e := range events {
				if e.Kind == steps.EventCheck && e.ID == "grace" {
					told = true
					if want := "accepted until " + later.Format("2006-01-02 15:04 MST"); !strings.Contains(e.Detail.Rendered(), want) {
						t.Errorf("%q, want %q", e.Detail, want)
					}
				}
			}
			if told != c.told {
				t.Errorf("told: %t, want %t", told, c.told)
			}
		})
	}
}
