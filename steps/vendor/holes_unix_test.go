//go:build unix

package vendor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/tool"
)

// target is one as the write step has it.
type target struct {
	steps.Target
	vendor any
}

func (s target) Vendor() any { return s.vendor }

// Only a workload that reads the Secret that the key went to is said to have it.
func TestWhichWorkloadsHaveTheKey(t *testing.T) {
	run := stepstest.NewRun(t, "", nil)
	stepstest.NewTool(t, "kubectl", `echo '{"items":[
{"kind":"Deployment","metadata":{"name":"web"},"spec":{"template":{"spec":{"containers":[{"envFrom":[{"secretRef":{"name":"backend"}}]}]}}}},
{"kind":"Deployment","metadata":{"name":"mail"},"spec":{"template":{"spec":{"containers":[{"envFrom":[{"secretRef":{"name":"mail"}}]}]}}}}]}'`)
	object, err := parseKubernetes("shop/backend#jwt")
	if err != nil {
		t.Fatal(err)
	}
	k := workloads{namespace: "shop", all: []string{"deployment/web", "deployment/mail", "deployment/gone"}}
	for _, targets := range [][]steps.Target{nil, {target{vendor: object}}} {
		run.Targets = targets
		seen, err := k.Seen(t.Context(), run)
		if err != nil || len(seen) != 3 || (seen[0].Keys == GivenRight) != (targets != nil) || seen[1].Keys == GivenRight || seen[2].Keys == GivenRight {
			t.Errorf("%+v, %v", seen, err)
		}
	}
}

// A workload that is not there is found out about before anything is restarted.
func TestAWorkloadThatIsNotThere(t *testing.T) {
	run := stepstest.NewRun(t, "", nil)
	program := stepstest.NewTool(t, "kubectl", `case "$1 $2" in
"config current-context") echo kind-test ;;
"get deployment/web") echo "$2" ;;
"get deployment/gone") echo 'Error from server (NotFound): deployments.apps "gone" not found' >&2; exit 1 ;;
"auth can-i") echo yes ;;
esac`)
	for spec, fails := range map[string]bool{"web": false, "web,gone": true} {
		m, err := parseWorkloads(spec)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.(workloads).Plan(t.Context(), run); (err != nil) != fails {
			t.Errorf("%s: %v", spec, err)
		}
	}
	if !strings.Contains(program.Argv(), "get\ndeployment/gone") {
		t.Error("the control: it was not asked for")
	}
}

// A platform that cannot be asked any more ends the wait with that, and not with a
// restart that went wrong.
func TestAPlatformThatStopsAnswering(t *testing.T) {
	stepstest.NewTool(t, "fly", "")
	run := stepstest.NewRun(t, "", nil)
	gone := errors.New("the token ran out")
	asked := 0
	p := platform{name: "the app", spec: "fly:shop", program: tool.Program{Name: "fly"}, again: []string{"apps", "restart"}, look: func(context.Context, *steps.Run) (appState, error) {
		if asked++; asked > 1 {
			return appState{}, gone
		}
		return appState{}, nil
	}}
	if err := p.Restart(t.Context(), run, Pace{StartsWithin: time.Second, Every: time.Millisecond}, func(steps.Event) {}); !errors.Is(err, gone) {
		t.Errorf("%v, asked %d times", err, asked)
	}
}

// A value that cannot be made is not written in any form.
func TestAValueThatCannotBeMadeIsNotWritten(t *testing.T) {
	program := stepstest.NewTool(t, "aws", `case "$*" in *get-secret-value*) echo '{"SecretString":"{}","VersionId":"1"}' ;; *) echo "$*" >>"$DIR/wrote"; echo '{"VersionId":"2"}' ;; esac`)
	lost := errors.New("lost")
	_, err := (&aws{id: "shop"}).write(t.Context(), stepstest.NewRun(t, "", nil), "1", func(awsValue) ([]byte, error) { return nil, lost })
	if _, wrote := os.Stat(filepath.Join(program.Dir, "wrote")); !errors.Is(err, lost) || wrote == nil {
		t.Errorf("%v, and it was written: %t", err, wrote == nil)
	}
}

// A place of Railway is named with its environment, be it asked for or the folder's.
func TestARailwayPlaceNamesItsEnvironment(t *testing.T) {
	for environment, want := range map[string]string{"staging": ", environment staging", "": ", environment production"} {
		stepstest.NewTool(t, "railway", `echo '{"RAILWAY_ENVIRONMENT_NAME":"production"}'`)
		held, err := (&railway{service: "web", environment: environment}).Look(t.Context(), stepstest.NewRun(t, "", nil))
		if err != nil || held.Where != "Railway service web"+want {
			t.Errorf("%q: %q, %v", environment, held.Where, err)
		}
	}
}

// Services beside the named ones that cannot be looked at are said, and nothing is claimed
// of them.
func TestOtherServicesThatCannotBeLookedAt(t *testing.T) {
	run := stepstest.NewRun(t, "A=1\n", nil)
	run.Key = run.Secret(stepstest.Key())
	const two = "services:\n  web: {image: shop, env_file: .env}\n  worker: {image: shop, env_file: .env}\n"
	if err := os.WriteFile(filepath.Join(run.Project.Root, "compose.yaml"), []byte(two), 0o600); err != nil {
		t.Fatal(err)
	}
	stepstest.NewTool(t, "docker", `[ "$*" = "compose version --short" ] && echo 2.40.3`)
	c := services{all: []string{"web"}, list: "web"}
	by, err := c.find(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	var events stepstest.Events
	if err := c.stale(t.Context(), run, events.Emit, by, "web"); err != nil || len(events) != 1 || events[0].Mark != steps.MarkWarn || events[0].Text.Rendered() != "other services" {
		t.Errorf("%v, it says %+v", err, events)
	}
	if err := os.WriteFile(filepath.Join(run.Project.Root, "compose.yaml"), []byte("services:\n  web: {image: shop, env_file: .env}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	events = nil
	if err := c.stale(t.Context(), run, events.Emit, by, "web"); err != nil || len(events) != 1 || events[0].Text.Rendered() != "service web" || events[0].Detail.Rendered() != "could not be looked at" {
		t.Errorf("%v, of the service itself it says %+v", err, events)
	}
}

// The state of an app on Heroku is that of its latest release, whatever the order in which
// they are told, and of the dynos that run the latest one that succeeded.
func TestHowAnAppOnHerokuStands(t *testing.T) {
	program := stepstest.NewTool(t, "heroku", `cat "$DIR/$1"`)
	const releases = `[{"version":8,"status":"succeeded","created_at":"2030-01-08T00:00:00Z"},{"version":9,"status":"%s","created_at":"2030-01-09T00:00:00Z"},{"version":7,"status":"succeeded"}]`
	const dynos = `[{"id":"a","type":"web","state":"up","release":{"version":8}},{"id":"b","type":"web","state":"up","release":{"version":7}},{"id":"c","type":"worker","state":"crashed","release":{"version":9}},{"type":"run","state":"up"}]`
	for status, want := range map[string]string{
		"succeeded": "pending false, failed false, up []: release v9: succeeded, 0 of 3 dynos up",
		"pending":   "pending true, failed false, up [a]: release v9: pending, 1 of 3 dynos up",
		"failed":    "pending false, failed true, up [a]: release v9: failed, 1 of 3 dynos up",
	} {
		for name, text := range map[string]string{"releases": fmt.Sprintf(releases, status), "ps": dynos} {
			if err := os.WriteFile(filepath.Join(program.Dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := herokuApp("shop").(platform).look(t.Context(), stepstest.NewRun(t, "", nil))
		up := []string{}
		for _, p := range s.parts {
			if p.up {
				up = append(up, p.id)
			}
		}
		if got := fmt.Sprintf("pending %t, failed %t, up %v: %s", s.pending, s.failed, up, s.detail); err != nil || got != want || s.released.Day() != 9 {
			t.Errorf("%s: %s, released %v, %v", status, got, s.released, err)
		}
	}
}

// What a Secret of Kubernetes holds beside the key is seen: SECRET_KEY, with which it is
// compared, and a grace period.
func TestWhatASecretHolds(t *testing.T) {
	program := stepstest.NewTool(t, "kubectl", `case "$1" in get) cat "$DIR/secret" ;; *) echo kind-test ;; esac`)
	run := stepstest.NewRun(t, "", nil)
	second, until := steps.GraceNames(run.Names().Key)
	values := map[string]string{run.Names().Key: stepstest.Key(), run.Names().SecretKey: stepstest.Key(), second: stepstest.Key(), until: "20300101T000000Z"}
	data := map[string][]byte{}
	for name, value := range values {
		data[name] = []byte(value)
	}
	text, err := json.Marshal(map[string]any{"metadata": map[string]string{"namespace": "shop", "resourceVersion": "7"}, "data": data})
	if err == nil {
		err = os.WriteFile(filepath.Join(program.Dir, "secret"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	held, err := (&kubernetes{namespace: "shop", name: "backend", key: run.Names().Key}).Look(t.Context(), run)
	if err != nil || held.Key.Reveal() != values[run.Names().Key] || held.SecretKey.Reveal() != values[run.Names().SecretKey] || held.Second.Reveal() != values[second] || held.Until != values[until] || held.Version != "7" {
		t.Errorf("%+v, %v", held, err)
	}
	if got := strings.Join((&kubernetes{namespace: "shop"}).args("get", "secret"), " "); got != "get secret --namespace shop" || !strings.Contains(program.Argv(), "--namespace\nshop") {
		t.Errorf("the namespace is not named: %q, %q", got, program.Argv())
	}
	if got := strings.Join((&kubernetes{}).args("get"), " "); got != "get" {
		t.Errorf("a namespace that is not named: %q", got)
	}
	for name, value := range values {
		if name != until && strings.Contains(run.Show("it is "+value), value[:8]) {
			t.Errorf("%s is shown", name)
		}
	}
}

// A dyno of Heroku that still runs an earlier release than the latest that succeeded is not
// up, whatever came of the releases since.
func TestADynoOfAnEarlierReleaseIsNotUp(t *testing.T) {
	for version, want := range map[string]bool{"7": false, "8": true, "9": true} {
		stepstest.NewTool(t, "heroku", `case "$1" in
releases) echo '[{"version":9,"status":"failed"},{"version":8,"status":"succeeded"},{"version":7,"status":"succeeded"}]' ;;
ps) echo '[{"id":"a","type":"web","state":"up","release":{"version":`+version+`}}]' ;;
esac`)
		s, err := herokuApp("shop").(platform).look(t.Context(), stepstest.NewRun(t, "", nil))
		if err != nil || len(s.parts) != 1 || s.parts[0].up != want {
			t.Errorf("release %s: %+v, %v", version, s.parts, err)
		}
	}
}
