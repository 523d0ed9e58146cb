//go:build unix

package cli

import (
	"bytes"
	"errors"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// damage leaves a journal that cannot be read.
func damage(t *testing.T, root string) {
	t.Helper()
	j, err := Stdio().State.Open(root, steps.DefaultEnvironment)
	if err == nil {
		err = os.WriteFile(filepath.Join(j.Dir(), "journal.jsonl"), []byte("nothing\nof ours\n"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A journal that cannot be read stands in a bug report; and findings that cannot be printed
// are no good end of a check.
func TestWhatAReportCannotReadOrPrint(t *testing.T) {
	root, _ := staticProject(t)
	t.Chdir(root)
	var out, errOut bytes.Buffer
	closed, writing := io.Pipe()
	_ = closed.Close()
	code := Main([]string{"check", "--static", "--format", "json"}, IO{State: Stdio().State, In: strings.NewReader(""), Out: writing, Err: &errOut})
	if code == ExitOK || !strings.Contains(errOut.String(), "closed pipe") {
		t.Errorf("exit %d: %s", code, errOut.String())
	}
	damage(t, root)
	code = Main([]string{"bug-report", "--static"}, IO{State: Stdio().State, In: strings.NewReader(""), Out: &out, Err: &errOut})
	if code != ExitOK || !strings.Contains(out.String(), `"failed": "`) {
		t.Errorf("exit %d\n%s", code, out.String())
	}
}

// What a command cannot read or make ends it, and is not told as a result.
func TestWhatEndsACommand(t *testing.T) {
	toml := func(t *testing.T, root string) {
		if err := os.WriteFile(filepath.Join(root, "keysplit.toml"), []byte("[environments.\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	none := func(*testing.T, string) {}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, root string)
		args  string
		says  string
	}{
		"the configuration, status":       {toml, "status --all", "keysplit.toml"},
		"the configuration, report":       {toml, "report --all", "keysplit.toml"},
		"the configuration, check":        {toml, "check --static --all", "keysplit.toml"},
		"the journal, status":             {damage, "status", "journal"},
		"the journal, report":             {damage, "report", "journal"},
		"the journal, report that signs":  {damage, "report --attest 9 --by Ada --note told", "journal"},
		"the journal, grace":              {damage, "grace --prepare", "journal"},
		"the journal, emergency":          {damage, "rollback --emergency --yes", "journal"},
		"the journal, check":              {damage, "check --static", "journal"},
		"a place that is no file, status": {none, "status --all --target nothing", "--target"},
		"no such authorities":             {none, "check --static --ca-file gone.pem", "--ca-file"},
		"no such step":                    {none, "upgrade --yes --skip nothing", "--skip"},
		"no such theme, demo":             {none, "demo --theme none", "--theme"},
		"no folder for the manual":        {none, "man manage.py/man", "manage.py"},
		"a folder is in the manual's way": {func(t *testing.T, root string) { _ = os.MkdirAll(filepath.Join(root, "man", "keysplit.1"), 0o700) }, "man man", "keysplit.1"},
	} {
		t.Run(name, func(t *testing.T) {
			root, _ := staticProject(t)
			t.Chdir(root)
			c.spoil(t, root)
			var out, errOut bytes.Buffer
			code := Main(strings.Fields(c.args), IO{State: Stdio().State, In: strings.NewReader(""), Out: &out, Err: &errOut})
			if code == ExitOK || !strings.Contains(errOut.String()+out.String(), c.says) {
				t.Errorf("exit %d\n%s\n%s", code, out.String(), errOut.String())
			}
		})
	}
	root, _ := staticProject(t)
	t.Chdir(root)
	toml(t, root)
	var out bytes.Buffer
	if code := Main([]string{"__complete", "check", "--env", ""}, IO{State: Stdio().State, In: strings.NewReader(""), Out: &out, Err: &bytes.Buffer{}}); code != ExitOK || strings.TrimSpace(out.String()) != ":4" {
		t.Errorf("completion: exit %d, %q", code, out.String())
	}
	var errOut bytes.Buffer
	code := Main([]string{"explain"}, IO{State: Stdio().State, In: iotest.ErrReader(errors.New("the pipe broke")), Out: &out, Err: &errOut})
	if code == ExitOK || !strings.Contains(errOut.String(), "the pipe broke") {
		t.Errorf("explain: exit %d, %s", code, errOut.String())
	}
}

// What a person says line by line of an emergency counts only where it is a yes.
func TestAnEmergencyNeedsAYes(t *testing.T) {
	for typed, c := range map[string]struct {
		code int
		says string
	}{"n\n": {ExitOK, "Nothing was recorded."}, "": {ExitCancelled, ""}, "y\n": {ExitOK, "Recorded."}, "y, with the journal gone\n": {ExitFinding, "journal"}} {
		root, _ := staticProject(t)
		t.Chdir(root)
		var out bytes.Buffer
		var in io.Reader = strings.NewReader(typed)
		if c.code == ExitFinding {
			in = answering(func() string {
				j, err := Stdio().State.Read(root, steps.DefaultEnvironment)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.RemoveAll(j.Dir()); err != nil {
					t.Fatal(err)
				}
				return "y\n"
			})
		}
		code := Main([]string{"rollback", "--emergency"}, IO{State: Stdio().State, In: in, Out: &out, Err: &out, InTTY: true})
		if code != c.code || !strings.Contains(out.String(), c.says) || strings.Contains(out.String(), "Recorded.") != (typed == "y\n") {
			t.Errorf("%q: exit %d\n%s", typed, code, out.String())
		}
	}
}

// answering is a person whose answer takes the time for something to happen.
type answering func() string

func (a answering) Read(p []byte) (int, error) { return copy(p, a()), nil }

// An interpreter of the configuration is one of its folder; one of the command line is one
// of the current folder.
func TestWhereAnInterpreterIsLookedFor(t *testing.T) {
	root, _ := staticProject(t)
	if err := os.WriteFile(filepath.Join(root, "keysplit.toml"), []byte("python = \"docker compose exec web python\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for given, dir := range map[string]string{"": root, "python3": ""} {
		run, err := (&place{project: root, python: given, env: steps.DefaultEnvironment}).run(t.Context(), Stdio(), request{})
		if err != nil || run.Options.PythonDir != dir || (given == "") != strings.HasPrefix(run.Options.Python, "docker") {
			t.Errorf("--python %q: %v, %q in %q", given, err, run.Options.Python, run.Options.PythonDir)
		}
	}
}

// Where the input ends at a question, or what is typed cannot be taken, nothing further is
// done.
func TestTheInputEndsAtAQuestion(t *testing.T) {
	for typed, c := range map[string]struct {
		done string
		says string
	}{
		"":             {"preflight", "Make the key?"},
		"y\n":          {"preflight generate", "Write it?"},
		"i\n":          {"preflight", "Your key (not shown)"},
		"y\ns\n":       {"preflight generate", "Its number"},
		"y\ny\n":       {"preflight generate write distinct restart", "Log in with which account?"},
		"y\ny\na\n":    {"preflight generate write distinct restart", "Name of the account"},
		"y\ny\na\nx\n": {"preflight generate write distinct restart", "Its password (not shown)"},
	} {
		var done []string
		step := func(n steps.Name) acted {
			return acted{name: n, apply: func(*steps.Run) error { done = append(done, string(n)); return nil }}
		}
		run := &steps.Run{Prints: secret.NewFingerprinter(nil)}
		asks := func(n steps.Name, plan steps.Plan) steps.Step { return planned{acted: step(n), plan: plan} }
		e := steps.NewEngine(run, step(steps.Preflight),
			asks(steps.Generate, steps.Plan{Question: prose.Say("Make the key?")}),
			asks(steps.Write, steps.Plan{Question: prose.Say("Write it?"), Edits: []steps.Edit{{ID: "a", Why: prose.Say("It adds a line."), On: true}}}),
			step(steps.Distinct), step(steps.Restart), step(steps.SmokeTest))
		var o bytes.Buffer
		stdio := IO{State: Stdio().State, In: strings.NewReader(typed), Out: &o, Err: &o, InTTY: true}
		opts := &upgradeOptions{speech: speech{noColor: true}}
		err := upgrade(t.Context(), stdio, e, newPlain(stdio, &opts.speech), opts)
		if got := strings.Join(done, " "); err == nil || got != c.done || !strings.Contains(o.String(), c.says) {
			t.Errorf("%q: %v, done %q\n%s", typed, err, got, o.String())
		}
	}
}

// What libraries log of a server that misbehaves is not on the terminal.
func TestNothingIsLogged(t *testing.T) {
	before := log.Writer()
	defer log.SetOutput(before)
	log.SetOutput(os.Stderr)
	if code := Main([]string{"version"}, IO{State: Stdio().State, In: strings.NewReader(""), Out: io.Discard, Err: io.Discard}); code != ExitOK || log.Writer() != io.Discard {
		t.Errorf("exit %d, logs to the terminal: %t", code, log.Writer() != io.Discard)
	}
}
