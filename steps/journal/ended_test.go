package journal

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/secret"
)

// What has ended is not finished again, and what was begun twice is one change.
func TestOnlyWhatHasNoEndIsOpen(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	change(t, j, env, "K=2\n")
	if left := j.open(); len(left) != 0 {
		t.Errorf("%d changes are open that have ended", len(left))
	}
	in := envfile.Intent{ID: "x", Path: env, Target: env}
	for _, e := range []Entry{{Kind: KindBegin, Intent: &in}, {Kind: KindBegin, Intent: &in}} {
		if err := j.append(e); err != nil {
			t.Fatal(err)
		}
	}
	if left := reopen(t, j, filepath.Dir(env)).open(); len(left) != 1 || left[0].ID != "x" {
		t.Errorf("open: %v", left)
	}
}

// A change that could not be undone is still in force.
func TestAFailedUndoIsNoUndo(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	change(t, j, env, "K=2\n")
	if err := os.WriteFile(env, []byte("K=3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Revert(t.Context(), j.Applied()[0], false); err == nil {
		t.Error("an edit since then was undone without a yes")
	}
	if j.rollback {
		t.Error("the rollback has not ended")
	}
	if n, reverted := len(j.Applied()), j.Reverted(); n != 1 || reverted != 0 {
		t.Errorf("%d in force, %d undone", n, reverted)
	}
}

// A run that was resumed is the latest, though another one began after it did.
func TestAResumedUpgradeIsTheLatest(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	project := filepath.Dir(env)
	change(t, j, env, "K=2\n")
	first := j.run
	other := reopen(t, j, project)
	if _, err := other.Deliver(Delivery{Target: "fly:a"}, secret.Secret{}); err != nil {
		t.Fatal(err)
	}
	j = reopen(t, j, project)
	if all := j.Upgrades(); len(all) != 2 || all[0].Run != first || len(all[1].Deliveries) != 1 {
		t.Fatalf("%+v", all)
	}
	j.run = first
	if _, err := j.Deliver(Delivery{Target: "fly:b"}, secret.Secret{}); err != nil {
		t.Fatal(err)
	}
	all := j.Upgrades()
	if len(all) != 2 || all[1].Run != first || len(all[1].Files) != 1 || len(all[1].Deliveries) != 1 || all[0].Run != other.run {
		t.Errorf("%+v", all)
	}
	if applied := j.Applied(); len(applied) != 1 || applied[0].Path != env {
		t.Errorf("to be undone: %v", applied)
	}
}

// What the journal cannot note is an error of whoever asked for it.
func TestAJournalThatCannotWriteSaysSo(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	change(t, j, env, "K=2\n")
	in := j.Applied()[0]
	entries := slices.Clone(j.entries)
	if err := os.RemoveAll(j.Dir()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(j.Dir(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Deliver(Delivery{Target: "a"}, secret.Secret{}); err == nil {
		t.Error("a delivery was noted nowhere")
	}
	if err := j.Leave(in); err == nil {
		t.Error("that a change stays was noted nowhere")
	}
	if at, err := envfile.Open(env); err != nil {
		t.Fatal(err)
	} else if _, err = j.Replace(t.Context(), at, []byte("K=3\n")); err == nil || content(t, env) != "K=2\n" {
		t.Errorf("a file was changed without a note: %v", errors.Unwrap(err))
	}
	if len(j.entries) != len(entries) {
		t.Errorf("%d entries count that were written nowhere", len(j.entries)-len(entries))
	}
}
