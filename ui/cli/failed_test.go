//go:build unix

package cli

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/ui"
)

// A failure asks line by line what its page of the wizard does: what can be named instead
// is an answer, with which the run begins again, and a step that is skipped has its name.
func TestAFailureIsAskedAboutAsOnTheScreen(t *testing.T) {
	unreachable := finding.New(finding.ServerUnreachable, "")
	for name, c := range map[string]struct {
		at        steps.Name
		found     finding.Finding
		err       error // in its place
		typed     string
		flag      string // with which it begins again, "" for not at all
		value     string
		says, not string
		throwaway bool
	}{
		"another address": {at: steps.SmokeTest, found: unreachable, typed: "a\n127.0.0.1\nhttp://127.0.0.1:9000\n", flag: "url", value: "http://127.0.0.1:9000",
			says: "r retry   a another address   s skip login   q quit"},
		"its words":      {at: steps.SmokeTest, found: unreachable, typed: "another address\nhttps://a.example.com\n", flag: "url", value: "https://a.example.com", says: "At which address"},
		"what it lacks":  {at: steps.SmokeTest, found: unreachable, typed: "2\n\nhttp:/\nhttp://b\n", flag: "url", value: "http://b", says: "Such as http://127.0.0.1:8000."},
		"another way":    {at: steps.Restart, found: finding.New(finding.RestartFailed, ""), typed: "e\nsystemd:shop\n", flag: "restart", value: "systemd:shop", says: "e another restart"},
		"named by a fix": {at: steps.Restart, found: finding.New(finding.ToolMissing, "").WithFix(finding.Do("Or name another: `keysplit --restart command:CMD`.")), typed: "e\nnone\n", flag: "restart", value: "none"},
		"with its value": {at: steps.Restart, found: finding.New(finding.ToolMissing, "").WithFix(finding.Do("Write it there: `keysplit --target dotenv:Prod.env`.")), typed: "p\n\n", flag: "target", value: "dotenv:Prod.env",
			says: "Fix: Write it there: Another place, dotenv:Prod.env.", not: "--target"},
		"the look":       {at: steps.Preflight, found: finding.New(finding.DjangoNotRunnable, ""), typed: "p\n/opt/py\n", flag: "python", value: "/opt/py", not: "skip"},
		"nobody answers": {at: steps.Preflight, found: finding.New(finding.DjangoNotRunnable, ""), says: "p another python"},
		"another run":    {at: steps.Preflight, err: &journal.HeldError{Environment: "staging"}, typed: "w\n", flag: "wait", value: "true", says: "r retry   w wait for it   q quit"},
		"the demo":       {at: steps.SmokeTest, found: unreachable, typed: "q\n", throwaway: true, says: "r retry   s skip login   q quit"},
	} {
		t.Run(name, func(t *testing.T) {
			run := &steps.Run{Prints: secret.NewFingerprinter(nil)}
			run.Answers.TempUser = true
			fine := func(*steps.Run) error { return nil }
			e := steps.NewEngine(run, acted{name: steps.Preflight, apply: fine}, acted{name: c.at, apply: func(*steps.Run) error { return cmp.Or(c.err, steps.Fail(c.found)) }})
			for _, n := range steps.Order() {
				if n == c.at {
					break
				}
				e.Machine, _ = e.Machine.Do(n, steps.ActSkip)
			}
			var o bytes.Buffer
			stdio := IO{State: Stdio().State, In: strings.NewReader(c.typed), Out: &o, Err: &o, InTTY: true}
			opts := &upgradeOptions{speech: speech{noColor: true}}
			opts.throwaway = c.throwaway
			err := upgrade(t.Context(), stdio, e, newPlain(stdio, &opts.speech), opts)
			var again *startAgain
			switch {
			case c.flag == "" && (errors.As(err, &again) || codeOf(err) == ExitCancelled):
				t.Errorf("it ends with %v", err)
			case c.flag != "" && (!errors.As(err, &again) || again.Flag != c.flag || again.Value != c.value):
				t.Errorf("it begins again with %+v, %v", again, err)
			}
			if said := o.String(); !strings.Contains(said, c.says) || c.not != "" && strings.Contains(said, c.not) || c.flag != "" && strings.Contains(said, "Not finished") {
				t.Errorf("it says\n%s", said)
			}
		})
	}
}

// Without a project, those below the folder and the demo are answers, as on the screen; the
// demo is none of an upgrade's.
func TestOtherProjectsAreOfferedLineByLine(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	shop := filepath.Join(folder, "Shop")
	if err := os.Mkdir(shop, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(shop, "manage.py"), []byte("import django\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]ui.Again{
		"1\n": {Flag: "project", Value: shop}, "\n": {Flag: "project", Value: shop}, "d\n": {Demo: true}, "2\n": {Demo: true}, "f\nx\n": {Flag: "project", Value: "x"},
	} {
		for _, verb := range []string{"", "upgrade"} {
			run := &steps.Run{Prints: secret.NewFingerprinter(nil), Options: steps.Options{Folder: folder}}
			e := steps.NewEngine(run, acted{name: steps.Preflight, apply: func(*steps.Run) error { return steps.Fail(finding.New(finding.ProjectNotFound, "")) }})
			var o bytes.Buffer
			stdio := IO{State: Stdio().State, In: strings.NewReader(typed), Out: &o, Err: &o, InTTY: true}
			opts := &upgradeOptions{speech: speech{noColor: true}, verb: verb}
			err := upgrade(t.Context(), stdio, e, newPlain(stdio, &opts.speech), opts)
			var again *startAgain
			if begins := errors.As(err, &again); verb == "upgrade" && want.Demo {
				if begins && again.Demo || strings.Contains(o.String(), "demo") {
					t.Errorf("%q: an upgrade offers the demo:\n%s", typed, o.String())
				}
			} else if !begins || again.Again != want || !strings.Contains(o.String(), "Shop") {
				t.Errorf("%q of %q begins again with %+v:\n%s", typed, verb, again, o.String())
			}
		}
	}
}
