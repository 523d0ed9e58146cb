//go:build unix

package restart

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// managedWorld makes a run that restarts with spec, patient enough for scripts.
func managedWorld(t *testing.T, spec string) *world {
	t.Helper()
	w := newWorld(t)
	w.run.Options.Restart = spec
	w.run.Options.Timeout = 3 * time.Second
	w.step.StaysUp, w.step.Every = 100*time.Millisecond, 20*time.Millisecond
	t.Setenv("JWT_SECRET_KEY", "of this shell")
	if err := os.WriteFile(filepath.Join(w.run.Project.Root, "compose.yaml"), []byte("services: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.run.Project.TopLevel = w.run.Project.Root
	return w
}

// restarted plans and applies, and gives everything that was said.
func restarted(t *testing.T, w *world) (said string, found []steps.Finding, err error) {
	t.Helper()
	plan, err := w.step.Plan(t.Context(), w.run)
	if err != nil {
		var failure *steps.Failure
		if errors.As(err, &failure) {
			found = failure.Findings
		}
		return "", found, err
	}
	texts, found, err := do(w.step.Apply, w.run)
	return strings.Join(append(append(texts, plan.Summary), plan.Details...), "\n"), found, err
}

const systemctlUp = `case "$1" in
show) p=$(cat "$DIR/pid" 2>/dev/null || echo 100); printf 'LoadState=loaded\nActiveState=active\nSubState=running\nMainPID=%s\nNRestarts=0\nResult=success\nEnvironment=A=b\nEnvironmentFiles=%s (ignore_errors=no)\n' "$p" "$DIR/unit.env" ;;
restart) echo 200 >"$DIR/pid" ;;
esac`

func TestSystemdRestartsEachUnitAndWatchesIt(t *testing.T) {
	w := managedWorld(t, "systemd:gunicorn,celery")
	program := stepstest.NewTool(t, "systemctl", strings.ReplaceAll(systemctlUp, `"$DIR/pid"`, `"$DIR/pid-$(eval echo \${$#})"`))
	stepstest.NewTool(t, "sudo", `shift; exec "$@"`)
	said, _, err := restarted(t, w)
	if err != nil || !w.run.Restarted {
		t.Fatalf("error %v\n%s", err, said)
	}
	if !strings.Contains(said, "restarted gunicorn") || !strings.Contains(said, "restarted celery") || !strings.Contains(said, "unit.env") {
		t.Errorf("said %s", said)
	}
	calls := program.Argv()
	if strings.Index(calls, "restart\n--no-block\ngunicorn") > strings.Index(calls, "restart\n--no-block\ncelery") || strings.Contains(program.Environ(), "JWT_SECRET_KEY=") {
		t.Error("the order is wrong, or the program inherited the key")
	}
}

func TestSystemdUnitsThatDoNotComeUp(t *testing.T) {
	up := func(show string) string {
		return `case "$1" in show) printf 'LoadState=loaded\nEnvironment=\n` + show + `\n' ;; esac`
	}
	for name, c := range map[string]struct {
		systemctl, spec string
		code            steps.Code
		says            string
	}{
		"fails":       {`case "$1" in show) [ -e "$DIR/r" ] && s=failed || s=active; printf "LoadState=loaded\nActiveState=$s\nMainPID=7\nResult=exit-code\n" ;; restart) touch "$DIR/r" ;; esac`, "systemd:web", "restart-failed", "ModuleNotFoundError"},
		"crash loop":  {`case "$1" in show) n=$(cat "$DIR/n" 2>/dev/null || echo 0); echo $((n+1)) >"$DIR/n"; printf "LoadState=loaded\nActiveState=active\nMainPID=$n\nNRestarts=$n\nResult=success\n" ;; esac`, "systemd:web", "restart-failed", "did not stay up"},
		"same pid":    {up(`ActiveState=active\nMainPID=7\nNRestarts=0\nResult=success`), "systemd:web", "restart-failed", ""},
		"limit":       {`case "$1" in show) [ -e "$DIR/r" ] && s='failed\nResult=start-limit-hit' || s='active\nResult=success'; printf "LoadState=loaded\nMainPID=7\nActiveState=$s\n" ;; restart) touch "$DIR/r" ;; esac`, "systemd:web", "restart-failed", "reset-failed"},
		"not there":   {`printf 'LoadState=not-found\n'`, "systemd:web", "place-not-found", "list-units"},
		"environment": {up(`ActiveState=active\nMainPID=7\nEnvironment=X=1 JWT_SECRET_KEY=another`), "systemd:web", "jwt-key-shadowed", "systemctl edit"},
	} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, c.spec)
			w.run.Options.Timeout = 2 * time.Second
			stepstest.NewTool(t, "systemctl", c.systemctl)
			stepstest.NewTool(t, "sudo", `shift; exec "$@"`)
			stepstest.NewTool(t, "journalctl", "echo ModuleNotFoundError")
			said, found, err := restarted(t, w)
			if err == nil || !steps.Has(found, c.code) {
				t.Fatalf("error %v, findings %v", err, found)
			}
			if !strings.Contains(said+found[0].Message+found[0].Fix, c.says) {
				t.Errorf("nothing says %q: %s %+v", c.says, said, found)
			}
			if w.run.Restarted {
				t.Error("it counts as restarted")
			}
		})
	}
}

func TestSystemdEnvironmentFileWithAnotherKey(t *testing.T) {
	for same, want := range map[bool]bool{true: false, false: true} {
		w := managedWorld(t, "systemd:web")
		program := stepstest.NewTool(t, "systemctl", systemctlUp)
		key := newKey()
		if same {
			key = w.run.Key.Reveal()
		}
		if err := os.WriteFile(filepath.Join(program.Dir, "unit.env"), []byte("JWT_SECRET_KEY="+key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := w.step.Plan(t.Context(), w.run)
		var failure *steps.Failure
		if refused := errors.As(err, &failure) && steps.Has(failure.Findings, "jwt-key-shadowed"); refused != want {
			t.Errorf("the same key: %t, error %v", same, err)
		} else if refused && !strings.Contains(failure.Findings[0].Fix, "--target dotenv:"+program.Dir) {
			t.Errorf("fix %q", failure.Findings[0].Fix)
		}
	}
}

func TestSystemdWithoutThePasswordOfSudo(t *testing.T) {
	w := managedWorld(t, "systemd:web")
	program := stepstest.NewTool(t, "systemctl", systemctlUp)
	by := systemd{Step: w.step, units: "web", root: func() bool { return false }}
	stepstest.NewTool(t, "sudo", "echo 'sudo: a password is required' >&2; exit 1")
	w.run.Options.Unattended = true
	var events stepstest.Events
	err := by.restart(t.Context(), w.run, events.Emit)
	var failure *steps.Failure
	if !errors.As(err, &failure) || !steps.Has(failure.Findings, "access-denied") || !strings.Contains(failure.Findings[0].Fix, "sudo systemctl restart web") {
		t.Fatalf("unattended: %v", err)
	}
	// Somebody is there, reads what to do, and does it.
	w.run.Options.Unattended = false
	err = by.restart(t.Context(), w.run, func(ev steps.Event) {
		if strings.Contains(ev.Text, "sudo systemctl restart web") {
			_ = os.WriteFile(filepath.Join(program.Dir, "pid"), []byte("300"), 0o600)
		}
	})
	if err != nil {
		t.Errorf("attended: %v", err)
	}
	// With a terminal sudo asks for the password itself.
	for _, fails := range []bool{false, true} {
		var ran []string
		w.run.HandOver = func(_ context.Context, path string, args []string) error {
			ran = append([]string{filepath.Base(path)}, args...)
			if fails {
				return errors.New("exit status 1")
			}
			return os.WriteFile(filepath.Join(program.Dir, "pid"), []byte("400"), 0o600)
		}
		err = by.restart(t.Context(), w.run, func(steps.Event) {})
		if !slices.Equal(ran, []string{"sudo", "-p", "keysplit restarts web. Password of %p: ", "systemctl", "restart", "--no-block", "web"}) {
			t.Errorf("ran %q", ran)
		}
		if denied := errors.As(err, &failure) && steps.Has(failure.Findings, "access-denied"); denied != fails || !fails && err != nil {
			t.Errorf("fails %v: %v", fails, err)
		}
	}
}

// kubectlUp answers for two workloads that come up.
const kubectlUp = `case "$1 $2" in
"config current-context") echo kind-test ;;
"get deployment/backend"|"get deployment/worker") echo "$2" ;;
"rollout restart"|"rollout status") ;;
*) echo 'Error from server (NotFound): deployments.apps "x" not found' >&2; exit 1 ;;
esac`

func TestKubernetesRollsTheWorkloadsAnew(t *testing.T) {
	w := managedWorld(t, "kubernetes:shop/backend,worker")
	program := stepstest.NewTool(t, "kubectl", kubectlUp)
	said, _, err := restarted(t, w)
	if err != nil || !strings.Contains(said, "rolled deployment/worker anew") || !strings.Contains(said, "kind-test") {
		t.Fatalf("error %v\n%s", err, said)
	}
	if calls := program.Argv(); strings.Count(calls, "--namespace\nshop") < 6 || !strings.Contains(calls, "rollout\nrestart\ndeployment/backend") {
		t.Errorf("calls %s", calls)
	}
	for spec, want := range map[string]string{"a/statefulset/b": "a statefulset/b", "statefulset/b,daemonset/c": " statefulset/b daemonset/c", "b": " deployment/b"} {
		namespace, workloads, err := kubernetes{argument: spec}.parse()
		if got := namespace + " " + strings.Join(workloads, " "); err != nil || got != want {
			t.Errorf("%s: %q, %v", spec, got, err)
		}
	}
}

func TestKubernetesPodsThatDoNotComeUp(t *testing.T) {
	for name, c := range map[string]struct {
		pods, spec string
		code       steps.Code
		says       string
	}{
		"a missing key": {`{"items":[{"status":{"containerStatuses":[{"state":{"waiting":{"reason":"CreateContainerConfigError"}}}]}}]}`, "kubernetes:backend", "kubernetes-missing-key", "secretKeyRef"},
		"a crash":       {`{"items":[]}`, "kubernetes:backend", "restart-failed", "boom"},
		"no deployment": {`{}`, "kubernetes:nothing", "place-not-found", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, c.spec)
			body := strings.Replace(kubectlUp, `"rollout restart"|"rollout status") ;;`, `"rollout restart") ;;
"rollout status") exit 1 ;;
"get pods") echo '`+c.pods+`' ;;
"logs deployment/backend") echo "boom $(cat '`+w.run.Project.EnvFile.Path+`')" ;;`, 1)
			stepstest.NewTool(t, "kubectl", body)
			said, found, err := restarted(t, w)
			if err == nil || !steps.Has(found, c.code) || !strings.Contains(said+found[0].Fix, c.says) {
				t.Fatalf("error %v, findings %v\n%s", err, found, said)
			}
			if strings.Contains(said, w.run.Key.Reveal()) {
				t.Error("the log shows the key")
			}
		})
	}
}

// dockerUp is docker with its compose plugin and one service; what inspect says
// of its environment is $DIR/env.json.
const dockerUp = `case "$*" in
"compose version --short") echo 2.40.3 ;;
"compose config --services") printf 'web\nworker\ndb\n' ;;
"compose ps --quiet "*) cat "$DIR/id" 2>/dev/null || echo old ;;
"compose up "*) [ -e "$DIR/stuck" ] || echo new >"$DIR/id" ;;
"compose logs "*) echo "no such module" ;;
inspect*) echo '[{"State":{"Status":"'$(cat "$DIR/status" 2>/dev/null || echo running)'"},"Config":{"Env":'$(cat "$DIR/env.json")'}}]' ;;
*) exit 9 ;;
esac`

func TestComposeMakesTheContainersAnew(t *testing.T) {
	for name, c := range map[string]struct {
		env, spoil, content string
		code                steps.Code
	}{
		"given by the container": {"[\"JWT_SECRET_KEY=%s\"]", "", "", ""},
		"read from .env inside":  {"[\"A=b\"]", "", "", ""},
		"another key":            {"[\"JWT_SECRET_KEY=another\"]", "", "", "jwt-key-shadowed"},
		"no new container":       {"[]", "stuck", "", "restart-failed"},
		"it ends":                {"[]", "status", "exited", "restart-failed"},
	} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, "compose:web,worker")
			program := stepstest.NewTool(t, "docker", dockerUp)
			files := map[string]string{"env.json": strings.Replace(c.env, "%s", w.run.Key.Reveal(), 1)}
			if c.spoil != "" {
				files[c.spoil] = c.content
			}
			for name, text := range files {
				if err := os.WriteFile(filepath.Join(program.Dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			said, found, err := restarted(t, w)
			if c.code == "" && (err != nil || !strings.Contains(said, "Not made anew: db") || !w.run.Restarted) {
				t.Fatalf("error %v\n%s", err, said)
			}
			if c.code != "" && (err == nil || !steps.Has(found, c.code)) {
				t.Fatalf("error %v, findings %v", err, found)
			}
			if !strings.Contains(program.Argv(), "up\n--detach\n--no-deps\n--force-recreate\n--wait\nweb\nworker") || strings.Contains(program.Environ(), "JWT_SECRET_KEY=") || strings.Contains(said, w.run.Key.Reveal()) {
				t.Errorf("calls %s", program.Argv())
			}
		})
	}
	w := managedWorld(t, "compose:nothing")
	stepstest.NewTool(t, "docker", dockerUp)
	if _, _, err := restarted(t, w); !errors.Is(err, steps.ErrUsage) || !strings.Contains(err.Error(), "web, worker, db") {
		t.Errorf("an unknown service: %v", err)
	}
}

func TestTheOldComposeOnANewEngine(t *testing.T) {
	w := managedWorld(t, "compose:web")
	stepstest.NewTool(t, "docker", "exit 1")
	program := stepstest.NewTool(t, "docker-compose", `case "$*" in
"version --short") echo 1.29.2 ;;
"config --services") echo web ;;
ps*) echo old ;;
up*) echo "KeyError: 'ContainerConfig'" >&2; exit 1 ;;
esac`)
	_, found, err := restarted(t, w)
	if err == nil || !steps.Has(found, "restart-failed") || !strings.Contains(found[0].Message, "1.29") {
		t.Fatalf("error %v, %v", err, found)
	}
	if strings.Contains(program.Argv(), "--wait") {
		t.Error("version 1 has no --wait")
	}
}

func TestPlatformsAreWaitedFor(t *testing.T) {
	now := time.Now().UTC().Format(time.RFC3339)
	for name, c := range map[string]struct {
		spec, program, again, good, bad string
	}{
		"heroku": {"heroku:shop", "heroku", "ps:restart", `[{"version":8,"status":"succeeded","created_at":"` + now + `"},{"version":7,"status":"failed"}]`, `[{"version":8,"status":"failed","created_at":"` + now + `"}]`},
		"fly": {"fly:shop", "fly", "secrets\ndeploy", `[{"state":"started","updated_at":"` + now + `"},{"state":"stopped","updated_at":"` + now + `","events":[{"type":"exit","timestamp":2,"request":{"exit_event":{"exit_code":143,"requested_stop":true}}},{"type":"exit","timestamp":1,"request":{"exit_event":{"exit_code":1}}}]}]`,
			`[{"state":"stopped","updated_at":"` + now + `","events":[{"type":"exit","timestamp":1,"request":{"exit_event":{"exit_code":1}}}]}]`},
		"railway": {"railway:web@staging", "railway", "redeploy", `[{"status":"SUCCESS","createdAt":"` + now + `"}]`, `[{"status":"CRASHED","createdAt":"` + now + `"}]`},
	} {
		t.Run(name, func(t *testing.T) {
			for _, wrote := range []bool{true, false} {
				w := managedWorld(t, c.spec)
				w.run.Wrote, w.run.WroteAt = wrote, time.Now()
				program := stepstest.NewTool(t, c.program, `case "$*" in *json*) echo '`+c.good+`' ;; esac`)
				said, _, err := restarted(t, w)
				if err != nil {
					t.Fatalf("%v\n%s", err, said)
				}
				if again := strings.Contains(program.Argv(), c.again); again == wrote {
					t.Errorf("wrote %t, restarted by us %t", wrote, again)
				}
			}
			for _, answer := range []string{c.bad, "[]", "no JSON", strings.ReplaceAll(c.good, now, "2020-01-01T00:00:00Z")} {
				w := managedWorld(t, c.spec)
				w.run.Options.Timeout = 1500 * time.Millisecond // one call of a loaded machine takes a part of it
				w.run.Wrote, w.run.WroteAt = true, time.Now()
				stepstest.NewTool(t, c.program, `echo '`+answer+`'`)
				if _, found, err := restarted(t, w); err == nil || !steps.Has(found, "restart-failed") {
					t.Errorf("%s: error %v", answer, err)
				}
			}
		})
	}
}

func TestManagersThatCannotBeReached(t *testing.T) {
	for spec, program := range map[string]string{"systemd:web": "systemctl", "kubernetes:web": "kubectl", "heroku:a": "heroku", "fly:a": "fly", "railway:a": "railway"} {
		w := managedWorld(t, spec)
		t.Setenv("PATH", t.TempDir())
		if _, found, err := restarted(t, w); err == nil || !steps.Has(found, "tool-missing") {
			t.Errorf("%s without %s: %v", spec, program, err)
		}
		w = managedWorld(t, spec)
		stepstest.NewTool(t, program, "echo 'error: You must be logged in (Unauthorized)' >&2; exit 1")
		w.run.Wrote = true
		if _, found, err := restarted(t, w); err == nil || !steps.Has(found, "tool-not-logged-in") {
			t.Errorf("%s logged out: %v", spec, err)
		}
	}
}

func TestManagedNamesAreNoOptions(t *testing.T) {
	for _, spec := range []string{"systemd:--now", "systemd:a,-b", "compose:-f", "kubernetes:--all", "heroku:a b", "systemd:", "fly"} {
		if err := Check(spec); !errors.Is(err, steps.ErrUsage) {
			t.Errorf("%s: %v", spec, err)
		}
	}
	for _, spec := range []string{"systemd:gunicorn.service,celery@1", "compose:web", "kubernetes:ns/deployment/a", "heroku:a-b", "railway:web@staging"} {
		if err := Check(spec); err != nil {
			t.Errorf("%s: %v", spec, err)
		}
	}
}

// A rollback restarts what the upgrade restarted last, without being told again; a
// command, which may hold a token, is not kept, and nothing else is run for it.
func TestARollbackRestartsTheSame(t *testing.T) {
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
		t.Setenv("KEYSPLIT_STATE_DIR", t.TempDir())
		program := stepstest.NewTool(t, "systemctl", systemctlUp)
		stepstest.NewTool(t, "sudo", `shift; exec "$@"`)
		open := func() {
			journal, err := steps.OpenJournal(w.run.Project.Root, steps.DefaultEnvironment)
			if err != nil {
				t.Fatal(err)
			}
			w.run.Journal = journal
		}
		for _, spec := range c.specs {
			open()
			w.run.Options.Restart = spec
			if _, _, err := restarted(t, w); err != nil {
				t.Fatalf("%s: %v", spec, err)
			}
			_ = os.Remove(filepath.Join(program.Dir, "pid")) // as it was before the restart
		}
		open()
		if got := w.run.Journal.RestartedBy(); got != c.kept {
			t.Errorf("%v: the journal has %q", c.specs, got)
		}
		w.run.Options.Restart = ""
		texts, _, err := do(w.step.Undo, w.run)
		_, started := os.Stat(filepath.Join(program.Dir, "pid"))
		if err != nil || (started == nil) != c.restarted || !strings.Contains(strings.Join(texts, "\n"), c.says) {
			t.Errorf("%v: %v, restarted %v, said %q", c.specs, err, started == nil, texts)
		}
	}
}
