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

// dockerUp is docker with its compose plugin and one service; what inspect says
// of its environment is $DIR/env.json.
const dockerUp = `last=$(eval echo \${$#})
case "$*" in
"compose version --short") echo 2.40.3 ;;
"compose config --services --no-interpolate") printf 'web\ndb\n' ;; # worker has a profile
"compose --profile * config --services --no-interpolate") printf 'web\nworker\ndb\n' ;;
"compose ps --quiet "*) cat "$DIR/id-$last" 2>/dev/null || echo old ;;
"compose up "*) [ -e "$DIR/stuck" ] || echo new >"$DIR/id-$last" && touch "$DIR/id" ;;
"compose logs "*) echo "no such module" ;;
inspect*) echo '[{"State":{"Status":"'$(cat "$DIR/status" 2>/dev/null || echo running)'"},"Config":{"Env":'$(cat "$DIR/env.json")'}}]' ;;
*) exit 9 ;;
esac`

func TestComposeMakesTheContainersAnew(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env, spoil, content string
		code                finding.Code
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
			if c.code == "" && (err != nil || !strings.Contains(said, "Not recreated: db") || !w.run.Restarted) {
				t.Fatalf("error %v\n%s", err, said)
			}
			if c.code != "" && (err == nil || !finding.Has(found, c.code)) {
				t.Fatalf("error %v, findings %v", err, found)
			}
			if !strings.Contains(program.Argv(), "up\n--detach\n--no-deps\n--force-recreate\n--wait\nweb\n") || c.code == "" && !strings.Contains(program.Argv(), "--wait\nworker\n") || strings.Contains(program.Environ(), passwordVariable+"=") || strings.Contains(said, w.run.Key.Reveal()) {
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
	t.Parallel()
	w := managedWorld(t, "compose:web")
	stepstest.NewTool(t, "docker", "exit 1")
	program := stepstest.NewTool(t, "docker-compose", `case "$*" in
"version --short") echo 1.29.2 ;;
"config --services --no-interpolate") echo web ;;
ps*) echo old ;;
up*) echo "KeyError: 'ContainerConfig'" >&2; exit 1 ;;
esac`)
	_, found, err := restarted(t, w)
	if err == nil || !finding.Has(found, "restart-failed") || !strings.Contains(found[0].Message.Rendered(), "1.29") {
		t.Fatalf("error %v, %v", err, found)
	}
	if strings.Contains(program.Argv(), "--wait") {
		t.Error("version 1 has no --wait")
	}
}

// A target's own compose file is the one whose containers are made again, and the
// journal keeps it: a rollback knows no target.
func TestComposeTakesTheFileOfTheTarget(t *testing.T) {
	t.Parallel()
	for spec, named := range map[string]bool{
		"compose:deploy/stack.yml#web":    true,
		"compose:compose.yaml#web":        false,
		"compose:deploy/compose.yaml#web": false, // found in its own folder
		"compose:docker-compose.yml#web":  true,  // there is compose.yaml beside it
	} {
		w := managedWorld(t, "compose:web,worker")
		file, _, _ := strings.Cut(strings.TrimPrefix(spec, "compose:"), "#")
		path := filepath.Join(w.run.Project.Root, file)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("services: {}\n"), 0o600)); err != nil {
			t.Fatal(err)
		}
		var err error
		if w.run.Journal, err = stepstest.State(t).Open(w.run.Project.Root, steps.DefaultEnvironment); err != nil {
			t.Fatal(err)
		}
		program := stepstest.NewTool(t, "docker", strings.ReplaceAll(dockerUp, `case "$*" in`, `case "$*" in *" up "*) echo "$PWD $*" >>"$DIR/ups" ;; esac
set -f; set -- $(echo "$*" | sed "s# --file [^ ]*##"); case "$*" in`))
		if err := os.WriteFile(filepath.Join(program.Dir, "env.json"), []byte(`["JWT_SECRET_KEY=`+w.run.Key.Reveal()+`"]`), 0o600); err != nil {
			t.Fatal(err)
		}
		w.run.Targets = []steps.Target{target(t, spec)}
		if said, _, err := restarted(t, w); err != nil {
			t.Fatalf("%s: %v\n%s\n%s", spec, err, said, program.Argv())
		}
		kept := w.run.Journal.RestartedBy()
		w.run.Targets, w.run.Options.Restart = nil, nil
		if _, _, err := do(w.step.Undo, w.run); err != nil {
			t.Errorf("%s: the journal has %q, %v", spec, kept, err)
		}
		want := filepath.Dir(path) + " compose "
		if named {
			want += "--file " + path + " "
		}
		if ups := program.File("ups"); strings.Count(ups, want+"up ") != 4 || strings.Count(ups, " web\n") != 2 || strings.Count(ups, " worker\n") != 2 {
			t.Errorf("%s: the journal has %q; want twice %q, of web and worker:\n%s", spec, kept, want, ups)
		}
	}
}

// A list of containers that Docker broke off proves nothing, neither before nor after:
// a container that it does not name may be the old one.
func TestAListOfContainersThatFailsIsNoProof(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]string{"before": "true", "after": `[ -e "$DIR/id" ]`} {
		w := managedWorld(t, "compose:web")
		program := stepstest.NewTool(t, "docker", strings.Replace(dockerUp, `echo old ;;`, `echo old; if `+fails+`; then echo "cannot connect" >&2; exit 1; fi ;;`, 1))
		if err := os.WriteFile(filepath.Join(program.Dir, "env.json"), []byte(`["JWT_SECRET_KEY=`+w.run.Key.Reveal()+`"]`), 0o600); err != nil {
			t.Fatal(err)
		}
		said, found, err := restarted(t, w)
		if err == nil || !strings.Contains(err.Error(), "docker failed with exit code 1") || strings.Contains(said, "recreated web") {
			t.Errorf("%s: error %v, %v\n%s", name, err, found, said)
		}
		if made := strings.Contains(program.Argv(), "--force-recreate"); made != (name == "after") {
			t.Errorf("%s: containers recreated: %v", name, made)
		}
	}
}

// Each replica counts, and a container without the key is no proof.
func TestComposeLooksAtEveryReplica(t *testing.T) {
	t.Parallel()
	const replicas = `case "$*" in
"compose version --short") echo 2.40.3 ;;
"compose --profile * config --services --no-interpolate") echo web ;;
"compose ps --quiet web") if [ -e "$DIR/up" ]; then cat "$DIR/after"; else printf 'a\nb\n'; fi ;;
"compose up "*) touch "$DIR/up"; echo ' Container x-web-1  Recreated'; echo 'SECRET=of the file' ;;
"compose logs "*) echo "no such module" ;;
inspect*) echo '[{"State":{"Status":"running"},"Config":{"Env":'"$(cat "$DIR/$2.json")"'}}]' ;;
esac`
	for name, c := range map[string]struct {
		after        string
		first, other string // the environment of the two
		target       string
		code         finding.Code
		says         string
	}{
		"both new, with the key": {"c\nd\n", `["JWT_SECRET_KEY=KEY"]`, `["JWT_SECRET_KEY=KEY"]`, "", "", "2 new containers, with the new key"},
		"one is the old one":     {"c\nb\n", `["JWT_SECRET_KEY=KEY"]`, `[]`, "", "restart-failed", ""},
		"one has another key":    {"c\nd\n", `["JWT_SECRET_KEY=KEY"]`, `["JWT_SECRET_KEY=x"]`, "", "jwt-key-shadowed", ""},
		"neither has a key":      {"c\nd\n", `[]`, `[]`, "", "", "does not hold the key: the Login step proves it"},
		"not given what it was":  {"c\nd\n", `[]`, `[]`, "compose:compose.yaml#web", "compose-missing-key", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := managedWorld(t, "compose:web")
			if c.target != "" {
				w.run.Targets = []steps.Target{target(t, c.target)}
			}
			program := stepstest.NewTool(t, "docker", replicas)
			for name, text := range map[string]string{"after": c.after, "c.json": c.first, "d.json": c.other} {
				if err := os.WriteFile(filepath.Join(program.Dir, name), []byte(strings.ReplaceAll(text, "KEY\"", w.run.Key.Reveal()+"\"")), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			details := ""
			_, found, err := do(func(ctx context.Context, run *steps.Run, emit steps.Emit) error {
				return w.step.Apply(ctx, run, func(ev steps.Event) { details += text(run, ev) + ": " + ev.Detail.Rendered() + "\n"; emit(ev) })
			}, w.run)
			if c.code == "" && err != nil || c.code != "" && (!finding.Has(found, c.code) || found[0].FixedBySteps()) {
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
	t.Parallel()
	for _, within := range []time.Duration{0, 300 * time.Millisecond} {
		w := managedWorld(t, "compose:web")
		w.run.Options.Timeout, w.step.StartsWithin = time.Second, within
		program := stepstest.NewTool(t, "docker", strings.Replace(dockerUp, `"compose up "*)`, `"compose up "*) sleep 1.3;`, 1))
		if err := os.WriteFile(filepath.Join(program.Dir, "env.json"), []byte("[]"), 0o600); err != nil {
			t.Fatal(err)
		}
		texts, found, err := do(w.step.Apply, w.run)
		if within == 0 && err != nil {
			t.Errorf("killed in mid-start: %v", err)
		}
		if within > 0 && (!finding.Has(found, "restart-failed") || !hasText(texts, "no such module")) {
			t.Errorf("error %v, said %q", err, texts)
		}
	}
}
