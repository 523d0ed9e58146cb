package grace

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/vendor"
)

// carried is a target that leads to one of the vendors.
type carried struct {
	steps.Target
	to any
}

func (c carried) Vendor() any { return c.to }

// leadsTo makes a run with one target, from its spec.
func leadsTo(t *testing.T, spec string) *steps.Run {
	t.Helper()
	run := stepstest.NewRun(t, "", nil)
	run.Options.Timeout = 10 * time.Second
	run.Project.TopLevel = run.Project.Root
	name, argument, _ := strings.Cut(spec, ":")
	for _, v := range vendor.All {
		var to any
		var err error
		switch {
		case v.Name != name:
			continue
		case v.Store.Parse != nil:
			to, err = v.Store.Parse(argument)
		default:
			to, err = v.File.Parse(argument)
		}
		if err != nil {
			t.Fatal(err)
		}
		run.Targets = []steps.Target{carried{to: to}}
	}
	return run
}

const (
	byName = `{"name":"JWT_SECRET_KEY","valueFrom":{"secretKeyRef":{"name":"backend","key":"jwt-secret-key"}}}`
	both   = `,{"name":"JWT_PREVIOUS_SECRET_KEY","valueFrom":{"secretKeyRef":{"name":"backend","key":"x"}}},{"name":"JWT_PREVIOUS_SECRET_KEY_UNTIL"}`
	whole  = `[{"secretRef":{"name":"backend"}}]`
)

// What gives the backend its key by name, and not both variables of the grace period, is
// found before anything is written, with the lines to add; what gives it a whole Secret or
// file is not.
func TestVariablesThatReachNoBackend(t *testing.T) {
	of := func(env, envFrom string) string {
		return `{"items":[{"kind":"Deployment","metadata":{"name":"web"},"spec":{"template":{"spec":{"containers":[{"env":[` + env + `],"envFrom":` + envFrom + `}]}}}}]}`
	}
	compose := "services:\n  web:\n    image: x\n    environment:\n      JWT_SECRET_KEY: ${JWT_SECRET_KEY:?}\n"
	task := `{"secrets": [{"name": "JWT_SECRET_KEY", "valueFrom": "arn:aws:secretsmanager:eu-west-1:1:secret:prod/shop-AbCdEf:JWT_SECRET_KEY::"}%]}`
	manifest := "apiVersion: apps/v1\nkind: Deployment\nspec:\n  template:\n    spec:\n      containers:\n        - name: web\n          env:\n            - name: JWT_SECRET_KEY\n              valueFrom:\n                secretKeyRef: {name: backend, key: jwt-secret-key}\n"
	for name, c := range map[string]struct {
		spec, kubectl, file, content string
		where                        string   // "" where all is mapped
		lines                        []string // parts of them
	}{
		"kubernetes, by name":             {"kubernetes:backend", of(byName, "[]"), "", "", "env of deployment/web", []string{"- {name: JWT_PREVIOUS_SECRET_KEY, valueFrom: {secretKeyRef: {name: backend, key: jwt-previous-secret-key, optional: true}}}", "JWT_PREVIOUS_SECRET_KEY_UNTIL, valueFrom: {secretKeyRef: {name: backend, key: jwt-previous-secret-key-until, optional"}},
		"kubernetes, one of the two":      {"kubernetes:backend", of(byName+`,{"name":"JWT_PREVIOUS_SECRET_KEY"}`, "[]"), "", "", "env of deployment/web", nil},
		"kubernetes, both":                {"kubernetes:backend", of(byName+both, "[]"), "", "", "", nil},
		"kubernetes, whole":               {"kubernetes:backend#JWT_SECRET_KEY", of("", whole), "", "", "", nil},
		"kubernetes, whole, other names":  {"kubernetes:backend", of(byName, whole), "", "", "env of deployment/web", nil},
		"kubernetes, another Secret":      {"kubernetes:other", of(byName, "[]"), "", "", "", nil},
		"kubernetes, not told, a file":    {"kubernetes:backend", "", "k8s/web.yaml", manifest, "k8s/web.yaml:9", []string{"optional: true"}},
		"kubernetes, not told, both":      {"kubernetes:backend", "", "k8s/web.yaml", manifest + "            - name: JWT_PREVIOUS_SECRET_KEY\n              valueFrom:\n                secretKeyRef: {name: backend, key: p}\n            - name: JWT_PREVIOUS_SECRET_KEY_UNTIL\n              value: x\n", "", nil},
		"kubernetes, not told, another's": {"kubernetes:other", "", "k8s/web.yaml", manifest, "", nil},
		"kubernetes, told, a stale file":  {"kubernetes:backend", of(byName+both, "[]"), "k8s/web.yaml", manifest, "", nil},
		"compose, by name":                {"compose:compose.yml", "", "compose.yml", compose, "environment of the service web in compose.yml", []string{"JWT_PREVIOUS_SECRET_KEY: ${JWT_PREVIOUS_SECRET_KEY:-}", "JWT_PREVIOUS_SECRET_KEY_UNTIL: ${JWT_PREVIOUS_SECRET_KEY_UNTIL:-}"}},
		"compose, both":                   {"compose:compose.yml", "", "compose.yml", compose + "      JWT_PREVIOUS_SECRET_KEY:\n      JWT_PREVIOUS_SECRET_KEY_UNTIL:\n", "", nil},
		"compose, the same file whole":    {"compose:compose.yml", "", "compose.yml", compose + "    env_file: .env\n", "", nil},
		"compose, a file":                 {"compose:compose.yml", "", "compose.yml", "services:\n  web:\n    image: x\n    env_file: .env\n", "", nil},
		"ECS, by name":                    {"aws:prod/shop#JWT_SECRET_KEY", "", "deploy/task-definition.json", strings.Replace(task, "%", "", 1), "deploy/task-definition.json:1", []string{`{"name": "JWT_PREVIOUS_SECRET_KEY", "valueFrom": "arn:aws:secretsmanager:eu-west-1:1:secret:prod/shop-AbCdEf:JWT_PREVIOUS_SECRET_KEY::`}},
		"ECS, both":                       {"aws:prod/shop#JWT_SECRET_KEY", "", "deploy/task-definition.json", strings.Replace(task, "%", `, {"name": "JWT_PREVIOUS_SECRET_KEY"}, {"name": "JWT_PREVIOUS_SECRET_KEY_UNTIL"}`, 1), "", nil},
		"ECS, another secret":             {"aws:stage/shop#JWT_SECRET_KEY", "", "deploy/task-definition.json", strings.Replace(task, "%", "", 1), "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			kubectl := stepstest.NewTool(t, "kubectl", `[ -s "$DIR/answer" ] || { echo forbidden >&2; exit 1; }; cat "$DIR/answer"`)
			run := leadsTo(t, c.spec)
			stepstest.NewTool(t, "docker", `exit 1`)
			if err := os.WriteFile(filepath.Join(kubectl.Dir, "answer"), []byte(c.kubectl), 0o600); err != nil {
				t.Fatal(err)
			}
			if c.file != "" {
				path := filepath.Join(run.Project.Root, c.file)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(c.content), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			err := mapped(t.Context(), run)
			var failure *steps.Failure
			switch {
			case c.where == "" && err != nil:
				t.Fatalf("all is mapped: %v", err)
			case c.where == "":
				return
			case !errors.As(err, &failure) || len(failure.Findings) != 1 || failure.Findings[0].Code != "grace-not-mapped":
				t.Fatalf("nothing is found: %v", err)
			}
			f := failure.Findings[0]
			if f.File != c.where {
				t.Errorf("where: %q", f.File)
			}
			for _, line := range c.lines {
				if !strings.Contains(f.Fix.Rendered(), line) {
					t.Errorf("it lacks %s\n%s", line, f.Fix.Rendered())
				}
			}
		})
	}
}

// A look at the files that was cut short has not seen that nothing is missing.
func TestAMappingThatWasNotLookedFor(t *testing.T) {
	run := leadsTo(t, "kubernetes:backend")
	stepstest.NewTool(t, "kubectl", "exit 1")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := mapped(ctx, run); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
