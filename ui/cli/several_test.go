package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/stepstest"
)

// twoBackends is a work tree with two projects, as its folder.
func twoBackends(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		".git/HEAD": "", "apps/shop/manage.py": "import django\n", "apps/shop/.env": "", "services/jobs/manage.py": "import django\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Where nobody is there to be asked, several projects are wrong usage, with a line to
// paste for each, whatever the command.
func TestSeveralProjects(t *testing.T) {
	t.Parallel()
	dir := twoBackends(t)
	for _, args := range [][]string{{"check", "--committed"}, {"check", "--all"}, {"check", "--json", "--static"}, {"upgrade", "--yes"}, {"report"}, {"grace"}, {"rollback", "--yes"}} {
		var out bytes.Buffer
		code := Main(append(args, "--project", dir), IO{State: journal.Folder(t.TempDir()), In: strings.NewReader(""), Out: &out, Err: &out})
		if code != ExitUsage {
			t.Errorf("%v: exit %d\n%s", args, code, out.String())
		}
		for _, folder := range []string{"apps/shop", "services/jobs"} {
			if !strings.Contains(out.String(), "\n  --project "+filepath.Join(dir, filepath.FromSlash(folder))+"\n") {
				t.Errorf("%v: no line for %s\n%s", args, folder, out.String())
			}
		}
	}
}

// A person is asked, and the commands that are printed then name the answer.
func TestSeveralProjectsAreAskedFor(t *testing.T) {
	t.Parallel()
	dir := twoBackends(t)
	for typed, want := range map[string]string{"1\n": "apps/shop", "2\n": "services/jobs", "q\n": ""} {
		var out bytes.Buffer
		code := Main([]string{"upgrade", "--project", dir, "--python", filepath.Join(dir, "gone")}, IO{State: journal.Folder(t.TempDir()), In: strings.NewReader(typed), Out: &out, Err: &out, InTTY: true})
		if want == "" {
			if code != ExitCancelled {
				t.Errorf("exit %d\n%s", code, out.String())
			}
			continue
		}
		root := filepath.Join(dir, filepath.FromSlash(want))
		said := stepstest.OneLine(out.String())
		if !strings.Contains(said, "Which one?") || !strings.Contains(said, root) || !strings.Contains(said, "--project "+root) {
			t.Errorf("%q: exit %d\n%s", typed, code, out.String())
		}
	}
}
