package write

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// someoneElse sets the key in a stand-in of clis by another way than keysplit.
func someoneElse(t *testing.T, program *stepstest.Tool) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(program.Dir, "state"), []byte("2026-01-01T00:00:00Z"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A place that shows no value is known by its version alone: what someone else has
// set there since is theirs, before a write and before a rollback.
func TestAChangeBySomeoneElseIsLeftAlone(t *testing.T) {
	t.Parallel()
	for _, c := range clis {
		t.Run(c.program+" before the write", func(t *testing.T) {
			program := stepstest.NewTool(t, c.program, c.body)
			run, target := oneTarget(t, c.spec)
			if _, err := target.Plan(t.Context(), run); err != nil {
				t.Fatal(err)
			}
			someoneElse(t, program)
			wantCode(t, target.Apply(t.Context(), run, func(steps.Event) {}), "place-conflict")
			if program.Stdin() != "" || len(run.Journal.Deliveries()) != 0 {
				t.Error("it was written over")
			}
		})
		t.Run(c.program+" before the rollback", func(t *testing.T) {
			program := stepstest.NewTool(t, c.program, c.body)
			run, target := oneTarget(t, c.spec)
			run.Options.Environment = "staging"
			if _, err := bring(run, target); err != nil {
				t.Fatal(err)
			}
			someoneElse(t, program)
			said, err := undo(run)
			f := wantCode(t, err, "place-conflict")
			if program.File("state") == "" || strings.Contains(said, "back as it was") || !strings.Contains(f.Fix.Rendered(), "keysplit rollback --env staging --force") {
				t.Errorf("it is gone: %t; %+v\n%s", program.File("state") == "", f, said)
			}
			run.Options.Force = true
			if _, err := undo(run); err != nil || program.File("state") != "" {
				t.Errorf("with --force: %v", err)
			}
		})
	}
}

// What fly's own reader would cut short is refused before anything is written.
func TestFlyTakesNoKeyThatItWouldChange(t *testing.T) {
	t.Parallel()
	program := stepstest.NewTool(t, "fly", clis[1].body)
	for _, odd := range []string{"#", " ", "\t", "$", "'", `"`, "\\", "`"} {
		run, target := oneTarget(t, "fly:shop")
		run.Key = run.Secret(stepstest.Key()[:40] + odd + stepstest.Key()[:20])
		if _, err := target.Plan(t.Context(), run); err == nil || holdsPart(err.Error(), run.Key.Reveal()) {
			t.Errorf("%q: planned, or shown: %v", odd, err)
		}
	}
	if program.Stdin() != "" {
		t.Error("something was written")
	}
}

// What this shell sets counts for the backend's own file alone: another one is read elsewhere.
func TestAFileThatIsReadElsewhere(t *testing.T) {
	t.Parallel()
	key, shell := stepstest.Key(), stepstest.Key()
	for path, want := range map[string]string{"": shell, "other.env": key} {
		run := stepstest.NewRun(t, "JWT_SECRET_KEY="+key+"\nSECRET_KEY="+key+"\n", map[string]string{"SECRET_KEY": shell})
		if err := os.WriteFile(filepath.Join(run.Project.Root, "other.env"), []byte("JWT_SECRET_KEY="+key+"\nSECRET_KEY="+key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		held, err := (&dotenv{spec: "dotenv", path: path}).Look(t.Context(), run)
		if err != nil || held.SecretKey.Reveal() != want {
			t.Errorf("%q: the shell's counts: %t, %v", path, held.SecretKey.Reveal() == shell, err)
		}
	}
}
