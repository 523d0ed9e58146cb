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
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// A worker of the same backend that gets the key from the same file and was not named
// goes on with what it was made with: the restart is not done. A database that is given
// the file, and a service with the new key, are no such worker.
func TestComposeFindsTheWorkerThatWasNotNamed(t *testing.T) {
	t.Parallel()
	const docker = `case "$*" in
"compose version --short") echo 2.40.3 ;;
"compose --profile * config --services --no-interpolate") printf 'web\nworker\ndb\n' ;;
"compose ps --quiet web") if [ -e "$DIR/up" ]; then echo new; else echo old; fi ;;
"compose ps --quiet worker") [ ! -e "$DIR/refuses" ] || exit 1; cat "$DIR/runs" ;;
"compose ps --quiet db") echo db ;;
"compose up "*) touch "$DIR/up" ;;
"inspect new") echo '[{"State":{"Status":"running"},"Image":"sha256:a","Config":{"Env":["JWT_SECRET_KEY='"$(cat "$DIR/key")"'"]}}]' ;;
"inspect worker") echo '[{"State":{"Status":"running"'"$(cat "$DIR/more")"'},"Image":"'"$(cat "$DIR/image")"'","Config":{"Env":'"$(cat "$DIR/env")"'},"Mounts":[{"Source":"'"$(cat "$DIR/mount")"'"}]}]' ;;
"inspect db") echo '[{"State":{"Status":"running"},"Image":"sha256:postgres","Config":{"Env":["JWT_SECRET_KEY=old"]}}]' ;;
*) exit 9 ;;
esac`
	const file = "services:\n  web: {image: shop, env_file: .env}\n  worker: {image: shop, env_file: WORKER}\n  db: {image: postgres, env_file: .env}\n"
	for name, c := range map[string]struct {
		image, env, runs, reads string
		refuses                 bool
		stale                   bool
		mounts, started         string // a path under the project's folder; of the container
	}{
		"it has the old key":          {"sha256:a", `["JWT_SECRET_KEY=old"]`, "worker", ".env", false, true, "", ""},
		"it was made without one":     {"sha256:a", `[]`, "worker", ".env", false, true, "", ""},
		"it has the new key":          {"sha256:a", `["JWT_SECRET_KEY=KEY"]`, "worker", ".env", false, false, "", ""},
		"it does not run":             {"sha256:a", `[]`, "", ".env", false, false, "", ""},
		"another image":               {"sha256:b", `["JWT_SECRET_KEY=old"]`, "worker", ".env", false, false, "", ""},
		"a file of its own":           {"sha256:a", `["JWT_SECRET_KEY=old"]`, "worker", ".env.worker", false, false, "", ""},
		"it cannot be looked at":      {"sha256:a", `[]`, "worker", ".env", true, false, "", ""},
		"it mounts the file, older":   {"sha256:a", `[]`, "worker", ".env", false, true, ".env", "2026-01-01T00:00:00Z"},
		"it mounts the file, younger": {"sha256:a", `[]`, "worker", ".env", false, false, ".env", "2026-01-01T00:01:00Z"},
		"it mounts the folder":        {"sha256:a", `[]`, "worker", ".env", false, false, ".", "2026-01-01T00:01:00Z"},
		"it mounts another":           {"sha256:a", `[]`, "worker", ".env", false, true, "media", "2026-01-01T00:01:00Z"},
		"mounted, and another key":    {"sha256:a", `["JWT_SECRET_KEY=old"]`, "worker", ".env", false, true, ".env", "2026-01-01T00:01:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := managedWorld(t, "compose:web")
			program := stepstest.NewTool(t, "docker", docker)
			var errs []error
			more, mount := "", filepath.Join(w.run.Project.Root, c.mounts)
			if c.started != "" {
				more = `,"StartedAt":"` + c.started + `"`
				at, err := time.Parse(time.RFC3339, "2026-01-01T00:00:30Z")
				errs = append(errs, err)
				w.run.Written = steps.Written{Wrote: true, WroteAt: at}
			} else {
				mount = "/srv/media"
			}
			for name, text := range map[string]string{"key": w.run.Key.Reveal(), "env": strings.ReplaceAll(c.env, "KEY\"", w.run.Key.Reveal()+"\""), "image": c.image, "runs": c.runs, "more": more, "mount": mount} {
				errs = append(errs, os.WriteFile(filepath.Join(program.Dir, name), []byte(text), 0o600))
			}
			if c.refuses {
				errs = append(errs, os.WriteFile(filepath.Join(program.Dir, "refuses"), nil, 0o600))
			}
			errs = append(errs, os.WriteFile(filepath.Join(w.run.Project.Root, "compose.yaml"), []byte(strings.ReplaceAll(file, "WORKER", c.reads)), 0o600))
			if err := errors.Join(errs...); err != nil {
				t.Fatal(err)
			}
			said, found, err := restarted(t, w)
			if stale := finding.Has(found, finding.ServerStaleKey); stale != c.stale || (err != nil) != c.stale {
				t.Fatalf("stale: %v, want %v: %v, %v\n%s", stale, c.stale, err, found, said)
			}
			if c.stale && !strings.Contains(found[0].Fix.Rendered(), "--restart compose:web,worker") {
				t.Errorf("the fix is %q", found[0].Fix.Rendered())
			}
			if strings.Contains(said, w.run.Key.Reveal()) {
				t.Error("the key is shown")
			}
		})
	}
}

// Containers of a compose file that the key went to are looked at whatever restarted
// them: a command that recreates none of them has not restarted the backend, and where
// keysplit restarts nothing it tells of them.
func TestContainersThatACommandRestarts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		restart    string
		web, other string // what each has: the new key, another, or nothing runs
		docker     bool
		severity   finding.Severity // of the finding
		says       string
	}{
		"both are recreated":      {"command:true", "new", "new", true, "", "containers of web, worker"},
		"it recreates nothing":    {"command:true", "old", "old", true, finding.Error, "web, worker"},
		"a worker is left":        {"command:true", "new", "old", true, finding.Error, "worker"},
		"later than the command":  {"command:touch ROOT/late", "late", "late", true, "", "containers of web, worker"},
		"none runs":               {"command:true", "none", "none", true, "", "containers of web"},
		"no docker":               {"command:true", "old", "old", false, "", "containers of web"},
		"nothing is restarted":    {"none", "old", "old", true, finding.Warning, "web, worker"},
		"restarted by the person": {"none", "new", "new", true, "", "containers of web, worker"},
		"a server beside them":    {"runserver", "old", "old", true, finding.Error, "web, worker"},
		"a worker, and not by us": {"none", "new", "old", true, finding.Warning, "worker"},
	} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, "none")
			root := w.run.Project.Root
			if c.restart != "none" {
				w.run.Options.Restart = by(t, strings.ReplaceAll(c.restart, "ROOT", root))
			}
			w.step.Start = func(context.Context, *steps.Run) (string, func(), error) { return "http://127.0.0.1:1", func() {}, nil }
			if c.severity != "" {
				w.run.Options.Timeout = 2 * time.Second // they stay; a look at all takes half a second on a busy machine
			}
			w.run.Targets = []steps.Target{target(t, "compose:compose.yaml#web")}
			program := stepstest.NewTool(t, "docker", `[ ! -e "$DIR/none" ] || exit 1
case "$*" in
"compose version --short") echo 2.40.3 ;;
"compose ps --quiet web") [ "$(cat "$DIR/web")" = none ] || echo web ;;
"compose ps --quiet db") ;;
"compose ps --quiet worker") [ "$(cat "$DIR/worker")" = none ] || echo worker ;;
"inspect "*) has=$(cat "$DIR/$2")
	[ "$has" != late ] || { has=old; [ ! -e "`+root+`/late" ] || { echo x >>"$DIR/looks"; [ $(wc -l <"$DIR/looks") -lt 3 ] || has=new; }; }
	echo '[{"State":{"Status":"running"},"Image":"sha256:a","Config":{"Env":["JWT_SECRET_KEY='"$(cat "$DIR/$has")"'"]}}]' ;;
*) exit 9 ;;
esac`)
			files := map[string]string{"web": c.web, "worker": c.other, "new": w.run.Key.Reveal(), "old": newKey()}
			if !c.docker {
				files["none"] = ""
				stepstest.NewTool(t, "docker-compose", "exit 1")
			}
			err := os.WriteFile(filepath.Join(root, "compose.yaml"), []byte("services:\n  web: {build: ., env_file: .env}\n  worker: {build: ., env_file: .env}\n  db: {image: postgres, env_file: .env}\n"), 0o600)
			for name, text := range files {
				err = errors.Join(err, os.WriteFile(filepath.Join(program.Dir, name), []byte(text), 0o600))
			}
			if err != nil {
				t.Fatal(err)
			}
			said, found, err := restarted(t, w)
			stale := slices.IndexFunc(found, func(f finding.Finding) bool { return f.Code == finding.ServerStaleKey })
			switch {
			case (err != nil) != (c.severity == finding.Error), (stale >= 0) != (c.severity != ""):
				t.Fatalf("%v, %v\n%s", err, found, said)
			case !strings.Contains(said, c.says):
				t.Errorf("%q is not said:\n%s", c.says, said)
			case stale >= 0 && (found[stale].Severity != c.severity || !strings.Contains(found[stale].Fix.Rendered(), "--restart compose:compose.yaml#web")):
				t.Errorf("the finding is %+v, %s", found[stale], found[stale].Fix.Rendered())
			}
		})
	}
}

// No pod that reads the Secret is older than the key in it: not one of what was rolled
// out, and not one of a workload that was not named.
func TestKubernetesFindsPodsOlderThanTheKey(t *testing.T) {
	t.Parallel()
	const (
		old = "2026-01-01T00:00:00Z"
		now = "2026-01-01T00:01:00Z"
	)
	const body = `case "$1 $2" in
"config current-context") echo kind-test ;;
"rollout restart"|"rollout status") ;;
"auth can-i") echo yes ;;
"get deployments,statefulsets,daemonsets,cronjobs") [ ! -e "$DIR/refuses" ] || exit 1; cat "$DIR/readers" ;;
"get pods") case "$*" in *app=worker*) cat "$DIR/worker" ;; *) cat "$DIR/backend" ;; esac ;;
"get deployment/"*) case "$*" in *json*) echo '{"spec":{"selector":{"matchLabels":{"app":"'"${2#*/}"'"}}}}' ;; *) echo "$2" ;; esac ;;
*) exit 1 ;;
esac`
	reads := func(names ...string) string {
		var items []string
		for _, name := range names {
			items = append(items, `{"kind":"Deployment","metadata":{"name":"`+name+`"},"spec":{"template":{"spec":{"containers":[{"envFrom":[{"secretRef":{"name":"sec"}}]}]}}}}`)
		}
		return `{"items":[` + strings.Join(items, ",") + `]}`
	}
	pods := func(more string, made ...string) string {
		var items []string
		for _, at := range made {
			items = append(items, `{"metadata":{"name":"p","creationTimestamp":"`+at+`"`+more+`},"status":{"phase":"Running"}}`)
		}
		return `{"items":[` + strings.Join(items, ",") + `]}`
	}
	for name, c := range map[string]struct {
		readers, backend, worker string
		wrote                    bool
		refuses                  bool
		stale                    string // the workload, "" for none
	}{
		"all are new":              {reads("backend", "worker"), pods("", now, now), pods("", now), true, false, ""},
		"a worker is not named":    {reads("backend", "worker"), pods("", now), pods("", now, old), true, false, "deployment/worker"},
		"one of the named is old":  {reads("backend"), pods("", now, old), pods("", old), true, false, "deployment/backend"},
		"the old one is going":     {reads("backend"), pods(`,"deletionTimestamp":"`+now+`"`, old), pods("", old), true, false, ""},
		"the worker reads another": {reads("backend"), pods("", now), pods("", old), true, false, ""},
		"nothing was written":      {reads("backend", "worker"), pods("", old), pods("", old), false, false, ""},
		"by a command, all new":    {reads("backend", "worker"), pods("", now), pods("", now), true, false, ""},
		"by a command, one is old": {reads("backend", "worker"), pods("", now), pods("", old), true, false, "deployment/worker"},
		"it may not look":          {reads("backend", "worker"), pods("", now), pods("", old), true, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			restart, all := "kubernetes:shop/backend", "deployment/backend"
			if strings.HasPrefix(name, "by a command") {
				restart, all = "command:true", "deployment/worker"
			}
			w := managedWorld(t, restart)
			w.run.Options.Timeout = 500 * time.Millisecond
			w.run.Targets = []steps.Target{target(t, "kubernetes:shop/sec#jwt")}
			if w.run.Wrote = c.wrote; c.wrote {
				at, err := time.Parse(time.RFC3339, "2026-01-01T00:00:30Z")
				if err != nil {
					t.Fatal(err)
				}
				w.run.WroteAt = at
			}
			program := stepstest.NewTool(t, "kubectl", body)
			files := map[string]string{"readers": c.readers, "backend": c.backend, "worker": c.worker}
			if c.refuses {
				files["refuses"] = ""
			}
			for name, text := range files {
				if err := os.WriteFile(filepath.Join(program.Dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			said, found, err := restarted(t, w)
			if stale := finding.Has(found, finding.ServerStaleKey); stale != (c.stale != "") || (err != nil) != stale {
				t.Fatalf("stale: %v, want %q: %v, %v\n%s", stale, c.stale, err, found, said)
			}
			if c.stale != "" && (!strings.Contains(found[0].Message.Rendered(), c.stale) || !strings.Contains(found[0].Fix.Rendered(), "--restart kubernetes:shop/"+all)) {
				t.Errorf("the finding is %q, %q", found[0].Message.Rendered(), found[0].Fix.Rendered())
			}
		})
	}
}
