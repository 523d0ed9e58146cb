//go:build unix

package cli

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"dj/keysplit/steps"
)

// What a command cannot read or make ends it, and is not told as a result.
func TestWhatEndsACommand(t *testing.T) {
	damage := func(t *testing.T, root string) {
		j, err := Stdio().State.Open(root, steps.DefaultEnvironment)
		if err == nil {
			err = os.WriteFile(filepath.Join(j.Dir(), "journal.jsonl"), []byte("nothing\nof ours\n"), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
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
	}{"n\n": {ExitOK, "Nothing was recorded."}, "": {ExitCancelled, ""}, "y\n": {ExitOK, "Recorded."}} {
		root, _ := staticProject(t)
		t.Chdir(root)
		var out bytes.Buffer
		code := Main([]string{"rollback", "--emergency"}, IO{State: Stdio().State, In: strings.NewReader(typed), Out: &out, Err: &out, InTTY: true})
		if code != c.code || !strings.Contains(out.String(), c.says) || strings.Contains(out.String(), "Recorded.") != (typed == "y\n") {
			t.Errorf("%q: exit %d\n%s", typed, code, out.String())
		}
	}
}

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
