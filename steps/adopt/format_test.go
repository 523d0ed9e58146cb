package adopt_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"dj/keysplit/steps/adopt"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// What a formatter has no objection to, it has none to afterwards.
func TestFormattersAreContent(t *testing.T) {
	t.Parallel()
	stepstest.OnlyLong(t)
	python := djangotest.Python(t, djangotest.Formatters)
	for tool, arguments := range map[string][]string{"black": {"-q"}, "ruff": {"format", "-q", "--no-cache"}} {
		program := filepath.Join(filepath.Dir(python), tool)
		for name, s := range shapes {
			if s.unsure != "" {
				continue
			}
			t.Run(tool+" "+name, func(t *testing.T) {
				t.Parallel()
				root := project(t, s)
				format := func(more ...string) error {
					c := exec.Command(program, append(append([]string{}, arguments...), append(more, root)...)...)
					out, err := c.CombinedOutput()
					if err != nil {
						t.Logf("%s", out)
					}
					return err
				}
				if err := format(); err != nil {
					t.Fatal(err)
				}
				made, err := adopt.Untried(t.Context(), unstarted(t, python, root, s))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(made.File, made.Is, 0o600); err != nil {
					t.Fatal(err)
				}
				if err := format("--check", "--diff"); err != nil {
					t.Errorf("%v:\n%s", err, made.Is)
				}
			})
		}
	}
}
