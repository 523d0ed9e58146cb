package write

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// direnv takes no file that changed before a person has allowed it.
func TestAnEnvrcIsToBeAllowed(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]bool{".envrc": true, ".env.local": false} {
		run := withKey(stepstest.NewRun(t, "SECRET_KEY=x\n", nil))
		path := filepath.Join(run.Project.Root, name)
		if err := os.WriteFile(path, []byte("export SECRET_KEY=x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		var err error
		if run.Targets, err = Targets([]string{"dotenv:" + name}); err != nil {
			t.Fatal(err)
		}
		s := &Step{}
		if _, err = s.Plan(context.Background(), run); err == nil {
			err = s.Apply(context.Background(), run, func(steps.Event) {})
		}
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		for _, line := range run.Left {
			said += line.Rendered() + "\n"
		}
		if strings.Contains(said, "direnv allow") != says {
			t.Errorf("%s: %q", name, said)
		}
	}
}
