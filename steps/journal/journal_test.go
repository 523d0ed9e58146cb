package journal

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/internal/canary"
	"dj/keysplit/steps/sys/file"
)

// journalFor gives a journal in a state folder of its own and a .env to change.
func journalFor(t *testing.T, content string) (*Journal, string) {
	t.Helper()
	project := t.TempDir()
	env := filepath.Join(project, ".env")
	if err := os.WriteFile(env, []byte(content), 0o640); err != nil {
		t.Fatal(err)
	}
	return openIn(t, stateFolder(t), project), env
}

// stateFolder is a state folder of the test's own.
func stateFolder(t *testing.T) Folder { return Folder(filepath.Join(t.TempDir(), "state")) }

// reopen opens the journal of a project once more, as the next run does.
func reopen(t *testing.T, j *Journal, project string) *Journal {
	t.Helper()
	return openIn(t, j.state, project)
}

func openIn(t *testing.T, state Folder, project string) *Journal {
	t.Helper()
	j, err := state.Open(project, "development")
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func change(t *testing.T, j *Journal, path, content string) {
	t.Helper()
	at, err := envfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	out, err := j.Replace(context.Background(), at, []byte(content))
	if err != nil || out.State != envfile.Replaced {
		t.Fatalf("replace: %v %v", out, err)
	}
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestJournalTakesBackToTheByte(t *testing.T) {
	t.Parallel()
	before := "A=1\r\nB=2"
	j, env := journalFor(t, before)
	change(t, j, env, "A=1\r\nB=2\r\nK=3\r\n")
	change(t, j, env, "A=1\r\nB=2\r\nK=4\r\n")

	j = reopen(t, j, filepath.Dir(env)) // another process
	applied := j.Applied()
	if len(applied) != 2 {
		t.Fatalf("%d changes are in force, want 2", len(applied))
	}
	for i := len(applied) - 1; i >= 0; i-- {
		if _, err := j.Revert(context.Background(), applied[i], false); err != nil {
			t.Fatal(err)
		}
	}
	if got := content(t, env); got != before {
		t.Errorf("after the rollback the file holds %q", got)
	}
	info, _ := os.Stat(env)
	if info.Mode().Perm() != 0o640 && runtime.GOOS != "windows" { // whose modes say only whether a file may be written
		t.Errorf("after the rollback the mode is %v", info.Mode())
	}
	if left := reopen(t, j, filepath.Dir(env)).Applied(); len(left) != 0 {
		t.Errorf("%d changes are still in force after the rollback", len(left))
	}
}

func TestRollbackTakesBackOneRunOnly(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	change(t, j, env, "K=2\n")
	j = reopen(t, j, filepath.Dir(env))
	change(t, j, env, "K=3\n")
	if n := len(j.Applied()); n != 1 {
		t.Errorf("%d changes belong to the latest run, want 1", n)
	}
}

func TestRollbackLeavesForeignEditsAlone(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	change(t, j, env, "K=2\n")
	if err := os.WriteFile(env, []byte("K=2\nEDITED=1\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	_, err := j.Revert(context.Background(), j.Applied()[0], false)
	var refused *envfile.RefusedError
	if !errors.As(err, &refused) || refused.Reason != envfile.ReasonForeign {
		t.Errorf("a foreign edit was met with %v", err)
	}
	if got := content(t, env); got != "K=2\nEDITED=1\n" {
		t.Errorf("the foreign edit is gone: %q", got)
	}
	if _, err := j.Revert(context.Background(), j.Applied()[0], true); err != nil || content(t, env) != "K=1\n" {
		t.Errorf("by force: %v, the file holds %q", err, content(t, env))
	}
	backups, _ := filepath.Glob(filepath.Join(j.Dir(), "backup-*"))
	if kept := slices.ContainsFunc(backups, func(b string) bool { return content(t, b) == "K=2\nEDITED=1\n" }); !kept {
		t.Error("the edited version was not kept")
	}
}

// Runs that begin at once on a new project share one fingerprint key.
func TestJournalHasOneKey(t *testing.T) {
	t.Parallel()
	state := stateFolder(t)
	project, secret := t.TempDir(), canary.New()
	var wg sync.WaitGroup
	prints := make([]string, 16)
	for n := range prints {
		wg.Go(func() {
			j, err := state.Open(project, "development")
			if err != nil {
				t.Error(err)
				return
			}
			prints[n] = j.Prints().Sum([]byte(secret))
		})
	}
	wg.Wait()
	if different := slices.Compact(prints); len(different) != 1 || different[0] == "" {
		t.Errorf("%d different keys", len(different))
	}
	if left, _ := filepath.Glob(filepath.Join(state.Of(project, "development"), "key-*")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestJournalHoldsNoSecretAndNobodyElseReadsIt(t *testing.T) {
	t.Parallel()
	old, key := canary.New(), canary.New()
	j, env := journalFor(t, "K="+old+"\n")
	change(t, j, env, "K="+key+"\n")
	if err := j.SetKey(j.Prints().Secret(key)); err != nil {
		t.Fatal(err)
	}
	text := content(t, j.path())
	if canary.Leaks(text, key) || canary.Leaks(text, old) {
		t.Error("the journal holds a secret")
	}
	if !strings.Contains(text, j.Prints().Sum([]byte(key))) {
		t.Error("the journal does not know the key by its fingerprint")
	}
	if runtime.GOOS == "windows" {
		return // who may read is in the access list of the user's profile there, which the folder inherits
	}
	_ = filepath.Walk(string(j.state), func(path string, info os.FileInfo, err error) error {
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
}

func TestBackupNamesStayInTheFolder(t *testing.T) {
	t.Parallel()
	j, _ := journalFor(t, "")
	for _, id := range []string{"", "../key", "/etc/passwd", "key/../../x"} {
		if _, err := j.Kept(id); err == nil {
			t.Errorf("Kept(%q) gave something", id)
		}
	}
}

// What a kill leaves is no doubt; damage is.
func TestJournalDoubts(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	if _, err := j.Keep(env, []byte("K=1\n")); err != nil { // and then killed, before the intent
		t.Fatal(err)
	}
	write := func(text string) {
		t.Helper()
		data := content(t, j.path()) + text
		if err := os.WriteFile(j.path(), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"time":"2030-01-01T00:00:00Z","kind":"beg`)
	j = reopen(t, j, filepath.Dir(env))
	if j.Doubtful() {
		t.Error("a line that was cut off is in doubt")
	}
	if err := j.SetStatus("write", "failed"); err != nil {
		t.Fatal(err)
	}
	if j = reopen(t, j, filepath.Dir(env)); j.Doubtful() || len(j.Entries()) != 3 {
		t.Errorf("after the next line: doubtful %v, %d entries", j.Doubtful(), len(j.Entries()))
	}
	if err := os.WriteFile(env, []byte("K=2\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	if !j.Doubtful() {
		t.Error("a backup that is not of what the file holds raises no doubt")
	}
	if err := os.WriteFile(env, []byte("K=1\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	write(`{"time":"2030-01-01T00:00:00Z","kind":"status"}` + "\n")
	if j = reopen(t, j, filepath.Dir(env)); !j.Doubtful() {
		t.Error("a damaged line raises no doubt")
	}
	if err := j.SetStatus("write", "failed"); err != nil {
		t.Fatal(err)
	}
	if !reopen(t, j, filepath.Dir(env)).Doubtful() {
		t.Error("a damaged line raises no doubt once another one follows")
	}
	// A whole line without its line feed counts, also when the next one follows.
	j, env = journalFor(t, "K=1\n")
	if err := os.WriteFile(j.path(), []byte(strings.TrimSuffix(content(t, j.path()), "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := reopen(t, j, filepath.Dir(env)).SetStatus("write", "done"); err != nil {
		t.Fatal(err)
	}
	if j = reopen(t, j, filepath.Dir(env)); j.Doubtful() || len(j.Entries()) != 2 {
		t.Errorf("without a line feed: doubtful %v, %d entries", j.Doubtful(), len(j.Entries()))
	}
}

func TestWhereTheStateFolderMayLie(t *testing.T) {
	home := file.Resolved(t.TempDir())
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home) // Windows' name of it
	project := filepath.Join(home, "code", "shop", "backend")
	for _, dir := range []string{project, filepath.Join(home, ".git"), filepath.Join(home, "code", "shop", ".git")} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(project, filepath.Join(home, "link")); err != nil {
		t.Skip(err)
	}
	for dir, good := range map[string]bool{
		filepath.Join(home, ".local", "state", "keysplit"): true, // although the home folder is a work tree
		filepath.Join(home, "code", "shop-state"):          true,
		filepath.Join(home, "code", "shop", "state"):       false,
		filepath.Join(home, "code", "shop"):                false,
		filepath.Join(home, "link", "state"):               false,
		"state":                                            false,
		"./state":                                          false,
	} {
		_, err := Folder(dir).Open(project, "development")
		var misplaced *PlaceError
		if good != (err == nil) || !good && !errors.As(err, &misplaced) {
			t.Errorf("%s: %v", dir, err)
		}
		if _, there := os.Lstat(dir); !good && there == nil && filepath.Base(dir) == "state" {
			t.Errorf("%s was made", dir)
		}
	}
}

func TestReadJournalMakesNothing(t *testing.T) {
	t.Parallel()
	state := stateFolder(t)
	j, err := state.Read("/some/project", "development")
	if j != nil || err != nil {
		t.Fatalf("without a journal: %v, %v", j, err)
	}
	if _, err := os.Stat(string(state)); err == nil {
		t.Error("a folder was made")
	}
	openIn(t, state, "/some/project")
	if j, err = state.Read("/some/project", "development"); err != nil || j == nil {
		t.Fatalf("with a journal: %v, %v", j, err)
	}
	if err := j.SetStatus("write", "done"); !errors.Is(err, ErrUnusable) {
		t.Errorf("a journal opened for reading was written: %v", err)
	}
	if err := os.Remove(filepath.Join(string(state), "key")); err != nil {
		t.Fatal(err)
	}
	if _, err := state.Read("/some/project", "development"); !errors.Is(err, ErrUnusable) {
		t.Errorf("a journal without its key was read: %v", err)
	}
	if _, err := os.Stat(filepath.Join(string(state), "key")); err == nil {
		t.Error("a new key was made")
	}
}

// A change that cannot be finished is not passed over: Recover fails, and tries again the next time.
func TestRecoverSaysWhatItCouldNotFinish(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "A=half\n")
	in := envfile.Intent{ID: "1", Path: env, Target: env, InPlace: true, OldSum: "old", NewSum: "new", BackupID: "gone", StagedID: "gone"}
	if err := j.Begin(in); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		j = reopen(t, j, filepath.Dir(env))
		if ended, err := j.Recover(t.Context()); err == nil || len(ended) > 0 {
			t.Errorf("it passes over the change: %d ended, %v", len(ended), err)
		}
		if content(t, env) != "A=half\n" || len(j.open()) != 1 {
			t.Errorf("%d changes are open", len(j.open()))
		}
	}
}
