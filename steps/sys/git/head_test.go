//go:build unix

package git

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The commit is told with whether files differ from it, and where git does not answer
// that, it is not known.
func TestHead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("git", append([]string{"-C", dir, "-c", "user.name=Test", "-c", "user.email=test@localhost"}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", args[0], err, out)
		}
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := func(what string, known, differs bool) {
		t.Helper()
		commit, changed := Head(t.Context(), dir)
		if commit == "" || (changed != nil) != known || known && *changed != differs {
			t.Errorf("%s: commit %q, changed %v", what, commit, changed)
		}
	}
	run("init", "-q")
	if commit, changed := Head(t.Context(), dir); commit != "" || changed != nil {
		t.Errorf("without a commit: %q, %v", commit, changed)
	}
	write("a", "1\n")
	run("add", "a")
	run("commit", "-qm", "Begin")
	want("clean", true, false)
	write("b", "1\n")
	want("a file that git does not know", true, false)
	write("a", "2\n")
	want("a changed file", true, true)
	write(".git/index", "no index")
	want("a damaged index", false, false)
}
