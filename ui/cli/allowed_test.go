//go:build unix

package cli

import (
	"bytes"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
)

// What only a person can allow is asked about before the first step, as on the screen; a
// yes has the project looked at once more, and unattended nothing is asked.
func TestWhatAPersonCanAllowIsAskedAboutFirst(t *testing.T) {
	for typed, c := range map[string]struct {
		yes  bool
		code int
		made int // keys
		says string
	}{
		"y\n\n": {code: ExitOK, made: 1, says: "n no, stop here   y yes, go on"},
		"\n":    {code: ExitCancelled, says: "Is that on purpose?"},
		"":      {yes: true, code: ExitFinding, made: 1},
	} {
		run := &steps.Run{Prints: secret.NewFingerprinter(nil)}
		var err error
		if run.Journal, err = Stdio().State.Open(t.TempDir(), steps.DefaultEnvironment); err != nil {
			t.Fatal(err)
		}
		tracked := finding.New(finding.EnvFileTrackedByGit, "").At(".env", 0).WithSeverity(finding.Error).Asking("Is that on purpose?")
		made, looks := 0, 0
		fine := func(*steps.Run) error { looks++; return nil }
		e := steps.NewEngine(run,
			planned{acted: acted{name: steps.Preflight, apply: fine}, found: []finding.Finding{tracked}},
			acted{name: steps.Generate, apply: func(*steps.Run) error { made++; return nil }})
		var o bytes.Buffer
		stdio := IO{State: Stdio().State, In: strings.NewReader(typed), Out: &o, Err: &o, InTTY: !c.yes}
		opts := &upgradeOptions{speech: speech{noColor: true}, answers: answers{yes: c.yes}}
		code := exitCode(stdio, upgrade(t.Context(), stdio, e, newPlain(stdio, &opts.speech), opts))
		if again := typed == "y\n\n"; (looks == 2) != again {
			t.Errorf("%q: it was looked %d times", typed, looks)
		}
		if code != c.code || made != c.made || !strings.Contains(o.String(), c.says) || c.yes && strings.Contains(o.String(), "on purpose") {
			t.Errorf("%q: exit %d, %d keys made\n%s", typed, code, made, o.String())
		}
	}
}
