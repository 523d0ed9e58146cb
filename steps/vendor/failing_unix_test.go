//go:build unix

package vendor

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// A program that refuses to write is an error of the write, whatever it answers to the
// look that follows.
func TestAWriteThatIsRefusedIsAnError(t *testing.T) {
	for name, c := range map[string]struct {
		argument string
		parse    func(string) (Store, error)
	}{
		"gh":      {"ada/shop", parseGitHub},
		"fly":     {"shop", parseFly},
		"railway": {"shop", parseRailway},
	} {
		for _, refuses := range []bool{true, false} {
			code := "0"
			if refuses {
				code = "1"
			}
			stepstest.NewTool(t, name, `case "$*" in
*--help*) echo "  --stdin" ;;
*"secret set"*|*"secrets import"*|*"secrets unset"*|*"secret delete"*|*"variable set"*|*"variable delete"*) cat >/dev/null; exit `+code+` ;;
"api user"*) echo ada ;;
"api --paginate"*) echo '{}' ;;
*) echo '[]' ;;
esac`)
			s, err := c.parse(c.argument)
			if err != nil {
				t.Fatal(err)
			}
			run := stepstest.NewRun(t, "", nil)
			if _, err := s.Put(t.Context(), run, run.Secret(stepstest.Key()), steps.Held{}); (err != nil) != refuses {
				t.Errorf("%s refuses %t, put: %v", name, refuses, err)
			}
			if err := s.Restore(t.Context(), run, journal.Delivery{}, secret.Secret{}, steps.Held{}); (err != nil) != refuses {
				t.Errorf("%s refuses %t, restore: %v", name, refuses, err)
			}
		}
	}
}

// Which key the containers have is told only where every one of them was looked at.
func TestContainersThatCannotBeLookedAt(t *testing.T) {
	const answers = `case "$*" in
"compose version --short") echo 2.40.3 ;;
"compose ps --quiet "*) [ -e "$DIR/ps" ] && exit 1; echo a; echo b ;;
"inspect a") printf '[{"Config":{"Env":["JWT_SECRET_KEY=%s"]}}]' "$(cat "$DIR/key")" ;;
"inspect b") [ -e "$DIR/inspect" ] && exit 1; echo '[{"Config":{"Env":[]}}]' ;;
esac`
	for fails, want := range map[string]int{"": 2, "ps": 0, "inspect": 1} {
		run := stepstest.NewRun(t, "", nil)
		run.Key = run.Secret(stepstest.Key())
		file := filepath.Join(run.Project.Root, "compose.yaml")
		program := stepstest.NewTool(t, "docker", answers)
		err := errors.Join(os.WriteFile(file, []byte("services: {}\n"), 0o600), os.WriteFile(filepath.Join(program.Dir, "key"), []byte(run.Key.Reveal()), 0o600))
		if fails != "" {
			err = errors.Join(err, os.WriteFile(filepath.Join(program.Dir, fails), nil, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
		seen, err := (services{all: []string{"web"}, list: "web"}).Seen(t.Context(), run)
		if (err != nil) != (fails != "") || len(seen) != want {
			t.Errorf("%q fails: %+v, %v", fails, seen, err)
		}
		if fails == "" && (seen[0].Keys != GivenRight || seen[1].Keys == GivenRight) {
			t.Errorf("%+v", seen)
		}
	}
	if _, err := (services{all: []string{"web"}, list: "web"}).Seen(t.Context(), stepstest.NewRun(t, "", nil)); err == nil {
		t.Error("without a compose file they were seen")
	}
}

// A file gives a backend the key of a Kubernetes Secret only where it names that Secret.
func TestWhatDefinesTheReadersOfASecret(t *testing.T) {
	s, err := parseKubernetes("shop/backend#jwt")
	if err != nil {
		t.Fatal(err)
	}
	run := stepstest.NewRun(t, "", nil)
	for text, want := range map[string]bool{
		"env:\n- valueFrom:\n    secretKeyRef:\n      name: backend\n":    true,
		"env:\n- valueFrom:\n    secretKeyRef:\n      name: other\n":      false,
		"env:\n- valueFrom:\n    configMapKeyRef:\n      name: backend\n": false,
	} {
		lines, is := s.(Defined).Definition(run, text)
		if is != want || want != strings.Contains(strings.Join(lines, "\n"), "JWT_PREVIOUS_SECRET_KEY") {
			t.Errorf("%t, %q: %s", is, lines, text)
		}
	}
}

// What cannot be asked of systemd or of the containers beside the named ones is an error,
// and not a unit or a container that is as it should be.
func TestWhatCannotBeAskedIsNotFine(t *testing.T) {
	run := stepstest.NewRun(t, "", nil)
	run.Key = run.Secret(stepstest.Key())
	stepstest.NewTool(t, "systemctl", `case "$*" in
*web*) printf 'LoadState=loaded\nActiveState=active\nSubState=running\nMainPID=0\n' ;;
*) exit 1 ;;
esac`)
	if seen, err := (Units{Names: []string{"web", "gone"}}).Seen(t.Context(), run); err == nil || len(seen) != 1 {
		t.Errorf("%+v, %v", seen, err)
	}
	c := services{all: []string{"web"}, list: "web"}
	var failure *steps.Failure
	if err := c.Restart(t.Context(), run, Pace{}, func(steps.Event) {}); !errors.As(err, &failure) || failure.Findings[0].Code != finding.PlaceNotFound {
		t.Errorf("services without a compose file: %v", err)
	}
	if err := os.WriteFile(filepath.Join(run.Project.Root, "compose.yaml"), []byte("services: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for fails, want := range map[string]bool{"": false, "ps": true, "inspect": true} {
		stepstest.NewTool(t, "docker", `case "$*" in
"compose version --short") echo 2.40.3 ;;
"compose ps --quiet "*) [ "`+fails+`" = ps ] && exit 1; echo a ;;
"inspect a") [ "`+fails+`" = inspect ] && exit 1; echo '[{"State":{"Status":"running"},"Config":{"Env":["JWT_SECRET_KEY=earlier"]}}]' ;;
esac`)
		by, err := c.find(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		runs, another, err := c.holdsAnother(t.Context(), run, by, "web")
		if (err != nil) != want || !want && (!runs || !another) {
			t.Errorf("%q fails: runs %t, another %t, %v", fails, runs, another, err)
		}
	}
}

// Machines that cannot be listed are no app without machines.
func TestMachinesThatCannotBeListed(t *testing.T) {
	run := stepstest.NewRun(t, "", nil)
	for code, fails := range map[string]bool{"0": false, "1": true} {
		stepstest.NewTool(t, "fly", `echo '[{"state":"started","instance_id":"a"},{"state":"stopped","instance_id":"b"}]'; exit `+code)
		state, err := flyApp("shop").(platform).look(t.Context(), run)
		if (err != nil) != fails || !fails && (len(state.parts) != 2 || !state.parts[0].up || state.parts[0].id != "a") {
			t.Errorf("exit %s: %+v, %v", code, state, err)
		}
	}
}
