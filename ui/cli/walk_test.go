//go:build unix

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// A login that was rejected is not tried again as it was: accounts lock.
func TestARejectedLoginIsAskedForAgain(t *testing.T) {
	run := &steps.Run{Prints: secret.NewFingerprinter(nil)}
	run.Answers.Username, run.Answers.Password = "ada", run.Secret("wrong")
	var logins []string
	e := steps.NewEngine(run, acted{name: steps.Preflight, apply: func(*steps.Run) error { return nil }}, acted{name: steps.SmokeTest, apply: func(run *steps.Run) error {
		logins = append(logins, run.Answers.Username)
		if run.Answers.Password.Set() {
			return steps.Fail(finding.New("login-rejected", ""))
		}
		return nil
	}})
	for _, n := range []steps.Name{steps.Generate, steps.Write, steps.Distinct, steps.Restart} {
		e.Machine, _ = e.Machine.Do(n, steps.ActSkip)
	}
	var o bytes.Buffer
	stdio := IO{State: Stdio().State, In: strings.NewReader("r\nn\n"), Out: &o, Err: &o, InTTY: true}
	opts := &upgradeOptions{speech: speech{noColor: true}}
	_ = upgrade(t.Context(), stdio, e, newPlain(stdio, &opts.speech), opts)
	if got := strings.Join(logins, ","); got != "ada," || !strings.Contains(o.String(), "Log in with which account?") {
		t.Errorf("logins as %q\n%s", got, o.String())
	}
}

// What a person may overrule is asked with its own question; enter alone is a no, and
// a yes has the step tried again.
func TestAFailureThatAPersonMayOverrule(t *testing.T) {
	for typed, c := range map[string]struct {
		tries int
		says  string
	}{
		"g\ny\n":         {2, "Send it all the same?"},
		"go\n\nq\n":      {1, "Send it all the same?"},
		"g\nn\ng\nyes\n": {2, "Send it all the same?"},
		"q\n":            {1, "go on anyway"},
		"g\n":            {1, "Send it all the same?"},
	} {
		run := &steps.Run{Prints: secret.NewFingerprinter(nil)}
		tries := 0
		e := steps.NewEngine(run, acted{name: steps.Preflight, apply: func(*steps.Run) error { return nil }}, acted{name: steps.SmokeTest, apply: func(run *steps.Run) error {
			tries++
			if run.Answers.LoginAnyway != "https://a.example.com" {
				return steps.Fail(finding.New("login-withheld", "").At("https://a.example.com", 0).Asking("Send it all the same?"))
			}
			return nil
		}})
		for _, n := range []steps.Name{steps.Generate, steps.Write, steps.Distinct, steps.Restart} {
			e.Machine, _ = e.Machine.Do(n, steps.ActSkip)
		}
		run.Answers.TempUser = true
		var o bytes.Buffer
		stdio := IO{State: Stdio().State, In: strings.NewReader(typed), Out: &o, Err: &o, InTTY: true}
		opts := &upgradeOptions{speech: speech{noColor: true}}
		_ = upgrade(t.Context(), stdio, e, newPlain(stdio, &opts.speech), opts)
		if tries != c.tries || !strings.Contains(o.String(), c.says) || c.tries == 2 && strings.Contains(o.String(), "What now?\n  r retry   s skip login   q quit") {
			t.Errorf("%q: %d tries\n%s", typed, tries, o.String())
		}
	}
}

// What fails after a good end is told, with the way back; the last line of the JSON
// is the result all the same, and every line has a time.
func TestWhatFailsAfterAGoodEnd(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		u := newUpgraded(t, steps.DefaultEnvironment)
		if err := os.Mkdir(filepath.Join(u.root, "keysplit.toml"), 0o700); err != nil {
			t.Fatal(err)
		}
		run := &steps.Run{Prints: secret.NewFingerprinter(nil)}
		e := steps.NewEngine(run, acted{name: steps.Preflight, apply: func(run *steps.Run) (err error) {
			run.Project, run.Wrote = &steps.Project{Root: u.root, TopLevel: u.root}, true
			run.Journal, err = Stdio().State.Open(u.root, u.env)
			return err
		}})
		var o bytes.Buffer
		stdio := IO{State: Stdio().State, In: strings.NewReader(""), Out: &o, Err: &o}
		opts := &upgradeOptions{speech: speech{noColor: true, json: asJSON}, place: place{env: u.env}, answers: answers{yes: true}, writeConfig: true}
		code := exitCode(stdio, upgrade(t.Context(), stdio, e, opts.front(stdio), opts))
		said := stepstest.OneLine(o.String())
		if code == ExitOK || strings.Count(said, "keysplit.toml") != 1 {
			t.Errorf("exit %d: %s", code, said)
		}
		if !asJSON {
			if !strings.Contains(said, "Not finished.") || !strings.Contains(said, "To undo everything: keysplit rollback") {
				t.Errorf("the end is not told: %s", said)
			}
			continue
		}
		lines := strings.Split(strings.TrimSpace(o.String()), "\n")
		for _, line := range lines {
			if !json.Valid([]byte(line)) || strings.Contains(line, `"time":"0001`) {
				t.Errorf("the line %s", line)
			}
		}
		if !strings.Contains(lines[len(lines)-1], `"event":"result","ok":false`) {
			t.Errorf("the last line is %s", lines[len(lines)-1])
		}
	}
}

// A script gets its last line also where production was not named.
func TestTheResultOfARollbackThatIsRefused(t *testing.T) {
	u := newUpgraded(t, "production")
	u.run([]string{".env", "NEW=1\n"})
	code, said := u.rollback("-", "--yes", "--json")
	if code != ExitUsage || !strings.Contains(said, `"event":"result","ok":false`) || !strings.Contains(said, "--confirm production") || u.read(".env") != "NEW=1\n" {
		t.Errorf("exit %d: %s", code, said)
	}
	if code, said := u.rollback("-", "--yes"); code != ExitUsage || strings.Contains(said, "Nothing was undone.") {
		t.Errorf("exit %d, said twice: %s", code, said)
	}
}

// Where the current key is good, the dialogue asks which one should sign, as the wizard
// does: enter keeps it, and a rotation that is refused leads back to the question.
func TestAGoodKeyIsAskedAbout(t *testing.T) {
	for typed, want := range map[string]string{"\n": "keep", "g\ny\n": "grace", "r\ny\n": "rotate", "g\nn\n": "grace", "no\nk\n": "keep", "g refused\nr\nk\n": "grace,keep"} {
		run := &steps.Run{Prints: secret.NewFingerprinter(nil)}
		fine := func(*steps.Run) error { return nil }
		key := &choosing{refuses: strings.Contains(typed, "refused")}
		key.acted = acted{name: steps.Generate, apply: fine}
		e := steps.NewEngine(run, acted{name: steps.Preflight, apply: fine}, key)
		var o bytes.Buffer
		stdio := IO{State: Stdio().State, In: strings.NewReader(strings.Replace(typed, " refused", "", 1)), Out: &o, Err: &o, InTTY: true}
		opts := &upgradeOptions{speech: speech{noColor: true}}
		_ = upgrade(t.Context(), stdio, e, newPlain(stdio, &opts.speech), opts)
		if got := strings.Join(key.chosen, ","); got != want || !strings.Contains(o.String(), "Which key should sign your tokens?") {
			t.Errorf("%q chose %q, want %q\n%s", typed, got, want, o.String())
		}
	}
	for _, opts := range []*upgradeOptions{{answers: answers{yes: true}}, {dryRun: true}} {
		run := &steps.Run{Prints: secret.NewFingerprinter(nil)}
		fine := func(*steps.Run) error { return nil }
		var o bytes.Buffer
		stdio := IO{State: Stdio().State, In: strings.NewReader(""), Out: &o, Err: &o}
		_ = upgrade(t.Context(), stdio, steps.NewEngine(run, acted{name: steps.Preflight, apply: fine}, &choosing{acted: acted{name: steps.Generate, apply: fine}}), newPlain(stdio, &opts.speech), opts)
		if strings.Contains(o.String(), "Which key") {
			t.Errorf("it asks where nobody is there to answer:\n%s", o.String())
		}
	}
}

// choosing is the step of a key that is good.
type choosing struct {
	acted
	refuses bool
	chosen  []string
}

func (c *choosing) Plan(_ context.Context, run *steps.Run) (steps.Plan, error) {
	switch a := run.Answers; {
	case a.Grace && c.refuses:
		c.chosen = append(c.chosen, "grace")
		return steps.Plan{}, steps.Fail(finding.New(finding.GraceNotMapped, ""))
	case a.Grace:
		c.chosen = append(c.chosen, "grace")
		return steps.Plan{Question: prose.Say("Begin the rotation?")}, nil
	case a.Rotate:
		c.chosen = append(c.chosen, "rotate")
		return steps.Plan{Question: prose.Say("Make the key?")}, nil
	}
	return steps.Plan{Nothing: true, Keeps: true}, nil
}

func (c *choosing) Apply(_ context.Context, run *steps.Run, _ steps.Emit) error {
	if a := run.Answers; !a.Grace && !a.Rotate {
		c.chosen = append(c.chosen, "keep")
	}
	return nil
}

// An account that is typed line by line is the one that logs in; its password is read from
// the terminal.
func TestTheAccountThatIsTyped(t *testing.T) {
	t.Parallel()
	master, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer terminal.Close()
	password := stepstest.Key()
	if _, err := master.WriteString(password + "\n"); err != nil {
		t.Fatal(err)
	}
	run := &steps.Run{Prints: secret.NewFingerprinter(nil)}
	o := &upgradeOptions{}
	stdio := IO{In: strings.NewReader("a\nada\n"), Out: io.Discard, Err: io.Discard, InTTY: true}
	w := &walk{e: steps.NewEngine(run), f: newPlain(stdio, &o.speech), o: o, stdio: IO{In: terminal, Err: io.Discard}}
	if err := w.prepare(t.Context(), steps.SmokeTest); err != nil || run.Answers.Username != "ada" || run.Answers.Password.Reveal() != password {
		t.Errorf("%v: %q logs in, with the password %t", err, run.Answers.Username, run.Answers.Password.Set())
	}
}
