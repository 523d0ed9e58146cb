package steps

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
)

// checked is a step that shows one line of proof.
type checked struct{ fake }

func (c *checked) Verify(_ context.Context, _ *Run, emit Emit) error {
	emit.Check("a line", MarkOK, "seen", "")
	return nil
}

// Evidence keeps the name of the commit that it was seen at, also when the project goes
// on, and says where files differed from it.
func TestEvidenceNamesItsCommit(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("git", append([]string{"-C", root, "-c", "user.name=Test", "-c", "user.email=test@localhost"}, args...)...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return string(out[:len(out)-min(len(out), 1)])
	}
	file := filepath.Join(root, "settings.py")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("A = 1\n")
	git("init", "-q")
	git("add", ".")
	git("commit", "-qm", "Begin")
	j, err := journal.Folder(filepath.Join(t.TempDir(), "state")).Open(root, DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	prove := func() string {
		t.Helper()
		run := &Run{Prints: secret.NewFingerprinter(nil), Found: Found{Journal: j, Project: &Project{Root: root, TopLevel: root}}}
		e := NewEngine(run, &checked{fake{name: Preflight}}, &checked{fake{name: Generate}})
		pass(t, e, Preflight)
		pass(t, e, Generate)
		all := j.Entries()
		for i := len(all) - 1; i >= 0; i-- {
			if all[i].Evidence != nil {
				return all[i].Evidence.Commit
			}
		}
		return "no evidence"
	}
	first := git("rev-parse", "--short", "HEAD")
	if got := prove(); got != first {
		t.Errorf("seen at %q, want %q", got, first)
	}
	write("A = 2\n")
	if got := prove(); got != first+" with uncommitted changes" {
		t.Errorf("seen at %q", got)
	}
	git("commit", "-qam", "Go on")
	if got, second := prove(), git("rev-parse", "--short", "HEAD"); got != second || got == first {
		t.Errorf("seen at %q, want %q", got, second)
	}
}
