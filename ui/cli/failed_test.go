//go:build unix

package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
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
		"what it lacks":  {at: steps.SmokeTest, found: unreachable, typed: "2\nhttp:/\nhttp://b\n", flag: "url", value: "http://b", says: "Such as http://127.0.0.1:8000."},
		"and back":       {at: steps.SmokeTest, found: unreachable, typed: "a\n\nq\n", says: "Address, or enter to go back: \n"},
		"another way":    {at: steps.Restart, found: finding.New(finding.RestartFailed, ""), typed: "e\nsystemd:shop\n", flag: "restart", value: "systemd:shop", says: "e another restart"},
		"named by a fix": {at: steps.Restart, found: finding.New(finding.ToolMissing, "").WithFix(finding.Do("Or name another: `keysplit --restart command:CMD`.")), typed: "e\nnone\n", flag: "restart", value: "none"},
		"with its value": {at: steps.Restart, found: finding.New(finding.ToolMissing, "").WithFix(finding.Do("Write it there: `keysplit --target dotenv:Prod.env`.")), typed: "p\n\n", flag: "target", value: "dotenv:Prod.env",
			says: "Fix: Write it there: Another place, dotenv:Prod.env.", not: "--target"},
		"not answered":   {at: steps.Restart, found: finding.New(finding.ToolMissing, "").WithFix(finding.Do("Write it there: `keysplit --target dotenv:Prod.env`.")), typed: "p\n"},
		"the look":       {at: steps.Preflight, found: finding.New(finding.DjangoNotRunnable, ""), typed: "p\n/opt/py\n", flag: "python", value: "/opt/py", not: "skip"},
		"nobody answers": {at: steps.Preflight, found: finding.New(finding.DjangoNotRunnable, ""), says: "p another python"},
		"another run":    {at: steps.Preflight, err: &journal.HeldError{Environment: "staging"}, typed: "\n", flag: "wait", value: "true", says: "w wait for it   r retry   q quit"},
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

// A rollback that was not meant leads back to the question, and one that was is the end.
func TestARollbackIsAskedForOnce(t *testing.T) {
	for typed, asked := range map[string]int{"b\nn\nq\n": 2, "b\ny\n": 1} {
		run := stepstest.NewRun(t, "A=1\n", nil)
		run.Wrote, run.Answers.TempUser = true, true
		fine := func(*steps.Run) error { return nil }
		fails := func(*steps.Run) error { return steps.Fail(finding.New(finding.ServerUnreachable, "")) }
		e := steps.NewEngine(run, acted{name: steps.Preflight, apply: fine, undo: fine}, acted{name: steps.SmokeTest, apply: fails, undo: fine})
		for _, n := range steps.Order()[:slices.Index(steps.Order(), steps.SmokeTest)] {
			e.Machine, _ = e.Machine.Do(n, steps.ActSkip)
		}
		var o bytes.Buffer
		stdio := IO{State: Stdio().State, In: strings.NewReader(typed), Out: &o, Err: &o, InTTY: true}
		opts := &upgradeOptions{speech: speech{noColor: true}}
		if err := upgrade(t.Context(), stdio, e, newPlain(stdio, &opts.speech), opts); strings.Count(o.String(), "What now?") != asked {
			t.Errorf("%q ends with %v:\n%s", typed, err, o.String())
		}
	}
}

// A step that was left out without a note of it is not left out.
func TestAStepThatCannotBeNotedAsLeftOut(t *testing.T) {
	run := stepstest.NewRun(t, "A=1\n", nil)
	run.Options.Skip = map[steps.Name]bool{steps.SmokeTest: true}
	if err := os.RemoveAll(run.Journal.Dir()); err != nil {
		t.Fatal(err)
	}
	w := walk{o: &upgradeOptions{}, e: steps.NewEngine(run, acted{name: steps.SmokeTest}), f: newPlain(IO{Out: io.Discard, Err: io.Discard}, &speech{noColor: true})}
	if err := w.pass(t.Context()); err == nil {
		t.Error("it goes on")
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

// What no step fixes is asked about line by line as on the first page: enter looks again,
// and nothing is taken for a yes.
func TestWhatNoStepFixesIsAskedAboutLineByLine(t *testing.T) {
	for typed, want := range map[string]struct {
		looks int
		made  bool
		code  int
		url   string
	}{
		"\n\n":                        {3, true, ExitOK, ""},
		"l\nr\n":                      {3, true, ExitOK, ""},
		"g\n":                         {1, true, ExitFinding, ""},
		"q\n":                         {1, false, ExitCancelled, ""},
		"":                            {1, false, ExitCancelled, ""},
		"a\n\nq\n":                    {1, false, ExitCancelled, ""},
		"another address\nhttp://b\n": {1, false, ExitFinding, "http://b"},
	} {
		run := &steps.Run{Prints: secret.NewFingerprinter(nil)}
		looks, made := 0, false
		e := steps.NewEngine(run, &wrong{looks: &looks}, acted{name: steps.Generate, apply: func(*steps.Run) error { made = true; return nil }})
		var o bytes.Buffer
		stdio := IO{State: Stdio().State, In: strings.NewReader(typed), Out: &o, Err: &o, InTTY: true}
		opts := &upgradeOptions{speech: speech{noColor: true}}
		err := upgrade(t.Context(), stdio, e, newPlain(stdio, &opts.speech), opts)
		again := &startAgain{}
		errors.As(err, &again)
		if code := exitCode(stdio, err); looks != want.looks || made != want.made || code != want.code || again.Value != want.url || !strings.Contains(o.String(), "Fix: Name it: Another address.") || !strings.Contains(o.String(), "l look again   a another address   g go on anyway   q quit   (enter: l)") {
			t.Errorf("%q: %d looks, made %t, exit %d, again with %q\n%s", typed, looks, made, code, again.Value, o.String())
		}
	}
}

// wrong is a look that finds something which no step fixes, but for the third time.
type wrong struct {
	acted
	looks *int
}

func (wrong) Name() steps.Name { return steps.Preflight }
func (w wrong) Apply(_ context.Context, _ *steps.Run, emit steps.Emit) error {
	if *w.looks++; *w.looks < 3 {
		emit.Find(finding.New(finding.InsecureURL, "").WithFix(finding.Do("Name it: `keysplit --url https://HOST`.")))
	}
	return nil
}

// No two ways out of a failure have the same letter, whatever they are called.
func TestEachWayOutHasALetterOfItsOwn(t *testing.T) {
	t.Parallel()
	var others []*ui.Remedy
	for range 12 {
		others = append(others, &ui.Remedy{Label: "Another place"})
	}
	e := steps.NewEngine(&steps.Run{})
	e.Run.Wrote = true
	seen := map[byte]bool{}
	for _, c := range (&walk{e: e}).waysOut(steps.SmokeTest, nil, others, true).choices {
		if seen[c.key] || c.key == ' ' {
			t.Errorf("%c is the letter of two", c.key)
		}
		seen[c.key] = true
	}
}

// q ends every question, also one that does not name it.
func TestEveryQuestionTakesQ(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{"q\n", "Quit\n"} {
		var o bytes.Buffer
		p := newPlain(IO{In: strings.NewReader(typed), Out: &o}, &speech{noColor: true})
		if _, err := p.Ask(t.Context(), "Make the key?", []choice{{key: 'y', text: "yes"}, {key: 'n', text: "no"}}); !errors.Is(err, steps.ErrCancelled) {
			t.Errorf("%q: %v", typed, err)
		}
	}
}
