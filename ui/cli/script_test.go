//go:build unix

package cli_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// TestScripts runs testdata/script: commands and what they say, as a person types them
// into a shell. Each has a folder of its own, and another one for keysplit's state.
func TestScripts(t *testing.T) {
	t.Parallel()
	program := binary.Path(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Condition: func(name string) (bool, error) {
			if name != "long" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			return stepstest.Long(), nil
		},
		Setup: func(e *testscript.Env) error {
			test := e.T().(testing.TB)
			e.Values["test"] = test
			e.Setenv("PATH", filepath.Dir(program)+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("PROGRAM", program)
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("LANG", "C.UTF-8")
			e.Setenv("KEYSPLIT_STATE_DIR", filepath.Join(test.TempDir(), "state"))
			e.Setenv("PYTHONDONTWRITEBYTECODE", "1")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "key": makeKeys, "fill": fill, "learn": learn, "hides": hides, "django": django, "printed": printed,
		},
	})
}

// exits CODE PROGRAM ARGS...: runs a program and wants its exit code. A command that
// was used wrongly, or could not look, ends with one clear error.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	code, err := strconv.Atoi(args[0])
	if neg || err != nil || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	err = ts.Exec(args[1], args[2:]...)
	got, exit := 0, new(exec.ExitError)
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != code {
		ts.Fatalf("exit %d, want %d", got, code)
	}
	if said := ts.ReadFile("stderr"); strings.Contains(said, "goroutine") || code > 1 && strings.Count(said, "\n") > 6 {
		ts.Fatalf("not one clear error")
	}
}

// key NAME...: sets variables to new keys.
func makeKeys(ts *testscript.TestScript, _ bool, names []string) {
	for _, name := range names {
		ts.Setenv(name, djangotest.NewKey())
	}
}

// fill FILE...: puts the values of variables in for {NAME}.
func fill(ts *testscript.TestScript, _ bool, files []string) {
	for _, file := range files {
		text := ts.ReadFile(file)
		for {
			before, rest, found := strings.Cut(text, "{")
			name, after, closed := strings.Cut(rest, "}")
			if !found || !closed {
				break
			}
			text = before + ts.Getenv(name) + after
		}
		ts.Check(os.WriteFile(ts.MkAbs(file), []byte(text), 0o600))
	}
}

// learn NAME FILE: sets a variable to the key that an env file has.
func learn(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], keyIn(ts.ReadFile(args[1])))
}

// hides NAME...: no 8 characters in a row of these variables' values were said.
func hides(ts *testscript.TestScript, _ bool, names []string) {
	said := ts.ReadFile("stdout") + ts.ReadFile("stderr")
	if len(said) == 0 || slices.ContainsFunc(names, func(name string) bool { return len(ts.Getenv(name)) < 8 || leaks(said, ts.Getenv(name)) }) {
		ts.Fatalf("nothing was said, or a part of %v", names)
	}
}

// aCommand is a line of output that ends in a command of keysplit.
var aCommand = regexp.MustCompile(`(?m)(?:^ *|: )(keysplit (upgrade|rollback|report|check|grace)\b.*)$`)

// printed NAME...: the latest output ends lines in commands of these names, and each
// works as printed: it is used rightly. A rollback and an upgrade are not carried out.
func printed(ts *testscript.TestScript, _ bool, names []string) {
	seen := map[string]bool{}
	for _, m := range aCommand.FindAllStringSubmatch(ts.ReadFile("stdout"), -1) {
		command := m[1]
		seen[m[2]] = true
		if m[2] == "upgrade" {
			command += " --dry-run"
		}
		err := ts.Exec("sh", "-c", command)
		said := ts.ReadFile("stderr")
		var exit *exec.ExitError
		if asks := m[2] == "rollback" && strings.Contains(said, "nobody is there to answer"); errors.As(err, &exit) && exit.ExitCode() > 1 && !asks {
			ts.Fatalf("%s: exit %d, %s", command, exit.ExitCode(), said)
		}
	}
	for _, name := range names {
		if !seen[name] {
			ts.Fatalf("no command %s was printed", name)
		}
	}
}

// django: makes a real project, without its JWT key, and goes to it. Its interpreter is
// $PYTHON, its other key $SECRET_KEY.
func django(ts *testscript.TestScript, _ bool, _ []string) {
	p := djangotest.New(ts.Value("test").(testing.TB), djangotest.Options{Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n"})
	ts.Setenv("PYTHON", p.Python)
	ts.Setenv("PROJECT", p.Root)
	ts.Setenv("WITHHELD", p.SecretKey)
	ts.Check(ts.Chdir(p.Root))
}
