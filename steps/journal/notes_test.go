package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/internal/canary"
)

// Each note is what the next process reads, and one that says nothing new is not written.
func TestNotesAreReadBack(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	next := func() *Journal { return reopen(t, j, filepath.Dir(env)) }
	if spec, also := j.RestartedBy(), j.AlsoRestarted(); spec != "" || also != nil {
		t.Errorf("before any restart: %q, %q", spec, also)
	}
	for _, c := range []struct {
		spec string
		also []string
		new  int
	}{{"a", nil, 1}, {"a", nil, 0}, {"a", []string{"b"}, 1}, {"c", []string{"b"}, 1}} {
		was := len(j.entries)
		if err := j.SetRestart(c.spec, c.also...); err != nil || len(j.entries)-was != c.new {
			t.Errorf("%v: %d entries, %v", c, len(j.entries)-was, err)
		}
		if j.SetStatus("x", "y") != nil || next().RestartedBy() != c.spec || !slices.Equal(next().AlsoRestarted(), c.also) {
			t.Errorf("%v: %q, %q", c, next().RestartedBy(), next().AlsoRestarted())
		}
	}
	if _, ok := j.Emergency(); ok {
		t.Error("an emergency that nobody began")
	}
	until := time.Now().Add(time.Hour).Truncate(time.Second)
	if err := j.StartEmergency(until); err != nil {
		t.Fatal(err)
	}
	if got, ok := next().Emergency(); !ok || !got.Equal(until) {
		t.Errorf("%v, %v", got, ok)
	}
	a, b := Account{"username", "a"}, Account{"username", "b"}
	for _, err := range []error{j.NoteAccount(a), j.NoteAccount(b), j.AccountGone(a)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if left := next().Accounts(); !slices.Equal(left, []Account{b}) {
		t.Errorf("%v are left", left)
	}
}

// What an upgrade used counts until it is undone.
func TestWhatWasUsedLast(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	if _, ok := j.LastUsed(); ok {
		t.Error("a new journal has used something")
	}
	first, second := Used{Targets: []string{"a"}}, Used{Targets: []string{"b"}, CAFile: "/ca"}
	if err := j.Use(first); err != nil {
		t.Fatal(err)
	}
	was := len(j.entries)
	if err := j.Use(first); err != nil || len(j.entries) != was {
		t.Errorf("the same was noted again, %v", err)
	}
	change(t, j, env, "K=2\n")
	j = reopen(t, j, filepath.Dir(env))
	if err := j.Use(second); err != nil {
		t.Fatal(err)
	}
	if u, ok := j.LastUsed(); !ok || !reflect.DeepEqual(u, second) {
		t.Errorf("one that changed nothing: %+v, %v", u, ok)
	}
	change(t, j, env, "K=3\n")
	if err := j.BeginRollback(j.run); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Revert(t.Context(), j.Applied()[0], false); err != nil {
		t.Fatal(err)
	}
	if u, ok := j.LastUsed(); !ok || !reflect.DeepEqual(u, second) {
		t.Errorf("while the undo goes on: %+v, %v", u, ok)
	}
	was = len(j.entries)
	if err := j.Use(second); err != nil || len(j.entries) == was {
		t.Errorf("what an upgrade uses that comes in between is not noted, %v", err)
	}
	j.entries = j.entries[:was]
	if err := j.EndRollback(); err != nil {
		t.Fatal(err)
	}
	if u, ok := j.LastUsed(); !ok || !reflect.DeepEqual(u, first) {
		t.Errorf("after the undo: %+v, %v", u, ok)
	}
	if _, err := j.Revert(t.Context(), j.Applied()[0], false); err != nil {
		t.Fatal(err)
	}
	if u, ok := j.LastUsed(); ok {
		t.Errorf("after both: %+v", u)
	}
}

// The files of an evidence are written once, and each evidence has them.
func TestEvidenceOfTheSameFiles(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	files := []FileSum{SumFile(j.prints, env), SumFile(j.prints, env+".none")}
	if files[0].Sum == "" || files[1].Sum != "" {
		t.Fatalf("%+v", files)
	}
	for range 2 {
		if err := j.Record("verify", Evidence{Files: files}); err != nil {
			t.Fatal(err)
		}
	}
	if n := strings.Count(content(t, j.path()), files[0].Sum); n != 1 {
		t.Errorf("the files are written %d times", n)
	}
	other := []FileSum{SumFile(j.prints, j.path())}
	if err := j.Record("verify", Evidence{Files: other}); err != nil {
		t.Fatal(err)
	}
	var found [][]FileSum
	for _, e := range reopen(t, j, filepath.Dir(env)).Entries() {
		if e.Evidence != nil {
			found = append(found, e.Evidence.Files)
		}
	}
	if !reflect.DeepEqual(found, [][]FileSum{files, files, other}) {
		t.Errorf("the evidences have these files: %+v", found)
	}
}

// A rotation has its keys until it ends, and no end without a beginning.
func TestARotationEnds(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	was := len(j.entries)
	if err := j.EndRotation(); err != nil || len(j.entries) != was {
		t.Errorf("the end of none: %v, %d entries", err, len(j.entries)-was)
	}
	next, old := j.prints.Secret(canary.New()), j.prints.Secret(canary.New())
	if err := j.BeginRotation(next, old); err != nil {
		t.Fatal(err)
	}
	r, ok, err := reopen(t, j, filepath.Dir(env)).Rotation()
	if !ok || err != nil || !r.New.Equal(next) || !r.Old.Equal(old) || r.Accepted || j.Rotated() {
		t.Errorf("under way %v, accepted %v, %v", ok, r.Accepted, err)
	}
	change(t, j, env, "K=2\n")
	if err := j.SetAccepted(r); err != nil {
		t.Fatal(err)
	}
	if r, _, err := reopen(t, j, filepath.Dir(env)).Rotation(); err != nil || !r.Accepted || !j.Rotated() {
		t.Errorf("accepted %v, %v", r.Accepted, err)
	}
	if err := os.WriteFile(filepath.Join(j.dir, r.id), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := j.Rotation(); !ok || err == nil {
		t.Error("damaged keys are taken for keys")
	}
	if err := j.EndRotation(); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := reopen(t, j, filepath.Dir(env)).Rotation(); ok {
		t.Error("an ended rotation goes on")
	}
	if _, err := os.Stat(filepath.Join(j.dir, r.id)); err == nil {
		t.Error("its keys are still there")
	}
}

// A folder in which nothing can be kept is said before anything is made.
func TestUsable(t *testing.T) {
	t.Parallel()
	project := t.TempDir()
	f := stateFolder(t)
	if err := f.Usable(project, "development"); err != nil {
		t.Errorf("a folder that can be made: %v", err)
	}
	if _, err := os.Stat(string(f)); err == nil {
		t.Error("it was made")
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.WriteFile(string(f), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Usable(project, "development"); err == nil || !strings.Contains(err.Error(), "cannot keep its notes") {
		t.Errorf("a file in its place: %v", err)
	}
	if err := Folder(filepath.Join(project, "state")).Usable(project, "development"); err == nil {
		t.Error("a folder inside of the project is usable")
	}
}

// What cannot be written is no backup.
func TestABackupThatFails(t *testing.T) {
	t.Parallel()
	j, _ := journalFor(t, "")
	none := filepath.Join(t.TempDir(), "none", "x")
	if writeDurably(none, nil) == nil || publish(none, nil) == nil || syncDir(filepath.Dir(none)) == nil && runtime.GOOS != "windows" {
		t.Error("a file was written to a folder that is not there")
	}
	if runtime.GOOS == "linux" && syncDir("/proc") == nil {
		t.Error("a folder that the system does not sync was synced")
	}
	j.readOnly = true
	if _, err := j.Keep("a", []byte("x")); err == nil {
		t.Error("a backup was kept that no line names")
	}
	j.readOnly, j.dir = false, filepath.Dir(none)
	if _, err := j.Keep("a", []byte("x")); err == nil {
		t.Error("a backup was kept nowhere")
	}
	if _, err := j.Kept("../x"); err == nil {
		t.Error("a backup outside of the folder was read")
	}
}

// A line of a journal may be long: evidence can rest on many files.
func TestALongLineIsRead(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	files := make([]FileSum, 2000)
	for i := range files {
		files[i] = FileSum{Path: fmt.Sprintf("/srv/shop/%060d", i)}
	}
	if err := j.Record("verify", Evidence{Files: files}); err != nil {
		t.Fatal(err)
	}
	if err := j.SetStatus("verify", "done"); err != nil {
		t.Fatal(err)
	}
	if got := reopen(t, j, filepath.Dir(env)).Entries(); len(got) != len(j.Entries()) || len(got[len(got)-2].Evidence.Files) != len(files) {
		t.Errorf("%d of %d entries are read", len(got), len(j.Entries()))
	}
}
