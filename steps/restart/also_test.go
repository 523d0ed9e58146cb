//go:build unix

package restart

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// Workers are restarted after the backend, and looked at: what was given the key is seen
// to have it, what was given another one is a failure, and what reads it by itself is not
// claimed. A rollback restarts them too.
func TestWorkersAreRestartedAndSeen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  string // of the unit's file; KEY and NEXT stand for the keys of the stage
		both bool   // a stage with two keys
		mark steps.Mark
		says string
		bad  bool
	}{
		"the key":             {env: "JWT_SECRET_KEY=KEY\n", mark: steps.MarkOK, says: "was given the key"},
		"another key":         {env: "JWT_SECRET_KEY=" + stepstest.Key() + "\n", bad: true},
		"none":                {env: "A=b\n", mark: steps.MarkWarn, says: "which key it has is not seen"},
		"both keys":           {env: "JWT_SECRET_KEY=KEY\nJWT_PREVIOUS_SECRET_KEY=NEXT\n", both: true, mark: steps.MarkOK, says: "was given the key"},
		"a stage, one of two": {env: "JWT_SECRET_KEY=KEY\n", both: true, bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, "command:true")
			program := stepstest.NewTool(t, "systemctl", strings.ReplaceAll(systemctlUp, `"$DIR/pid"`, `"$DIR/pid-$(eval echo \${$#})"`)+"\n")
			stepstest.NewTool(t, "sudo", `shift; exec "$@"`)
			run := w.run
			run.Second = run.Secret(stepstest.Key())
			env := strings.NewReplacer("KEY\n", run.Key.Reveal()+"\n", "NEXT\n", run.Second.Reveal()+"\n").Replace(c.env)
			if err := os.WriteFile(filepath.Join(program.Dir, "unit.env"), []byte(env), 0o600); err != nil {
				t.Fatal(err)
			}
			if c.both {
				run.Stage = steps.Accepting
			}
			also, err := Also([]string{"systemd:celery,beat"})
			if err != nil {
				t.Fatal(err)
			}
			run.Options.Also = also
			if run.Journal, err = stepstest.State(t).Open(run.Project.Root, steps.DefaultEnvironment); err != nil {
				t.Fatal(err)
			}
			var events stepstest.Events
			plan, err := w.step.Plan(t.Context(), run)
			if err == nil {
				err = w.step.Apply(t.Context(), run, events.Emit)
			}
			var failure *steps.Failure
			if c.bad {
				if !errors.As(err, &failure) || !finding.Has(failure.Findings, "server-stale-key") && !finding.Has(failure.Findings, "jwt-key-shadowed") {
					t.Fatalf("error %v", err)
				}
				return
			}
			seen := 0
			for _, e := range events {
				if strings.HasPrefix(e.Text.Rendered(), "seen: ") && e.Mark == c.mark && strings.Contains(e.Detail.Rendered(), c.says) {
					seen++
				}
			}
			if err != nil || seen != 2 || !strings.Contains(stepstest.Rendered(plan.Details, "\n"), "Then systemd:celery,beat") {
				t.Errorf("error %v, %d seen: %+v", err, seen, events)
			}
			if got := run.Journal.AlsoRestarted(); len(got) != 1 || got[0] != "systemd:celery,beat" {
				t.Errorf("a rollback would restart %q", got)
			}
		})
	}
}

func TestWhatCannotBeAWorker(t *testing.T) {
	t.Parallel()
	for _, specs := range [][]string{{"heroku:shop"}, {"command:true"}, {"none"}, {"nothing:x"}, {"systemd:"}, {"systemd:a", "systemd:a"}} {
		if _, err := Also(specs); err == nil || !strings.Contains(err.Error(), "--also") {
			t.Errorf("%q: %v", specs, err)
		}
	}
	if all, err := Also([]string{"systemd:a,b", "compose:worker", "kubernetes:shop/beat"}); err != nil || len(all) != 3 {
		t.Errorf("%d, %v", len(all), err)
	}
}

// A worker that runs here and is older than the write is named; a fresh one is not, and
// what runs here is nothing to another environment.
func TestStaleWorkersAreNamed(t *testing.T) {
	t.Parallel()
	w := managedWorld(t, "command:true")
	w.run.MarkWritten()
	w.step.Workers = func(context.Context, string) ([]steps.Server, error) {
		return []steps.Server{
			{PID: 10, Started: time.Now().Add(-time.Hour), Command: "python -m celery -A config worker"},
			{PID: 20, Started: time.Now().Add(time.Second), Command: "python -m celery -A config beat"},
		}, nil
	}
	said, found, err := restarted(t, w)
	if err != nil || !finding.Has(found, "server-stale-key") || len(found) != 1 || found[0].Severity != finding.Warning || !strings.Contains(found[0].Message.Rendered(), "process 10: python -m celery") {
		t.Errorf("error %v, %+v\n%s", err, found, said)
	}
	w.step.vague = []steps.Server{{PID: 30, Started: time.Now().Add(-time.Hour), Command: "python rpc.py"}}
	if _, found, err := restarted(t, w); err != nil || len(found) != 2 || !strings.Contains(found[0].Message.Rendered(), "process 30: python rpc.py") {
		t.Errorf("what serves no HTTP: error %v, %+v", err, found)
	}
	w.run.Targets = []steps.Target{&stepstest.Place{Name: "vault:a/b"}}
	if _, found, err := restarted(t, w); err != nil || len(found) != 0 {
		t.Errorf("elsewhere: error %v, %+v", err, found)
	}
}

// What names the compose file of workers names them by their own flag, beside the others.
func TestTheFixOfAWorkersComposeFileIsForWorkers(t *testing.T) {
	t.Parallel()
	for restart, c := range map[string]struct{ also, want string }{
		"none":        {"compose:mail", "keysplit --also 'compose:FILE#SERVICE' --also systemd:beat"},
		"compose:web": {"compose:mail", "keysplit --restart 'compose:FILE#SERVICE'"},
	} {
		w := newWorld(t)
		way, wrong := Parse(restart)
		also, err := Also([]string{c.also, "systemd:beat"})
		if err != nil || wrong != nil {
			t.Fatal(err, wrong)
		}
		w.run.Options.Restart, w.run.Options.Also, w.run.Project.TopLevel = way, also, w.run.Project.Root
		_, err = w.step.Plan(t.Context(), w.run)
		var failure *steps.Failure
		if !errors.As(err, &failure) || !strings.Contains(failure.Findings[0].Fix.Rendered(), c.want) {
			t.Errorf("%s: %v", restart, err)
		}
	}
}
