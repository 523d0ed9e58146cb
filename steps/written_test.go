package steps

import (
	"path/filepath"
	"testing"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/journal"
)

// In the second stage of a rotation the new key is in its places before it signs: it came
// to be in force with the latest change. A run that writes knows when it did.
func TestSinceWhenAKeyIsWritten(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	j, err := journal.Folder(filepath.Join(t.TempDir(), "state")).Open(root, DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	run := &Run{Found: Found{Journal: j}, Prints: j.Prints()}
	run.Stage, run.Key = Signing, run.Secret("x")
	if _, known := run.KeyWritten(); known {
		t.Error("known before anything was written")
	}
	at, err := envfile.Open(filepath.Join(root, ".env"))
	if err == nil {
		_, err = j.Replace(t.Context(), at, []byte("A=1\n"))
	}
	if err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	if since, known := run.KeyWritten(); !known || since.After(before) || before.Sub(since) > time.Minute {
		t.Errorf("in the second stage: %v, %t", since, known)
	}
	run.Stage = NoStage
	if _, known := run.KeyWritten(); known {
		t.Error("nobody noted this key")
	}
	run.Wrote, run.WroteAt = true, before
	if since, known := run.KeyWritten(); !known || !since.Equal(before.Add(-readingOf)) {
		t.Errorf("by this run: %v, %t", since, known)
	}
}
