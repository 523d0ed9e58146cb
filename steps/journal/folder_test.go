package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// A folder that is not there cannot be trusted, whichever of the two it is; a draft of
// another run that is gone between two looks is none of a journal's faults.
func TestAFolderThatIsGoneIsAnError(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]func(j *Journal) string{
		"the journal's": func(j *Journal) string { return j.dir },
		"the state's":   func(j *Journal) string { return string(j.state) },
	} {
		j, _ := journalFor(t, "K=1\n")
		if err := j.trusted(); err != nil {
			t.Fatalf("%s: sound, and %v", name, err)
		}
		if err := os.RemoveAll(gone(j)); err != nil {
			t.Fatal(err)
		}
		if err := j.trusted(); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	j, _ := journalFor(t, "K=1\n")
	if err := os.Remove(filepath.Join(string(j.state), "key")); err != nil {
		t.Fatal(err)
	}
	if err := j.trusted(); err != nil {
		t.Errorf("without a key of its own: %v", err)
	}
}

// A relative folder would be another one in each folder that keysplit is called in.
func TestARelativeStateFolderIsRefused(t *testing.T) {
	t.Parallel()
	for _, f := range []Folder{"", "state"} {
		var refused *PlaceError
		if _, err := f.Read("/srv/shop", "development"); !errors.As(err, &refused) {
			t.Errorf("%q is read: %v", f, err)
		}
		if _, err := f.Open("/srv/shop", "development"); !errors.As(err, &refused) {
			t.Errorf("%q is opened: %v", f, err)
		}
	}
}

// A backup that no change knows of is seen whatever the project's folder is called: its
// name is a part of the journal's.
func TestAStrayBackupIsSeenInAnyFolder(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"shop", "shop[1]", "[a-", "s*p?", `a\b`} {
		project := filepath.Join(t.TempDir(), name)
		if err := os.Mkdir(project, 0o700); err != nil {
			t.Skip("SKIPPED, NOT TESTED: no such folder can be made here")
		}
		j := openIn(t, stateFolder(t), project)
		if j.Doubtful() {
			t.Errorf("%s: in doubt from the beginning", name)
		}
		if err := os.WriteFile(filepath.Join(j.dir, "backup-x"), []byte("K=1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if !j.Doubtful() {
			t.Errorf("%s: a stray backup is not seen", name)
		}
	}
}
