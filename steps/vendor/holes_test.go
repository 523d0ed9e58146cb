package vendor

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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
