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
	const (
		healthy  = `{"metadata":{"name":"backend-old","creationTimestamp":"2026-01-01T00:00:00Z"},"status":{"conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"web","ready":true,"state":{"running":{}}}]}}`
		crashing = `{"metadata":{"name":"backend-new","creationTimestamp":"2026-01-02T00:00:00Z"},"status":{"conditions":[{"type":"Ready","status":"False"}],"containerStatuses":[{"name":"side","ready":true,"state":{"running":{}}},{"name":"web","restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}}`
		waiting  = `{"metadata":{"name":"backend-new"},"status":{"containerStatuses":[{"name":"web","state":{"waiting":{"reason":"CreateContainerConfigError","message":"MESSAGE"}}}]}}`
	)
	for name, c := range map[string]struct {
		pods, spec string
		code       steps.Code
		says       string
		not        string
	}{
		"a missing key":          {healthy + "," + strings.Replace(waiting, "MESSAGE", "couldn't find key jwt in Secret shop/backend", 1), "kubernetes:backend", "kubernetes-missing-key", "couldn't find key jwt", ""},
		"a missing ConfigMap":    {strings.Replace(waiting, "MESSAGE", "couldn't find key a in ConfigMap shop/b", 1), "kubernetes:backend", "restart-failed", "in ConfigMap shop/b", ""},
		"a crash":                {healthy + "," + crashing, "kubernetes:backend", "restart-failed", "boom", "all is well"},
		"nothing is known":       {"", "kubernetes:backend", "restart-failed", "kubectl describe", ""},
		"no deployment":          {"", "kubernetes:nothing", "place-not-found", "", ""},
		"no right to restart it": {"", "kubernetes:other/backend", "access-denied", "may not restart deployment/backend", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, c.spec)
			body := strings.Replace(kubectlUp, `"rollout restart"|"rollout status") ;;`, `"rollout restart") ;;
"rollout status") echo 'Waiting for deployment "backend" rollout to finish: 1 out of 2'; echo 'error: x' >&2; exit 1 ;;
"auth can-i") case "$*" in *other*) echo no; exit 1 ;; *) echo yes ;; esac ;;
"get pods") case "$*" in *"--selector app=backend,tier=web "*) echo '{"items":['"$(cat "$DIR/pods")"']}' ;; *) echo '{"items":[`+strings.Replace(waiting, "MESSAGE", "couldn't find key x in Secret y", 1)+`]}' ;; esac ;;
"logs backend-old") echo "all is well" ;;
"logs backend-new") case "$*" in *"--container web --previous"*) echo "boom $(cat '`+w.run.Project.EnvFile.Path+`')" ;; *) echo "all is well" ;; esac ;;`, 1)
			body = strings.Replace(body, `) echo "$2" ;;`, `) case "$*" in *json*) echo '{"spec":{"selector":{"matchLabels":{"tier":"web","app":"backend"}}}}' ;; *) echo "$2" ;; esac ;;`, 1)
			program := stepstest.NewTool(t, "kubectl", strings.ReplaceAll(body, "couldn't", "couldnt"))
			if err := os.WriteFile(filepath.Join(program.Dir, "pods"), []byte(c.pods), 0o600); err != nil {
				t.Fatal(err)
			}
			said, found, err := restarted(t, w)
			if err == nil || !steps.Has(found, c.code) || !strings.Contains(said+found[0].Message+found[0].Fix, c.says) || c.not != "" && strings.Contains(said, c.not) {
				t.Fatalf("error %v, findings %+v\n%s", err, found, said)
			}
			if found[0].Mends() || strings.Contains(found[0].Fix, "keysplit rollback") != (c.code != "place-not-found" && c.code != "access-denied") {
				t.Errorf("no step mends it, and the way back is what helps: %+v", found[0])
			}
			if strings.Contains(said, w.run.Key.Reveal()) {
				t.Error("the log shows the key")
			}
			if strings.Contains(program.Argv(), "rollout") && !strings.Contains(said, "1 out of 2") {
				t.Errorf("no progress is shown: %s", said)
			}
		})
	}
}

// Whoever reads the Secret and is not named stays with the old key: the plan says so.
func TestKubernetesNamesTheOtherUsersOfTheSecret(t *testing.T) {
	ref := func(kind, name, spec string) string {
		template := `{"template":{"spec":` + spec + `}}`
		if kind == "CronJob" {
			template = `{"jobTemplate":{"spec":` + template + `}}`
		}
		return `{"kind":"` + kind + `","metadata":{"name":"` + name + `"},"spec":` + template + `}`
	}
	const byKey = `{"containers":[{"env":[{"valueFrom":{"secretKeyRef":{"name":"sec","key":"jwt"}}}]}]}`
	all := strings.Join([]string{
		ref("Deployment", "backend", byKey),
		ref("Deployment", "worker", byKey),
		ref("StatefulSet", "beat", `{"initContainers":[{"envFrom":[{"secretRef":{"name":"sec"}}]}]}`),
		ref("DaemonSet", "mounts", `{"volumes":[{"secret":{"secretName":"sec"}}]}`),
		ref("Deployment", "otherkey", `{"containers":[{"env":[{"valueFrom":{"secretKeyRef":{"name":"sec","key":"other"}}},{"valueFrom":{}},{}]}]}`),
		ref("Deployment", "nothing", `{"containers":[{"envFrom":[{"configMapRef":{"name":"sec"}}]}]}`),
		ref("CronJob", "clean", byKey),
	}, ",")
	for name, c := range map[string]struct{ answer, target, says, not string }{
		"some":               {`echo '{"items":[` + all + `]}'`, "kubernetes:shop/sec#jwt", "not named: deployment/worker, statefulset/beat, daemonset/mounts. | next run: cronjob/clean", "otherkey"},
		"none":               {`echo '{"items":[]}'`, "kubernetes:shop/sec#jwt", "No other workload", "not named"},
		"it may not look":    {`echo forbidden >&2; exit 1`, "kubernetes:shop/sec#jwt", "could not be looked at", ""},
		"another namespace":  {`exit 1`, "kubernetes:else/sec#jwt", "Name them as well", "could not"},
		"no Secret of ours":  {`exit 1`, "aws:x", "Name them as well", "could not"},
		"an answer like rot": {`echo '{'`, "kubernetes:shop/sec#jwt", "could not be looked at", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, "kubernetes:shop/backend")
			w.run.Options.Targets = []string{c.target}
			stepstest.NewTool(t, "kubectl", strings.Replace(kubectlUp, `"rollout restart"|`, `"get deployments,statefulsets,daemonsets,cronjobs") `+c.answer+` ;;
"rollout restart"|`, 1))
			p, err := w.step.Plan(t.Context(), w.run)
			if err != nil {
				t.Fatal(err)
			}
			said := strings.Join(p.Details, " | ")
			for _, want := range strings.Split(c.says, " | ") {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q: %s", want, said)
				}
			}
			if c.not != "" && strings.Contains(said, c.not) {
				t.Errorf("it says %q: %s", c.not, said)
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

// delivered has the key of a run delivered to a target just now.
func delivered(t *testing.T, w *world, target string) {
	t.Helper()
	t.Setenv("KEYSPLIT_STATE_DIR", t.TempDir())
	j, err := steps.OpenJournal(w.run.Project.Root, steps.DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	w.run.Journal, w.run.Prints = j, j.Prints()
	w.run.Key = w.run.Secret(w.run.Key.Reveal())
	d, err := j.Deliver(steps.Delivery{Target: target, Key: j.Prints().Of(w.run.Key)}, steps.Secret{})
	if err == nil {
		err = j.Delivered(d)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.run.Wrote, w.run.WroteAt = true, time.Now()
}

// platformTests are the three platforms: how an app stands before and after its
// restart, and how when that fails. @ is a time.
var platformTests = map[string]struct {
	spec, program, again string
	up, down             []string // JSON by the command's first word or, with fly, its first two
	log                  string
}{
	"heroku": {"heroku:shop", "heroku", "ps:restart",
		[]string{`releases: [{"version":8,"status":"succeeded","created_at":"@"},{"version":7,"status":"failed"}]`, `ps: [{"type":"web","state":"up","updated_at":"@","release":{"version":8}},{"type":"run","state":"crashed","updated_at":"@"}]`},
		[]string{`releases: [{"version":8,"status":"succeeded","created_at":"@"}]`, `ps: [{"type":"web","state":"crashed","updated_at":"@","release":{"version":8}}]`}, "logs\n--num\n20\n--app\nshop"},
	"fly": {"fly:shop", "fly", "secrets\ndeploy",
		[]string{`machine: [{"state":"started","updated_at":"@"},{"state":"stopped","updated_at":"@","events":[{"type":"exit","timestamp":2,"request":{"exit_event":{"exit_code":143,"requested_stop":true}}},{"type":"exit","timestamp":1,"request":{"exit_event":{"exit_code":1}}}]}]`},
		[]string{`machine: [{"state":"stopped","updated_at":"@","events":[{"type":"exit","timestamp":1,"request":{"exit_event":{"exit_code":1}}}]}]`}, "logs\n--no-tail\n--app\nshop"},
	"railway": {"railway:web@staging", "railway", "redeploy\n--yes",
		[]string{`deployment: [{"status":"SUCCESS","createdAt":"@"}]`}, []string{`deployment: [{"status":"CRASHED","createdAt":"@"}]`}, "logs\n--service\nweb\n--environment\nstaging"},
}

// platformTool is a platform's program, which answers before until it is told to
// restart, and after from then on.
func platformTool(t *testing.T, name, again string, before, after []string, beforeAt, afterAt time.Time) *stepstest.Tool {
	t.Helper()
	script := `state=before; [ ! -e "$DIR/again" ] || state=after
case "$*" in *"redeploy --help"*) cat "$DIR/help" 2>/dev/null || echo "--environment"; exit ;; esac
case "$(printf '%s\n%s' "$1" "$2")" in "` + again + `"*) touch "$DIR/again"; exit ;; esac
case "$1" in logs) echo "the app says $(cat "$DIR/key")"; sleep 0.1; exit ;; esac
cat "$DIR/$state-$1"`
	tool := stepstest.NewTool(t, name, script)
	for state, answers := range map[string][]string{"before": before, "after": after} {
		at := map[string]time.Time{"before": beforeAt, "after": afterAt}[state].UTC().Format(time.RFC3339Nano)
		for _, a := range answers {
			word, text, _ := strings.Cut(a, ": ")
			if err := os.WriteFile(filepath.Join(tool.Dir, state+"-"+word), []byte(strings.ReplaceAll(text, "@", at)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return tool
}

// An app is waited for only when this upgrade delivered to that very app, and from
// then on; any other is restarted, and what was there before the restart is no proof.
func TestPlatformsAreWaitedForOrRestarted(t *testing.T) {
	year := time.Now().Add(-365 * 24 * time.Hour)
	now := time.Now()
	for name, c := range platformTests {
		for what, s := range map[string]struct {
			target        string // that was delivered to
			before, after []string
			at, then      time.Time
			again, fails  bool
		}{
			"after its delivery":                 {c.spec, c.up, c.up, now, now, false, false},
			"what runs is from before":           {c.spec, c.up, c.up, year, year, false, true},
			"it comes up no more":                {c.spec, c.down, c.down, now, now, false, true},
			"another app was delivered to":       {c.spec + "-other", c.up, c.up, year, now, true, false},
			"nothing was delivered":              {"", c.up, c.up, year, now, true, false},
			"a restart that changes nothing":     {"", c.up, c.up, year, year, true, true},
			"it crashes after the restart":       {"", c.up, c.down, year, now, true, true},
			"it had crashed before the restart":  {"", c.down, c.up, year, now, true, false},
			"the clock of the platform is wrong": {"", c.up, c.up, year.Add(-time.Hour), year, true, false},
		} {
			t.Run(name+", "+what, func(t *testing.T) {
				w := managedWorld(t, c.spec)
				if s.fails {
					w.run.Options.Timeout = 1500 * time.Millisecond // one call of a loaded machine takes a part of it
				}
				if s.target != "" {
					delivered(t, w, s.target)
				}
				program := platformTool(t, c.program, c.again, s.before, s.after, s.at, s.then)
				if err := os.WriteFile(filepath.Join(program.Dir, "key"), []byte(w.run.Key.Reveal()), 0o600); err != nil {
					t.Fatal(err)
				}
				said, found, err := restarted(t, w)
				if (err != nil) != s.fails || s.fails && !steps.Has(found, "restart-failed") {
					t.Fatalf("error %v, found %v\n%s", err, found, said)
				}
				if again := strings.Contains(program.Argv(), c.again); again != s.again || strings.Contains(said, "by itself") == s.again {
					t.Errorf("restarted by us: %t\n%s", again, said)
				}
				if s.fails && (!strings.Contains(program.Argv(), c.log) || !strings.Contains(said, "the app says ****") || !strings.Contains(found[0].Fix, strings.ReplaceAll(c.log, "\n", " "))) {
					t.Errorf("its log is not shown: %s\n%s", found[0].Fix, said)
				}
			})
		}
	}
}

// A run that goes on later waits for what the first one delivered; a rollback, for
// what it put back.
func TestPlatformsAreWaitedForLater(t *testing.T) {
	c := platformTests["heroku"]
	for name, rollback := range map[string]bool{"resumed": false, "rollback": true} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, c.spec)
			delivered(t, w, c.spec)
			j, err := steps.OpenJournal(w.run.Project.Root, steps.DefaultEnvironment)
			if err != nil {
				t.Fatal(err)
			}
			w.run.Journal, w.run.Wrote, w.run.WroteAt = j, false, time.Time{}
			if rollback {
				if err := j.TookBack(j.Deliveries()[0]); err != nil {
					t.Fatal(err)
				}
			}
			program := platformTool(t, c.program, c.again, c.up, c.up, time.Now(), time.Now())
			if said, _, err := restarted(t, w); err != nil || strings.Contains(program.Argv(), c.again) {
				t.Errorf("%v\n%s", err, said)
			}
			// Another process, after the rollback, has nothing to wait for.
			if w.run.Journal, err = steps.OpenJournal(w.run.Project.Root, steps.DefaultEnvironment); err != nil {
				t.Fatal(err)
			}
			if _, waits := newHeroku(w.step, "shop").(platform).delivered(w.run); waits == rollback {
				t.Errorf("later: waits %t", waits)
			}
		})
	}
}

// An older railway cannot restart in an environment that is named: that is said
// before anything is changed.
func TestAnOldRailwayDoesNotRestart(t *testing.T) {
	c := platformTests["railway"]
	w := managedWorld(t, c.spec)
	program := platformTool(t, c.program, c.again, c.up, c.up, time.Now(), time.Now())
	if err := os.WriteFile(filepath.Join(program.Dir, "help"), []byte("--service\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := w.step.Plan(t.Context(), w.run)
	var failure *steps.Failure
	if !errors.As(err, &failure) || !steps.Has(failure.Findings, "tool-missing") || !strings.Contains(failure.Findings[0].Fix, "--restart railway:web") {
		t.Errorf("%+v", err)
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
		t.Setenv("KEYSPLIT_STATE_DIR", filepath.Join(t.TempDir(), "state"))
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
		if err != nil || (started == nil) != c.restarted || !strings.Contains(strings.Join(append(texts, w.run.Left...), "\n"), c.says) {
			t.Errorf("%v: %v, restarted %v, said %q", c.specs, err, started == nil, texts)
		}
	}
}

// From staging, a hint without the environment would roll development back, and
// one without the targets would write a key to its .env.
func TestHintsNameEnvironmentAndTargets(t *testing.T) {
	w := managedWorld(t, "systemd:web")
	w.run.Options.Environment, w.run.Options.Targets, w.run.Options.Unattended = "staging", []string{"dotenv:/etc/web.env"}, true
	stepstest.NewTool(t, "systemctl", systemctlUp)
	stepstest.NewTool(t, "sudo", "exit 1")
	by := systemd{Step: w.step, units: "web", root: func() bool { return false }}
	var failure *steps.Failure
	err := by.restart(t.Context(), w.run, func(steps.Event) {})
	if want := "keysplit upgrade --env staging --target dotenv:/etc/web.env --restart none"; !errors.As(err, &failure) || !strings.HasSuffix(failure.Findings[0].Fix, want) {
		t.Errorf("sudo: %+v", err)
	}
	err = wentWrong(w.run, "x", "", "")
	if want := "keysplit rollback --env staging"; !errors.As(err, &failure) || !strings.HasSuffix(failure.Findings[0].Fix, want) {
		t.Errorf("the way back: %+v", err)
	}
}

// A restart of production is asked for by name, whatever the environment is called.
func TestARestartOfProductionIsConfirmed(t *testing.T) {
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
			if err != nil || p.Confirm != c.want || (c.want != "") != strings.Contains(p.Question, "production") {
				t.Errorf("confirm %q, question %q, %v", p.Confirm, p.Question, err)
			}
			w.run.Confirmed = []string{c.want}
			if p, _ := w.step.Plan(t.Context(), w.run); p.Confirm != "" {
				t.Error("asked again for what was typed")
			}
		})
	}
}

func TestSeveralPlatformsAreNamedAtOnce(t *testing.T) {
	for spec, want := range map[string][]string{
		"fly:a,heroku:b":       {"fly:a", "heroku:b"},
		"fly:a,b":              {"fly:a", "fly:b"},
		"systemd:a,b":          {"systemd:a,b"},
		"command:x a,fly:b":    {"command:x a,fly:b"},
		"fly:a,kubernetes:b/c": {"fly:a,kubernetes:b/c"},
		"":                     {""},
	} {
		if got := apart(spec); !slices.Equal(got, want) {
			t.Errorf("%q: %q", spec, got)
		}
	}
	w := managedWorld(t, "fly:a,heroku:b")
	if p, err := w.step.Plan(t.Context(), w.run); err != nil || !strings.Contains(p.Summary, "app a") || !strings.Contains(p.Summary, "app b") {
		t.Errorf("%+v, %v", p, err)
	}
}

// The EnvironmentFile must be the file that was written: a unit that gets SECRET_KEY
// from another one would start without the new key, or not at all.
func TestSystemdEnvironmentFileThatWasNotWritten(t *testing.T) {
	type files map[string]string // names below the unit's folder; "" is a folder, which cannot be read
	for name, c := range map[string]struct {
		files  files
		units  []string // EnvironmentFiles, in order
		target string
		code   steps.Code
		says   string
	}{
		"the file that was written":  {files{"a": "SECRET_KEY=s\nJWT_SECRET_KEY=KEY\n"}, []string{"a"}, "a", "", ""},
		"another, with SECRET_KEY":   {files{"a": "SECRET_KEY=s\n", "b": "JWT_SECRET_KEY=KEY\n"}, []string{"a"}, "b", "env-file-wrong-place", "--target dotenv:"},
		"another, about other":       {files{"a": "PORT=1\n", "b": "JWT_SECRET_KEY=KEY\n"}, []string{"a"}, "b", "", "names no file that was written"},
		"none at all":                {files{"b": "JWT_SECRET_KEY=KEY\n"}, nil, "b", "", ""},
		"one that is not there":      {files{"b": "JWT_SECRET_KEY=KEY\n"}, []string{"gone", "b"}, "b", "", ""},
		"a later one cannot be read": {files{"a": "JWT_SECRET_KEY=another\n", "b": ""}, []string{"a", "b"}, "a", "", "only root can read"},
		"an earlier one cannot":      {files{"a": "", "b": "JWT_SECRET_KEY=another\n"}, []string{"a", "b"}, "a", "jwt-key-shadowed", ""},
		"the one that was written":   {files{"a": ""}, []string{"a"}, "a", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, "systemd:web")
			dir := t.TempDir()
			for name, text := range c.files {
				path := filepath.Join(dir, name)
				var err error
				if text == "" {
					err = os.Mkdir(path, 0o700)
				} else {
					err = os.WriteFile(path, []byte(strings.Replace(text, "KEY\n", w.run.Key.Reveal()+"\n", 1)), 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			text := ""
			for _, f := range c.units {
				text += `EnvironmentFiles=` + filepath.Join(dir, f) + ` (ignore_errors=yes)\n`
			}
			stepstest.NewTool(t, "systemctl", `printf 'LoadState=loaded\nActiveState=active\nMainPID=7\n`+text+`'`)
			w.run.Targets = []steps.Target{&stepstest.Place{Name: "dotenv:" + filepath.Join(dir, c.target)}}
			p, err := w.step.Plan(t.Context(), w.run)
			var failure *steps.Failure
			if errors.As(err, &failure) != (c.code != "") || c.code != "" && !steps.Has(failure.Findings, c.code) {
				t.Fatalf("error %v, want %q", err, c.code)
			}
			said := strings.Join(p.Effects, "\n")
			if failure != nil {
				said = failure.Findings[0].Fix
			}
			if !strings.Contains(said, c.says) || c.says == "" && err == nil && len(p.Effects) != 1 {
				t.Errorf("said %q", said)
			}
		})
	}
}

// A unit that had failed before is failed until systemd starts it.
func TestSystemdUnitThatHadFailedBefore(t *testing.T) {
	const slow = `case "$1" in
show) n=$(cat "$DIR/n" 2>/dev/null || echo 0)
  if [ ! -e "$DIR/r" ]; then printf 'LoadState=loaded\nActiveState=failed\nSubState=failed\nMainPID=0\nResult=exit-code\nInvocationID=a\n'
  elif [ $n -lt 3 ]; then echo $((n+1)) >"$DIR/n"; printf 'LoadState=loaded\nActiveState=failed\nMainPID=0\nResult=exit-code\nJob=12\nInvocationID=a\n'
  else printf 'LoadState=loaded\nActiveState=@state\nSubState=running\nMainPID=@pid\nNRestarts=0\nResult=@result\nInvocationID=b\n'; fi ;;
restart) touch "$DIR/r" ;;
esac`
	for name, c := range map[string]struct {
		state, pid, result string
		byHand, fails      bool
	}{
		"it comes up":          {"active", "300", "success", false, false},
		"it fails again":       {"failed", "0", "exit-code", false, true},
		"by hand, it comes up": {"active", "300", "success", true, false},
		"by hand, it fails":    {"failed", "0", "exit-code", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, "systemd:web")
			program := stepstest.NewTool(t, "systemctl", strings.NewReplacer("@state", c.state, "@pid", c.pid, "@result", c.result).Replace(slow))
			stepstest.NewTool(t, "journalctl", "exit 0")
			by := systemd{Step: w.step, units: "web", root: func() bool { return !c.byHand }}
			if c.byHand {
				stepstest.NewTool(t, "sudo", `(sleep 0.3; touch "`+program.Dir+`/r") >/dev/null 2>&1 & exit 1`)
			}
			if err := by.restart(t.Context(), w.run, func(steps.Event) {}); (err != nil) != c.fails {
				t.Errorf("error %v", err)
			}
		})
	}
}

// A target's own compose file is the one whose containers are made anew, and the
// journal keeps it: a rollback knows no target.
func TestComposeTakesTheFileOfTheTarget(t *testing.T) {
	for target, want := range map[string]string{"compose:deploy/stack.yml#web": "--file\n", "compose:compose.yaml#web": "compose\nup"} {
		w := managedWorld(t, "compose:web,worker")
		t.Setenv("KEYSPLIT_STATE_DIR", t.TempDir())
		file, _, _ := strings.Cut(strings.TrimPrefix(target, "compose:"), "#")
		path := filepath.Join(w.run.Project.Root, file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("services: {}\n"), 0o600)); err != nil {
			t.Fatal(err)
		}
		var err error
		if w.run.Journal, err = steps.OpenJournal(w.run.Project.Root, steps.DefaultEnvironment); err != nil {
			t.Fatal(err)
		}
		program := stepstest.NewTool(t, "docker", strings.ReplaceAll(dockerUp, `case "$*" in`, `set -- $(echo "$*" | sed "s# --file [^ ]*##"); case "$*" in`))
		if err := os.WriteFile(filepath.Join(program.Dir, "env.json"), []byte(`["JWT_SECRET_KEY=`+w.run.Key.Reveal()+`"]`), 0o600); err != nil {
			t.Fatal(err)
		}
		w.run.Options.Targets = []string{target}
		if said, _, err := restarted(t, w); err != nil || !strings.Contains(program.Argv(), want) {
			t.Fatalf("%s: %v\n%s\n%s", target, err, said, program.Argv())
		}
		kept := w.run.Journal.RestartedBy()
		w.run.Options.Targets, w.run.Options.Restart = nil, ""
		if _, _, err := do(w.step.Undo, w.run); err != nil || strings.Count(program.Argv(), path+"\nup\n") != 2*strings.Count(want, "--file") {
			t.Errorf("%s: the journal has %q, %v\n%s", target, kept, err, program.Argv())
		}
	}
}

// Each replica counts, and a container without the key is no proof.
func TestComposeLooksAtEveryReplica(t *testing.T) {
	const replicas = `case "$*" in
"compose version --short") echo 2.40.3 ;;
"compose config --services") echo web ;;
"compose ps --quiet web") if [ -e "$DIR/up" ]; then cat "$DIR/after"; else printf 'a\nb\n'; fi ;;
"compose up "*) touch "$DIR/up"; echo ' Container x-web-1  Recreated'; echo 'SECRET=of the file' ;;
"compose logs "*) echo "no such module" ;;
inspect*) echo '[{"State":{"Status":"running"},"Config":{"Env":'"$(cat "$DIR/$2.json")"'}}]' ;;
esac`
	for name, c := range map[string]struct {
		after        string
		first, other string // the environment of the two
		target       string
		code         steps.Code
		says         string
	}{
		"both new, with the key": {"c\nd\n", `["JWT_SECRET_KEY=KEY"]`, `["JWT_SECRET_KEY=KEY"]`, "", "", "2 new containers, with the new key"},
		"one is the old one":     {"c\nb\n", `["JWT_SECRET_KEY=KEY"]`, `[]`, "", "restart-failed", ""},
		"one has another key":    {"c\nd\n", `["JWT_SECRET_KEY=KEY"]`, `["JWT_SECRET_KEY=x"]`, "", "jwt-key-shadowed", ""},
		"neither has a key":      {"c\nd\n", `[]`, `[]`, "", "", "does not hold the key: step 5 proves it"},
		"not given what it was":  {"c\nd\n", `[]`, `[]`, "compose:compose.yaml#web", "compose-missing-key", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, "compose:web")
			if c.target != "" {
				w.run.Options.Targets = []string{c.target}
			}
			program := stepstest.NewTool(t, "docker", replicas)
			for name, text := range map[string]string{"after": c.after, "c.json": c.first, "d.json": c.other} {
				if err := os.WriteFile(filepath.Join(program.Dir, name), []byte(strings.ReplaceAll(text, "KEY\"", w.run.Key.Reveal()+"\"")), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			details := ""
			_, found, err := do(func(ctx context.Context, run *steps.Run, emit steps.Emit) error {
				return w.step.Apply(ctx, run, func(ev steps.Event) { details += ev.Text + ": " + ev.Detail + "\n"; emit(ev) })
			}, w.run)
			if c.code == "" && err != nil || c.code != "" && (!steps.Has(found, c.code) || found[0].Mends()) {
				t.Fatalf("error %v, %v", err, found)
			}
			if !strings.Contains(details, "Container x-web-1  Recreated") || strings.Contains(details, "SECRET") || !strings.Contains(details, c.says) {
				t.Errorf("what it says of its progress is not shown, or more than that:\n%s", details)
			}
		})
	}
}

// Services that take longer than one call may are not killed in mid-start, and when
// their own time is over, their log is shown.
func TestComposeTakesItsTime(t *testing.T) {
	for _, within := range []time.Duration{0, 300 * time.Millisecond} {
		w := managedWorld(t, "compose:web")
		w.run.Options.Timeout, w.step.StartsWithin = time.Second, within
		program := stepstest.NewTool(t, "docker", strings.Replace(dockerUp, `"compose up "*)`, `"compose up "*) sleep 2;`, 1))
		if err := os.WriteFile(filepath.Join(program.Dir, "env.json"), []byte("[]"), 0o600); err != nil {
			t.Fatal(err)
		}
		texts, found, err := do(w.step.Apply, w.run)
		if within == 0 && err != nil {
			t.Errorf("killed in mid-start: %v", err)
		}
		if within > 0 && (!steps.Has(found, "restart-failed") || !hasText(texts, "no such module")) {
			t.Errorf("error %v, said %q", err, texts)
		}
	}
}
