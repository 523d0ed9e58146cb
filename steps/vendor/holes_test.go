package vendor

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
)

// The arguments that name a place name its environment where it has one, and only there.
func TestWhereRailwayKeepsIt(t *testing.T) {
	t.Parallel()
	for environment, want := range map[string][]string{"": {"--service", "web"}, "staging": {"--service", "web", "--environment", "staging"}} {
		if got := (&railway{service: "web", environment: environment}).place(); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", environment, got, want)
		}
	}
}

// A pod reads a key of a Secret by a variable, by all of the Secret's keys at once, or by
// a file; another Secret, and another key where the key is named, are none of that.
func TestWhatAPodReads(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string]bool{
		`{"containers":[{"env":[{"valueFrom":{"secretKeyRef":{"name":"shop","key":"jwt"}}}]}]}`:     true,
		`{"initContainers":[{"env":[{"valueFrom":{"secretKeyRef":{"name":"shop","key":"jwt"}}}]}]}`: true,
		`{"containers":[{"env":[{"valueFrom":{"secretKeyRef":{"name":"shop","key":"other"}}}]}]}`:   false,
		`{"containers":[{"env":[{"valueFrom":{"secretKeyRef":{"name":"other","key":"jwt"}}}]}]}`:    false,
		`{"containers":[{"env":[{"value":"x"},{"valueFrom":{}}]}]}`:                                 false,
		`{"containers":[{"envFrom":[{"secretRef":{"name":"shop"}}]}]}`:                              true,
		`{"containers":[{"envFrom":[{"secretRef":{"name":"other"}},{"configMapRef":{}}]}]}`:         false,
		`{"volumes":[{"secret":{"secretName":"shop"}}]}`:                                            true,
		`{"volumes":[{"secret":{"secretName":"other"}}]}`:                                           false,
		`{"volumes":[{"projected":{"sources":[{"secret":{"name":"shop"}}]}}]}`:                      true,
		`{"volumes":[{"projected":{"sources":[{"secret":{"name":"other"}}]}},{"emptyDir":{}}]}`:     false,
	} {
		var p podSpec
		if err := json.Unmarshal([]byte(spec), &p); err != nil {
			t.Fatal(err)
		}
		if got := p.reads("shop", "jwt"); got != want {
			t.Errorf("%s: %t", spec, got)
		}
	}
}

// A service is built from the folder that its build names, or the compose file's own.
func TestWhatAServiceIsBuiltFrom(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		build any
		want  string
	}{
		"a folder":   {"./backend", "./backend"},
		"a context":  {map[string]any{"context": "..", "dockerfile": "D"}, ".."},
		"no context": {map[string]any{"dockerfile": "D"}, "."},
		"an image":   {nil, ""},
	} {
		if got := (service{Build: c.build}).context(); got != c.want {
			t.Errorf("%s: %q", what, got)
		}
	}
}

// A command for below the folder where keysplit was started names the compose file, which
// is not found from above; in that folder, and from below it, it needs none.
func TestACommandNamesTheComposeFileFromAbove(t *testing.T) {
	t.Parallel()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	below := filepath.Join(here, "shop")
	for dir, named := range map[string]bool{below: true, here: false, filepath.Dir(here): false} {
		c := composer{Program: docker(dir), prefix: []string{"compose"}, unsaid: filepath.Join(dir, "compose.yaml")}
		if line := string(c.line("up")); strings.Contains(line, "--file") != named {
			t.Errorf("%s: %s", dir, line)
		}
		if c.unsaid = ""; strings.Contains(string(c.line("up")), "--file") {
			t.Errorf("%s: a file is named twice: %s", dir, c.line("up"))
		}
	}
}

// A pod is ready by its condition of that name alone, and a machine of Fly is up by how it
// ended last.
func TestWhatIsUp(t *testing.T) {
	t.Parallel()
	for conditions, want := range map[string]bool{
		`[{"type":"Initialized","status":"True"},{"type":"Ready","status":"True"}]`:  true,
		`[{"type":"Initialized","status":"True"},{"type":"Ready","status":"False"}]`: false,
		`[{"type":"Initialized","status":"True"}]`:                                   false,
	} {
		var p pod
		if err := json.Unmarshal([]byte(`{"status":{"conditions":`+conditions+`}}`), &p); err != nil || p.ready() != want {
			t.Errorf("%s: ready %t, %v", conditions, p.ready(), err)
		}
	}
	const good, bad = `{"type":"exit","timestamp":%d,"request":{"exit_event":{"exit_code":0}}}`, `{"type":"exit","timestamp":%d,"request":{"exit_event":{"exit_code":1}}}`
	for name, c := range map[string]struct {
		state  string
		events []string
		up     bool
	}{
		"started":                     {"started", []string{fmt.Sprintf(bad, 1)}, true},
		"stopped":                     {"stopped", nil, true},
		"stopped well":                {"stopped", []string{fmt.Sprintf(good, 1)}, true},
		"stopped with an error":       {"stopped", []string{fmt.Sprintf(bad, 1), `{"type":"start","timestamp":3}`}, false},
		"so before, and well at last": {"stopped", []string{fmt.Sprintf(good, 2), fmt.Sprintf(bad, 1)}, true},
		"well before":                 {"suspended", []string{fmt.Sprintf(good, 1), fmt.Sprintf(bad, 2)}, false},
		"it is made":                  {"created", nil, false},
	} {
		var m flyMachine
		if err := json.Unmarshal([]byte(`{"state":"`+c.state+`","events":[`+strings.Join(c.events, ",")+`]}`), &m); err != nil || m.up() != c.up {
			t.Errorf("%s: up %t, %v", name, m.up(), err)
		}
	}
}

// Secrets of an environment of GitHub lie at another address than those of the repository.
func TestWhereGitHubKeepsIt(t *testing.T) {
	t.Parallel()
	for environment, want := range map[string]string{"": "repos/ada/shop/actions/secrets", "prod/eu": "repos/ada/shop/environments/prod%2Feu/secrets"} {
		if got := (&github{repo: "ada/shop", environment: environment}).path(); got != want {
			t.Errorf("%q: %s", environment, got)
		}
	}
}

// Where code stopped is said by the project's own last line, not by a package's below it.
func TestWhereCodeStopped(t *testing.T) {
	t.Parallel()
	run := &steps.Run{Prints: secret.NewFingerprinter(nil), Found: steps.Found{Project: &steps.Project{Root: "/srv/shop", TopLevel: "/srv"}}}
	const trace = "Traceback (most recent call last):\n  File \"/srv/shop/config/settings.py\", line 7, in <module>\n    x\n" +
		"  File \"/srv/venv/lib/python3.11/site-packages/decouple.py\", line 9, in get\n    y\nKeyError: 'A'\n"
	if got := Stopped(run, []byte(trace)); !strings.HasSuffix(got, ", at shop/config/settings.py line 7") && !strings.HasSuffix(got, ", at config/settings.py line 7") || !strings.HasPrefix(got, "KeyError") {
		t.Errorf("%q", got)
	}
}
