//go:build unix

package restart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// kubectlUp answers for two workloads that come up.
const kubectlUp = `case "$1 $2" in
"config current-context") echo kind-test ;;
"get deployment/backend"|"get deployment/worker") echo "$2" ;;
"rollout restart"|"rollout status") ;;
*) echo 'Error from server (NotFound): deployments.apps "x" not found' >&2; exit 1 ;;
esac`

func TestKubernetesRollsTheWorkloadsOut(t *testing.T) {
	t.Parallel()
	w := managedWorld(t, "kubernetes:shop/backend,worker")
	program := stepstest.NewTool(t, "kubectl", kubectlUp)
	said, _, err := restarted(t, w)
	if err != nil || !strings.Contains(said, "rolled out deployment/worker") || !strings.Contains(said, "kind-test") {
		t.Fatalf("error %v\n%s", err, said)
	}
	if calls := program.Argv(); strings.Count(calls, "--namespace\nshop") < 6 || !strings.Contains(calls, "rollout\nrestart\ndeployment/backend") {
		t.Errorf("calls %s", calls)
	}
}

func TestKubernetesPodsThatDoNotComeUp(t *testing.T) {
	t.Parallel()
	const (
		healthy  = `{"metadata":{"name":"backend-old","creationTimestamp":"2026-01-01T00:00:00Z"},"status":{"conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"web","ready":true,"state":{"running":{}}}]}}`
		crashing = `{"metadata":{"name":"backend-new","creationTimestamp":"2026-01-02T00:00:00Z"},"status":{"conditions":[{"type":"Ready","status":"False"}],"containerStatuses":[{"name":"side","ready":true,"state":{"running":{}}},{"name":"web","restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}}`
		waiting  = `{"metadata":{"name":"backend-new"},"status":{"containerStatuses":[{"name":"web","state":{"waiting":{"reason":"CreateContainerConfigError","message":"MESSAGE"}}}]}}`
	)
	for name, c := range map[string]struct {
		pods, spec string
		code       finding.Code
		says       string
		not        string
	}{
		"a missing key":          {healthy + "," + strings.Replace(waiting, "MESSAGE", "couldn't find key jwt in Secret shop/backend", 1), "kubernetes:backend", "kubernetes-missing-key", "couldn't find key jwt", ""},
		"a missing ConfigMap":    {strings.Replace(waiting, "MESSAGE", "couldn't find key a in ConfigMap shop/b", 1), "kubernetes:backend", "restart-failed", "in ConfigMap shop/b", ""},
		"a crash":                {healthy + "," + crashing, "kubernetes:backend", "restart-failed", "backend-new stopped with ImproperlyConfigured: the key JWT_SECRET_KEY=****.", "all is well"},
		"nothing is known":       {"", "kubernetes:backend", "restart-failed", "kubectl describe", ""},
		"in a namespace":         {"", "kubernetes:shop/backend", "restart-failed", "kubectl describe deployment/backend --namespace shop and kubectl get pods --namespace shop.", ""},
		"no deployment":          {"", "kubernetes:nothing", "place-not-found", "", ""},
		"no right to restart it": {"", "kubernetes:other/backend", "access-denied", "kubectl rollout restart deployment/backend --namespace other", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, c.spec)
			body := strings.Replace(kubectlUp, `"rollout restart"|"rollout status") ;;`, `"rollout restart") ;;
"rollout status") echo 'Waiting for deployment "backend" rollout to finish: 1 out of 2'; echo 'error: x' >&2; exit 1 ;;
"auth can-i") case "$*" in *other*) echo no; exit 1 ;; *) echo yes ;; esac ;;
"get pods") case "$*" in *"--selector app=backend,tier=web "*) echo '{"items":['"$(cat "$DIR/pods")"']}' ;; *) echo '{"items":[`+strings.Replace(waiting, "MESSAGE", "couldn't find key x in Secret y", 1)+`]}' ;; esac ;;
"logs backend-old") echo "all is well" ;;
"logs backend-new") case "$*" in *"--container web --previous"*) echo "ImproperlyConfigured: the key $(cat '`+w.run.Project.EnvFile.Path+`')" ;; *) echo "all is well" ;; esac ;;`, 1)
			body = strings.Replace(body, `) echo "$2" ;;`, `) case "$*" in *json*) echo '{"spec":{"selector":{"matchLabels":{"tier":"web","app":"backend"}}}}' ;; *) echo "$2" ;; esac ;;`, 1)
			program := stepstest.NewTool(t, "kubectl", strings.ReplaceAll(body, "couldn't", "couldnt"))
			if err := os.WriteFile(filepath.Join(program.Dir, "pods"), []byte(c.pods), 0o600); err != nil {
				t.Fatal(err)
			}
			said, found, err := restarted(t, w)
			if err == nil || !finding.Has(found, c.code) || !strings.Contains(said+found[0].Message.Rendered()+found[0].Fix.Rendered(), c.says) || c.not != "" && strings.Contains(said, c.not) {
				t.Fatalf("error %v, findings %+v\n%s", err, found, said)
			}
			if found[0].FixedBySteps() || strings.Contains(found[0].Fix.Rendered(), "keysplit rollback") != (c.code != "place-not-found" && c.code != "access-denied") {
				t.Errorf("no step fixes it, and the way back is what helps: %+v", found[0])
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
	t.Parallel()
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
			w.run.Targets = []steps.Target{target(t, c.target)}
			stepstest.NewTool(t, "kubectl", strings.Replace(kubectlUp, `"rollout restart"|`, `"get deployments,statefulsets,daemonsets,cronjobs") `+c.answer+` ;;
"rollout restart"|`, 1))
			p, err := w.step.Plan(t.Context(), w.run)
			if err != nil {
				t.Fatal(err)
			}
			said := stepstest.Rendered(p.Details, " | ")
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
