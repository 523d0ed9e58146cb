package steps

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/journal"
)

// withJournal gives a journal in a state folder of its own and a .env to change.
func withJournal(t *testing.T, content string) (*journal.Journal, string) {
	t.Helper()
	env := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(env, []byte(content), 0o640); err != nil {
		t.Fatal(err)
	}
	return openIn(t, journal.Folder(filepath.Join(t.TempDir(), "state")), env), env
}

// nextRun opens the journal of the project of a .env once more, as the next run does.
func nextRun(t *testing.T, last *journal.Journal, env string) *journal.Journal {
	t.Helper()
	return openIn(t, stateOf(last), env)
}

func stateOf(j *journal.Journal) journal.Folder { return journal.Folder(filepath.Dir(j.Dir())) }

func openIn(t *testing.T, state journal.Folder, env string) *journal.Journal {
	t.Helper()
	j, err := state.Open(filepath.Dir(env), DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// rewrite changes a file through the journal.
func rewrite(t *testing.T, j *journal.Journal, path, content string) {
	t.Helper()
	at, err := envfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Replace(context.Background(), at, []byte(content)); err != nil {
		t.Fatal(err)
	}
}
