package write

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// asFolder puts a folder in the place of a file.
func asFolder(t *testing.T, path string) {
	t.Helper()
	if err := errors.Join(os.RemoveAll(path), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
}

// A file that cannot be read, or not as its reader does, holds no key that could be said.
func TestAFileThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(path string) error{
		"a folder":        func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o700)) },
		"no text":         func(path string) error { return os.WriteFile(path, []byte("A=\xff\n"), 0o600) },
		"another value":   func(path string) error { return os.WriteFile(path, []byte("JWT_SECRET_KEY=other\n"), 0o600) },
		"it is not there": os.Remove,
	} {
		run := withKey(stepstest.NewRun(t, "A=1\n", nil))
		var events stepstest.Events
		s := &Step{}
		if _, err := s.Plan(t.Context(), run); err != nil {
			t.Fatal(err)
		}
		if err := s.Apply(t.Context(), run, events.Emit); err != nil {
			t.Fatal(err)
		}
		events = nil
		if err := spoil(run.Project.EnvFile.Path); err != nil {
			t.Fatal(err)
		}
		target := s.targets[0].(*dotenv)
		if err := target.Verify(t.Context(), run, events.Emit); err == nil || len(events) > 0 {
			t.Errorf("%s: verified, %v, %+v", name, err, events)
		}
		if name == "a folder" || name == "no text" {
			if held, err := target.Look(t.Context(), run); err == nil {
				t.Errorf("%s: seen, %+v", name, held)
			}
			if vars, ok := target.Variables(run); ok {
				t.Errorf("%s: %v", name, vars)
			}
		}
	}
}

// What compose requires of the environment is judged in the same one by the edit and by
// what reads it back: with the variable both go well, without it nothing is written.
func TestAVariableThatComposeRequires(t *testing.T) {
	t.Parallel()
	const was = "A=${DB_PASS:?}\n"
	for name, environ := range map[string]map[string]string{"set": {"DB_PASS": "x"}, "not set": nil} {
		run := withKey(stepstest.NewRun(t, was, environ, envfile.Compose))
		s := &Step{}
		_, err := s.Plan(t.Context(), run)
		if err == nil {
			err = s.Apply(t.Context(), run, (&stepstest.Events{}).Emit)
		}
		if err == nil {
			err = s.Verify(t.Context(), run, (&stepstest.Events{}).Emit)
		}
		now, readErr := os.ReadFile(run.Project.EnvFile.Path)
		if (err == nil) != (environ != nil) || readErr != nil || (string(now) != was) != (environ != nil) {
			t.Errorf("%s: %v, %v; the file has %d bytes", name, err, readErr, len(now))
		}
	}
}

// A key that one of the file's readers could not be given as it is, is not written; nor is
// anything where the plan of edits cannot be made.
func TestAKeyThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "A=1\n", nil, envfile.Decouple, envfile.Shell, envfile.Compose)
	run.Key = run.Secret(stepstest.Key() + "'\"`\\$x #")
	if plan, err := (&Step{}).Plan(t.Context(), run); err == nil || !strings.Contains(err.Error(), "edit .env: ") {
		t.Errorf("planned %+v, %v", plan, err)
	}
	run = withKey(stepstest.NewRun(t, "A=1\n", nil))
	stage(run, steps.Accepting, stepstest.Key(), stepstest.Key())
	if err := os.WriteFile(filepath.Join(run.Project.Root, "jwt_grace.py"), []byte("# another's\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := (&Step{}).Plan(t.Context(), run)
	wantCode(t, err, finding.GraceModuleNotOurs)
}

// A stage is read back with both keys: the one of the run alone is not enough.
func TestAStageIsReadBackWhole(t *testing.T) {
	t.Parallel()
	run := withKey(stepstest.NewRun(t, "A=1\n", nil))
	second := stepstest.Key()
	target := &dotenv{spec: "dotenv"}
	for lines, reads := range map[string]bool{
		"JWT_PREVIOUS_SECRET_KEY=" + second + "\nJWT_PREVIOUS_SECRET_KEY_UNTIL=": true,
		"JWT_PREVIOUS_SECRET_KEY=other\nJWT_PREVIOUS_SECRET_KEY_UNTIL=":          false,
		"JWT_PREVIOUS_SECRET_KEY=" + second + "\nB=":                             false,
	} {
		stage(run, steps.Signing, run.Key.Reveal(), second)
		text := "JWT_SECRET_KEY=" + run.Key.Reveal() + "\n" + lines + steps.GraceUntil(run.Until) + "\n"
		if err := os.WriteFile(run.Project.EnvFile.Path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var events stepstest.Events
		if err := target.Verify(t.Context(), run, events.Emit); (err == nil) != reads || (len(events) > 0) != reads {
			t.Errorf("it reads: %t, %v, %+v", reads, err, events)
		}
	}
}

// What compose does not find, or cannot read, is not said to be seen.
func TestAComposeFileThatCannotBeRead(t *testing.T) {
	t.Parallel()
	const yaml = "services:\n  web:\n    env_file: [.env.a, .env.b]\n"
	for name, c := range map[string]struct {
		spoil string
		first bool // before it was found
	}{"its file": {"docker-compose.yml", true}, "the env_file": {".env.b", false}, "one beside": {".env.a", false}} {
		run := composeBench(t, yaml, nil, ".env.a", ".env.b")
		targets, err := Targets([]string{"compose:docker-compose.yml#web"})
		if err != nil {
			t.Fatal(err)
		}
		if run.Targets = targets; !c.first {
			if _, err := targets[0].Look(t.Context(), run); err != nil {
				t.Fatal(err)
			}
		}
		asFolder(t, filepath.Join(run.Project.Root, c.spoil))
		if held, err := targets[0].Look(t.Context(), run); err == nil {
			t.Errorf("%s: %+v", name, held)
		}
	}
}

// What a place answers at each look counts: an error of any of them ends the step with
// that error, and nothing is said to be there.
func TestEachLookCounts(t *testing.T) {
	t.Parallel()
	for n, wrote := range map[int]bool{1: false, 2: false, 3: true} {
		run, k, target := shown(t)
		k.look = func(look int) error {
			if look == n {
				return errLost
			}
			return nil
		}
		said, err := bring(run, target)
		if !errors.Is(err, errLost) || k.held.Key.Equal(run.Key) != wrote || strings.Contains(said, "read back") {
			t.Errorf("look %d: %v, wrote %t\n%s", n, err, k.held.Key.Equal(run.Key), said)
		}
	}
	run, k, target := shown(t)
	run.Targets = []steps.Target{target}
	run.Stage = steps.NoStage
	if err := run.Home().Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := &Step{}
	var events stepstest.Events
	if _, err := s.Plan(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(t.Context(), run, events.Emit); err != nil {
		t.Fatal(err)
	}
	looks := k.looks
	k.look = func(n int) error {
		if n == looks+2 { // after the one of the target
			return errLost
		}
		return nil
	}
	if err := s.Verify(t.Context(), run, events.Emit); !errors.Is(err, errLost) {
		t.Errorf("the last look: %v", err)
	}
}

// A place that has another value after the write, or none, is marked so.
func TestAnotherValueAfterTheWriteIsMarked(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(k *keeper, run *steps.Run){
		"another value": func(k *keeper, run *steps.Run) { k.held.Key = run.Secret(stepstest.Key()) },
		"not there": func(k *keeper, _ *steps.Run) {
			k.held.Readable, k.held.There, k.held.Key = false, false, secret.Secret{}
		},
	} {
		run, k, target := shown(t)
		spoil(k, run)
		var events stepstest.Events
		wantCode(t, target.Verify(t.Context(), run, events.Emit), finding.PlaceConflict)
		if len(events) != 1 || events[0].Mark != steps.MarkFailed || !strings.Contains(events[0].Text.Rendered(), "the keeper") {
			t.Errorf("%s: %+v", name, events)
		}
	}
}

// What needs no undo is said to be as it was.
func TestAnUndoOfNothingSaysSo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		unreadable bool
		says       string
	}{"shown": {false, "nothing had to be restored"}, "never shown": {true, "the key never got there"}} {
		run, k, target := shown(t)
		if c.unreadable {
			k.held.Readable, k.held.Key = false, secret.Secret{}
		}
		k.put = func(func()) error { k.look = func(int) error { return errLost }; return errLost }
		if _, err := bring(run, target); !errors.Is(err, errLost) {
			t.Fatal(err)
		}
		k.look = nil
		var events stepstest.Events
		err := target.undo(t.Context(), run, run.Journal.Deliveries()[0], events.Emit)
		if err != nil || len(run.Journal.Deliveries()) != 0 || len(events) != 1 || events[0].Mark != steps.MarkOK || events[0].Detail.Rendered() != c.says || run.Wrote {
			t.Errorf("%s: %v, %+v", name, err, events)
		}
	}
}

// A second key that the journal lost is not put back as none.
func TestAnUndoWithoutThePairBefore(t *testing.T) {
	t.Parallel()
	run, _, target := shown(t)
	stage(run, steps.Accepting, run.Key.Reveal(), stepstest.Key())
	d, err := run.Journal.DeliverPair(journal.Delivery{Target: "keeper", There: true}, run.Secret(stepstest.Key()), journal.Pair{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(run.Journal.Dir(), d.PairID)); err != nil {
		t.Fatal(err)
	}
	var events stepstest.Events
	if err := target.undo(t.Context(), run, d, events.Emit); !errors.Is(err, os.ErrNotExist) || len(events) > 0 {
		t.Errorf("%v, %+v", err, events)
	}
}

// A key is written nowhere before the journal has it, and a delivery to what no keysplit
// knows is undone by none.
func TestTheStepAndItsJournal(t *testing.T) {
	t.Parallel()
	run, k, target := shown(t)
	run.Targets = []steps.Target{target}
	s := &Step{}
	if _, err := s.Plan(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	lose(t, run)
	var events stepstest.Events
	if err := s.Apply(t.Context(), run, events.Emit); err == nil || len(events) > 0 || k.looks != 1 {
		t.Errorf("%v, %d looks, %+v", err, k.looks, events)
	}
	run = withKey(stepstest.NewRun(t, "A=1\n", nil))
	if _, err := run.Journal.Deliver(journal.Delivery{Target: "gone:x", Where: "x"}, secret.Secret{}); err != nil {
		t.Fatal(err)
	}
	if said, err := undo(run); err == nil || !strings.Contains(said, "gone") || len(run.Journal.AppliedElsewhere()) != 1 {
		t.Errorf("%v\n%s", err, said)
	}
}

// The file that the backend does not read is named until somebody has said yes to it.
func TestAFileThatNobodyReadsNeedsAYes(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "A=1\n", nil)
	run.Project.Findings = []finding.Finding{finding.New(finding.EnvFileWrongPlace, "").At(".env", 0)}
	if name := unread(run); name != "" {
		t.Errorf("without --env-file: %q", name)
	}
	run.Options.EnvFile = ".env"
	if name := unread(run); name != ".env" {
		t.Errorf("with --env-file: %q", name)
	}
	run.Confirmed = slices.Concat(run.Confirmed, []string{".env"})
	if name := unread(run); name != "" {
		t.Errorf("after the yes: %q", name)
	}
}
