package repo

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// Only an edit that was made is told of: not one that the journal could not note, nor
// one that was refused, which keeps nobody from the others.
func TestAnEditThatIsNotMadeIsNotTold(t *testing.T) {
	t.Parallel()
	const old = "SECRET_KEY=change-me\n"
	lay := func(t *testing.T) *steps.Run {
		t.Helper()
		run := stepstest.NewRun(t, "", nil)
		for _, name := range []string{".env.example", ".env.sample"} {
			if err := os.WriteFile(filepath.Join(run.Project.Root, name), []byte(old), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return run
	}
	found := []finding.Finding{finding.New(finding.ExampleMissingKey, "").At(".env.example", 1), finding.New(finding.ExampleMissingKey, "").At(".env.sample", 1)}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, run *steps.Run)
		made  int
		fails error // that it wraps; nil for a *steps.Failure, or for none
	}{
		"it goes well": {func(*testing.T, *steps.Run) {}, 2, nil},
		"no journal":   {func(t *testing.T, run *steps.Run) { remove(t, run.Journal.Dir()) }, 0, os.ErrNotExist},
		"one is a folder": {func(t *testing.T, run *steps.Run) {
			path := filepath.Join(run.Project.Root, ".env.example")
			remove(t, path)
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, 1, nil},
		// The edit can be proposed, and is refused when it is to be written.
		"one is as large as a file may be": {func(t *testing.T, run *steps.Run) {
			full := old + "#" + strings.Repeat("x", envfile.MaxSize-len(old)-2) + "\n"
			if err := os.WriteFile(filepath.Join(run.Project.Root, ".env.example"), []byte(full), 0o600); err != nil {
				t.Fatal(err)
			}
		}, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := lay(t)
			c.spoil(t, run)
			var told []string
			left, err := Fix(t.Context(), run, found, func(p Proposal) { told = append(told, p.Path) })
			edited := 0
			for _, name := range []string{".env.example", ".env.sample"} {
				if data, err := os.ReadFile(filepath.Join(run.Project.Root, name)); err == nil && !strings.HasPrefix(string(data), old+"#") && string(data) != old {
					edited++
				}
			}
			if len(told) != c.made || edited != c.made || !errors.Is(err, c.fails) && c.fails != nil || c.fails == nil && c.made == 2 && (err != nil || len(left) > 0) {
				t.Errorf("told of %v, edited %d, left %v, error %v", told, edited, left, err)
			}
			var refused *steps.Failure
			if c.made == 1 && (!errors.As(err, &refused) || len(refused.Findings) != 1) {
				t.Errorf("what was refused is not said: %v", err)
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}
