//go:build unix

package restart

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/vendor"
)

// made is a target that leads to a vendor's Store or File.
type made struct {
	stepstest.Place
	vendor any
}

func (m *made) Vendor() any { return m.vendor }

// target is what the write step makes of a --target value, as far as it counts here.
func target(t *testing.T, spec string) steps.Target {
	t.Helper()
	name, argument, _ := strings.Cut(spec, ":")
	for _, v := range vendor.All {
		var of any
		var err error
		switch {
		case v.Name != name:
			continue
		case v.Store.Parse != nil:
			of, err = v.Store.Parse(argument)
		case v.File.Parse != nil:
			of, err = v.File.Parse(argument)
		}
		if err != nil {
			t.Fatal(err)
		}
		return &made{stepstest.Place{Name: spec}, of}
	}
	return &stepstest.Place{Name: spec}
}

// managedWorld makes a run that restarts with spec, patient enough for scripts.
func managedWorld(t *testing.T, spec string) *world {
	t.Helper()
	w := newWorld(t)
	w.run.Options.Restart = by(t, spec)
	w.run.Options.Timeout, w.step.StartsWithin = 3*time.Second, 3*time.Second
	w.step.StaysUp, w.step.Every = 100*time.Millisecond, 20*time.Millisecond
	if err := os.WriteFile(filepath.Join(w.run.Project.Root, "compose.yaml"), []byte("services: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.run.Project.TopLevel = w.run.Project.Root
	return w
}

// restarted plans and applies, and gives everything that was said.
func restarted(t *testing.T, w *world) (said string, found []finding.Finding, err error) {
	t.Helper()
	plan, err := w.step.Plan(t.Context(), w.run)
	if err != nil {
		var failure *steps.Failure
		if errors.As(err, &failure) {
			found = failure.Findings
		}
		return "", found, err
	}
	for _, d := range plan.Details { // what is shown is what c copies
		if shown := d.Command(); shown != "" && shown != plan.Command {
			t.Errorf("the plan shows %q, and its command is %q", shown, plan.Command)
		}
	}
	texts, found, err := do(w.step.Apply, w.run)
	return strings.Join(append(texts, plan.Summary.Rendered(), stepstest.Rendered(plan.Details, "\n")), "\n"), found, err
}

func TestManagersThatCannotBeReached(t *testing.T) {
	t.Parallel()
	for spec, program := range map[string]string{"systemd:web": "systemctl", "kubernetes:web": "kubectl", "heroku:a": "heroku", "fly:a": "fly", "railway:a": "railway"} {
		w := managedWorld(t, spec)
		w.run.Environ = stepstest.LookupEnv(t, map[string]string{"PATH": t.TempDir()})
		if _, found, err := restarted(t, w); err == nil || !finding.Has(found, "tool-missing") {
			t.Errorf("%s without %s: %v", spec, program, err)
		}
		w = managedWorld(t, spec)
		stepstest.NewTool(t, program, "echo 'error: You must be logged in (Unauthorized)' >&2; exit 1")
		w.run.Wrote = true
		if _, found, err := restarted(t, w); err == nil || !finding.Has(found, "tool-not-logged-in") {
			t.Errorf("%s logged out: %v", spec, err)
		}
	}
}

// What takes longer than one call may is waited for: pods that pull an image, an app
// that is built again.
func TestManagersAreGivenTimeToStart(t *testing.T) {
	t.Parallel()
	for spec, stand := range map[string]func(){
		"kubernetes:backend": func() {
			stepstest.NewTool(t, "kubectl", strings.Replace(kubectlUp, `"rollout restart"|"rollout status") ;;`, `"rollout restart") ;;
"rollout status") case "$*" in *"--timeout 300s"*) sleep 1.3 ;; *) exit 1 ;; esac ;;`, 1))
		},
		"railway:web": func() {
			stepstest.NewTool(t, "railway", `case "$1" in
deployment) n=$(cat "$DIR/n" 2>/dev/null || echo 0); echo $((n+1)) >"$DIR/n"; sleep 0.3
	[ $n -eq 0 ] && echo '[{"id":"old","status":"SUCCESS"}]' || { [ $n -lt 4 ] && echo '[{"id":"new","status":"BUILDING"}]' || echo '[{"id":"new","status":"SUCCESS"}]'; } ;;
esac`)
		},
	} {
		w := managedWorld(t, spec)
		w.run.Options.Timeout, w.step.StartsWithin = time.Second, 0
		stand()
		if said, _, err := restarted(t, w); err != nil {
			t.Errorf("%s: %v\n%s", spec, err, said)
		}
	}
}

func TestManagedNamesAreNoOptions(t *testing.T) {
	t.Parallel()
	for _, spec := range []string{"systemd:--now", "systemd:a,-b", "compose:-f", "kubernetes:--all", "heroku:a b", "systemd:", "fly"} {
		if _, err := Parse(spec); !errors.Is(err, steps.ErrUsage) {
			t.Errorf("%s: %v", spec, err)
		}
	}
	for _, spec := range []string{"systemd:gunicorn.service,celery@1", "compose:web", "kubernetes:ns/deployment/a", "heroku:a-b", "railway:web@staging"} {
		if _, err := Parse(spec); err != nil {
			t.Errorf("%s: %v", spec, err)
		}
	}
}

// A rollback restarts what the upgrade restarted last, without being told again; a
// command, which may hold a token, is not kept, and nothing else is run for it.
func TestARollbackRestartsTheSame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		specs     []string // of one upgrade after the other
		kept      string
		restarted bool
		says      string
	}{
		{[]string{"systemd:web"}, "systemd:web", true, ""},
		{[]string{"systemd:web", "none"}, "none", false, ""},
		{[]string{"systemd:web", "command:true --token=s3cret"}, "command", false, "a command of yours"},
	} {
		w := managedWorld(t, "")
		state := stepstest.State(t)
		program := stepstest.NewTool(t, "systemctl", systemctlUp)
		stepstest.NewTool(t, "sudo", `shift; exec "$@"`)
		open := func() {
			journal, err := state.Open(w.run.Project.Root, steps.DefaultEnvironment)
			if err != nil {
				t.Fatal(err)
			}
			w.run.Journal = journal
		}
		for _, spec := range c.specs {
			open()
			w.run.Options.Restart = by(t, spec)
			if _, _, err := restarted(t, w); err != nil {
				t.Fatalf("%s: %v", spec, err)
			}
			_ = os.Remove(filepath.Join(program.Dir, "pid")) // as it was before the restart
		}
		open()
		if got := w.run.Journal.RestartedBy(); got != c.kept {
			t.Errorf("%v: the journal has %q", c.specs, got)
		}
		w.run.Options.Restart = nil
		texts, _, err := do(w.step.Undo, w.run)
		_, started := os.Stat(filepath.Join(program.Dir, "pid"))
		if (err != nil) != (c.kept == "command") || (started == nil) != c.restarted || err != nil && !strings.Contains(err.Error(), c.says) || err == nil && !strings.Contains(strings.Join(append(texts, stepstest.Rendered(w.run.Left, "\n")), "\n"), c.says) {
			t.Errorf("%v: %v, restarted %v, said %q", c.specs, err, started == nil, texts)
		}
	}
}

// From staging, a hint without the environment would roll development back, and
// one without the targets would write a key to its .env.
func TestHintsNameEnvironmentAndTargets(t *testing.T) {
	t.Parallel()
	w := managedWorld(t, "systemd:web")
	w.run.Options.Environment, w.run.Options.Targets, w.run.Options.Unattended = "staging", []steps.Target{target(t, "dotenv:/etc/web.env"), target(t, "manual:the bank")}, true
	stepstest.NewTool(t, "systemctl", systemctlUp)
	stepstest.NewTool(t, "sudo", "exit 1")
	units := vendor.Units{Names: []string{"web"}, Root: func() bool { return false }}
	var failure *steps.Failure
	err := units.Restart(t.Context(), w.run, w.step.Pace, func(steps.Event) {})
	if want := "keysplit upgrade --env staging --target dotenv:/etc/web.env --target 'manual:the bank' --restart none"; !errors.As(err, &failure) || !strings.HasSuffix(failure.Findings[0].Fix.Rendered(), want) {
		t.Errorf("sudo: %+v", err)
	}
	// A failed restart names the way back.
	stepstest.NewTool(t, "systemctl", `case "$1" in show) printf 'LoadState=loaded\nActiveState=active\nMainPID=100\n' ;; *) exit 1 ;; esac`)
	units.Root = func() bool { return true }
	err = units.Restart(t.Context(), w.run, w.step.Pace, func(steps.Event) {})
	if want := "keysplit rollback --env staging"; !errors.As(err, &failure) || !strings.HasSuffix(failure.Findings[0].Fix.Rendered(), want) {
		t.Errorf("the way back: %+v", err)
	}
}

// A restart of production is asked for by name, whatever the environment is called.
func TestARestartOfProductionIsConfirmed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ spec, context, env, want string }{
		"an app":          {"fly:shop-prod", "", "staging", "shop-prod"},
		"one of several":  {"fly:shop-stg,heroku:shop-prod", "", "staging", "shop-prod"},
		"a context":       {"kubernetes:shop/backend", "prod-eu", "staging", "prod-eu"},
		"a namespace":     {"kubernetes:live/backend", "kind-test", "staging", "live"},
		"a unit":          {"systemd:shop-prod", "", "staging", "shop-prod"},
		"the environment": {"command:true", "", "production", "production"},
		"staging":         {"kubernetes:shop/backend", "kind-test", "staging", ""},
		"nothing":         {"none", "", "production", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, c.spec)
			w.run.Options.Environment = c.env
			stepstest.NewTool(t, "kubectl", strings.Replace(kubectlUp, "kind-test", c.context, 1))
			stepstest.NewTool(t, "systemctl", systemctlUp)
			p, err := w.step.Plan(t.Context(), w.run)
			if err != nil || p.Confirm != c.want || (c.want != "") != strings.Contains(p.Question.Rendered(), "production") {
				t.Errorf("confirm %q, question %q, %v", p.Confirm, p.Question, err)
			}
			w.run.Confirmed = []string{c.want}
			if p, _ := w.step.Plan(t.Context(), w.run); p.Confirm != "" {
				t.Error("asked again for what was typed")
			}
		})
	}
}
