//go:build unix

package cli

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
)

// left is a project whose upgrade was cut short after a part of its places had the key.
func left(t *testing.T) (*steps.Run, *journal.Journal) {
	t.Helper()
	u := newUpgraded(t, steps.DefaultEnvironment)
	run := &steps.Run{Prints: secret.NewFingerprinter(nil), Options: steps.Options{State: Stdio().State}}
	run.Project = &steps.Project{Root: u.root, TopLevel: u.root}
	j, err := Stdio().State.Open(u.root, u.env)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Choose(run.Secret("chosen"), []string{"dotenv:.env", "vault:a#b"}); err != nil {
		t.Fatal(err)
	}
	at, err := envfile.Open(filepath.Join(u.root, ".env"))
	if err == nil {
		_, err = j.Replace(t.Context(), at, []byte("NEW=1\n"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return run, j
}

// What an earlier run left unfinished is asked about as on the screen: enter, y or the
// first letter goes on with the key that it chose, s leads to the choice of a key, u to
// the rollback and its question, and n ends the run before anything is changed.
func TestWhatWasBegunIsAskedAboutLineByLine(t *testing.T) {
	for typed, want := range map[string]struct {
		code   int
		chosen string
		asks   bool // which key should sign
		says   string
	}{
		"\n":           {ExitOK, "keep", false, "To choose another key, undo first."},
		"y\n":          {ExitOK, "keep", false, "A part of its places has the new key"},
		"1\n":          {ExitOK, "keep", false, "g go on: write   s start over   u undo   n no, stop here"},
		"Go\n":         {ExitOK, "keep", false, "everyone will have to log in again"},
		"x\ng\n":       {ExitOK, "keep", false, "You began at"},
		"s\nk\n":       {ExitOK, "keep", true, "Which key should sign your tokens?"},
		"2\nr\ny\n":    {ExitOK, "rotate", true, "Make the key?"},
		"n\n":          {ExitCancelled, "", false, "Stopped"},
		"":             {ExitCancelled, "", false, "Stopped"},
		"u\nn\n\n":     {ExitOK, "keep", false, "n no, change nothing"},
		"undo\nyes\n":  {ExitCancelled, "", false, ".env: content, mode and owner as before"},
		"3\nn\nn\n":    {ExitCancelled, "", false, "n no, change nothing"},
		"start\nr\n\n": {ExitOK, "rotate", true, "r rotate now"},
	} {
		t.Run(typed, func(t *testing.T) {
			run, j := left(t)
			key := &choosing{acted: acted{name: steps.Generate}}
			e := steps.NewEngine(run, acted{name: steps.Preflight, apply: func(run *steps.Run) error { run.Journal = j; return nil }}, key)
			var o bytes.Buffer
			stdio := IO{State: Stdio().State, In: strings.NewReader(typed), Out: &o, Err: &o, InTTY: true}
			opts := &upgradeOptions{speech: speech{noColor: true}}
			code := exitCode(stdio, upgrade(t.Context(), stdio, e, newPlain(stdio, &opts.speech), opts))
			asked := strings.Contains(o.String(), "Which key should sign your tokens?")
			if got := strings.Join(key.chosen, ","); got != want.chosen || !strings.Contains(o.String(), want.says) ||
				code != want.code || asked != want.asks {
				t.Errorf("exit %d, chose %q\n%s", code, got, o.String())
			}
		})
	}
}

// A step of a run that goes on, and fails before it wrote anything itself, offers to undo
// what was begun.
func TestAFailureAfterAResumeOffersTheRollback(t *testing.T) {
	run, j := left(t)
	e := steps.NewEngine(run, acted{name: steps.Preflight, apply: func(run *steps.Run) error { run.Journal = j; return nil }},
		acted{name: steps.Generate, apply: func(*steps.Run) error { return errors.New("no cluster") }, undo: func(*steps.Run) error { return nil }})
	var o bytes.Buffer
	stdio := IO{State: Stdio().State, In: strings.NewReader("g\nb\nyes\n"), Out: &o, Err: &o, InTTY: true}
	opts := &upgradeOptions{speech: speech{noColor: true}}
	code := exitCode(stdio, upgrade(t.Context(), stdio, e, newPlain(stdio, &opts.speech), opts))
	if code != ExitCancelled || !strings.Contains(o.String(), ".env: content, mode and owner as before") {
		t.Errorf("exit %d\n%s", code, o.String())
	}
}

// Nobody is asked about it where nobody is there, or where nothing is to be changed.
func TestWhatWasBegunIsNotAskedAboutUnattended(t *testing.T) {
	for _, opts := range []*upgradeOptions{{answers: answers{yes: true}}, {dryRun: true}} {
		run, j := left(t)
		e := steps.NewEngine(run, acted{name: steps.Preflight, apply: func(run *steps.Run) error { run.Journal = j; return nil }}, &choosing{acted: acted{name: steps.Generate}})
		var o bytes.Buffer
		stdio := IO{State: Stdio().State, In: strings.NewReader(""), Out: &o, Err: &o}
		_ = upgrade(t.Context(), stdio, e, newPlain(stdio, &opts.speech), opts)
		if strings.Contains(o.String(), "You began") {
			t.Errorf("it asks:\n%s", o.String())
		}
	}
}
