package journal

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"dj/keysplit/steps/internal/canary"
	"dj/keysplit/steps/secret"
)

func TestDeliveriesAreThoseOfTheLatestRunAndInForce(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "")
	project := filepath.Dir(env)
	old := j.Prints().Secret(canary.New())
	first, err := j.Deliver(Delivery{Target: "vault:secret/app#k"}, secret.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Delivered(first); err != nil {
		t.Fatal(err)
	}
	j = reopen(t, j, project)
	second, err := j.Deliver(Delivery{Target: "heroku:app", There: true}, old)
	if err != nil {
		t.Fatal(err)
	}
	if got := j.Deliveries(); len(got) != 1 || got[0].Target != "heroku:app" {
		t.Fatalf("deliveries of the latest run: %+v", got)
	}
	second.NewVersion = "7"
	if err := j.Delivered(second); err != nil {
		t.Fatal(err)
	}
	j = reopen(t, j, project)
	got := j.Deliveries()
	if len(got) != 1 || got[0].NewVersion != "7" {
		t.Fatalf("after the end: %+v", got)
	}
	before, ok, err := j.Before(got[0])
	if err != nil || !ok || string(before) != old.Reveal() {
		t.Errorf("the value before was not kept (%v, %v)", ok, err)
	}
	if canary.Leaks(content(t, j.path()), old.Reveal()) {
		t.Error("the journal holds the value before")
	}
	info, err := os.Stat(filepath.Join(j.Dir(), got[0].BackupID))
	if err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("the backup: %v %v", info, err)
	}
	if err := j.TookBack(got[0]); err != nil {
		t.Fatal(err)
	}
	if reopen(t, j, project).Doubtful() {
		t.Error("a whole journal is doubtful")
	}
	if got := reopen(t, j, project).Deliveries(); len(got) != 1 || got[0].Target != first.Target {
		t.Errorf("after it was taken back: %+v, want the run before", got)
	}
}

// A key that was kept by a run that was killed before it noted what for goes with the
// next one; the versions of files and the values of places stay.
func TestSettleForgetsAKeyThatWasNeverChosen(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	key, old := j.Prints().Secret(canary.New()), j.Prints().Secret(canary.New())
	stray, err := j.Keep("", []byte(key.Reveal()))
	if err != nil {
		t.Fatal(err)
	}
	file, err := j.Keep(env, []byte("K=1\n"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := j.Deliver(Delivery{Target: "vault:secret/app#k"}, old)
	if err != nil {
		t.Fatal(err)
	}
	j = reopen(t, j, filepath.Dir(env))
	if err := j.Settle(); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Kept(stray); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the key is still there: %v", err)
	}
	for _, id := range []string{file, d.BackupID} {
		if _, err := j.Kept(id); err != nil {
			t.Errorf("a backup that is needed is gone: %v", err)
		}
	}
}

// A delivery that was begun is gone on with only when it is of this upgrade, of this
// key, and has no end.
func TestBegunIsTheDeliveryThatWasCutOff(t *testing.T) {
	t.Parallel()
	j, _ := journalFor(t, "")
	d, err := j.Deliver(Delivery{Target: "fly:shop", Key: "one"}, secret.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		target, key string
		want        bool
	}{{"fly:shop", "one", true}, {"fly:shop", "two", false}, {"fly:other", "one", false}} {
		if got, ok := j.Begun(c.target, c.key); ok != c.want || ok && got.ID != d.ID {
			t.Errorf("%s, %s: %+v, %v", c.target, c.key, got, ok)
		}
	}
	if err := j.Delivered(d); err != nil {
		t.Fatal(err)
	}
	if _, ok := j.Begun("fly:shop", "one"); ok {
		t.Error("one that has ended is gone on with")
	}
}

func TestFileChangesAndDeliveriesOfOneRunGoTogether(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "K=1\n")
	change(t, j, env, "K=2\n")
	if _, err := j.Deliver(Delivery{Target: "heroku:app"}, secret.Secret{}); err != nil {
		t.Fatal(err)
	}
	if len(j.Applied()) != 1 || len(j.AppliedElsewhere()) != 1 {
		t.Errorf("one run: %d files, %d deliveries", len(j.Applied()), len(j.AppliedElsewhere()))
	}
	j = reopen(t, j, filepath.Dir(env))
	change(t, j, env, "K=3\n")
	if len(j.Applied()) != 1 || len(j.AppliedElsewhere()) != 0 {
		t.Errorf("a later run: %d files, %d deliveries", len(j.Applied()), len(j.AppliedElsewhere()))
	}
}

func TestAChosenKeyIsKeptUntilItIsSettled(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "")
	key := j.Prints().Secret(canary.New())
	both := []string{"a", "b"}
	if _, ok := j.Chosen(both); ok {
		t.Fatal("a new journal has a chosen key")
	}
	if err := j.Choose(key, both); err != nil {
		t.Fatal(err)
	}
	first, err := j.Deliver(Delivery{Target: "a"}, secret.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	j = reopen(t, j, filepath.Dir(env)) // the run was killed
	got, ok := j.Chosen(both)
	if !ok || string(got) != key.Reveal() {
		t.Fatal("the chosen key is gone")
	}
	if err := j.Choose(key, both); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Deliver(Delivery{Target: "b"}, secret.Secret{}); err != nil {
		t.Fatal(err)
	}
	if all := j.Deliveries(); len(all) != 2 || all[0].ID != first.ID {
		t.Errorf("a resumed run and the one before are not one upgrade: %+v", all)
	}
	if err := j.Settle(); err != nil {
		t.Fatal(err)
	}
	if _, ok := reopen(t, j, filepath.Dir(env)).Chosen(both); ok {
		t.Error("a settled key is still chosen")
	}
	files, _ := filepath.Glob(filepath.Join(j.Dir(), "backup-*"))
	for _, f := range files {
		if content(t, f) == key.Reveal() {
			t.Error("the settled key is still on the disk")
		}
	}
}

func TestADamagedDeliveryIsPassedOver(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "")
	f, err := os.OpenFile(j.path(), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"time":"2025-01-01T00:00:00Z","kind":"deliver"}` + "\n" + `{"time":"2025-01-01T00:00:00Z","kind":"begin"}` + "\n"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	j = reopen(t, j, filepath.Dir(env))
	if len(j.Deliveries()) != 0 || len(j.Applied()) != 0 {
		t.Error("a damaged entry counts")
	}
}

// A value that was restored is waited for from then on, also in the run that had
// brought the other one, and in a journal that is new.
func TestWhatWasPutBackIsWaitedFor(t *testing.T) {
	t.Parallel()
	j, _ := journalFor(t, "")
	since := func() time.Time {
		t.Helper()
		at, changed := j.DeliveredSince("heroku:app", secret.Secret{})
		if !changed {
			t.Error("it was not changed")
		}
		return at
	}
	if _, changed := j.DeliveredSince("heroku:app", secret.Secret{}); changed {
		t.Error("it was changed")
	}
	for range 2 {
		d, err := j.Deliver(Delivery{Target: "heroku:app"}, secret.Secret{})
		if err != nil {
			t.Fatal(err)
		}
		brought := since()
		if err := errors.Join(j.Delivered(d), j.SetStatus("restart", "done")); err != nil {
			t.Fatal(err)
		}
		seen := j.entries[len(j.entries)-1].Time
		if err := j.TookBack(d); err != nil {
			t.Fatal(err)
		}
		if at := since(); !at.After(brought) || at.Before(seen) {
			t.Errorf("since %v, brought %v, seen %v", at, brought, seen)
		}
	}
}

// What is in the places counts after a run that changed files only, such as that of a
// grace period; a rollback undoes the latest run and nothing of an earlier one.
func TestDeliveriesOutliveARunThatChangesFilesOnly(t *testing.T) {
	t.Parallel()
	j, env := journalFor(t, "A=1\n")
	d, err := j.Deliver(Delivery{Target: "manual:x", Key: "one"}, secret.Secret{})
	if err != nil {
		t.Fatal(err)
	}
	d.NewVersion = "2"
	if err := j.Delivered(d); err != nil {
		t.Fatal(err)
	}
	j = reopen(t, j, filepath.Dir(env))
	change(t, j, env, "A=2\n")
	if got := j.Deliveries(); len(got) != 1 || got[0] != d {
		t.Errorf("in force are %+v", got)
	}
	if got := j.AppliedElsewhere(); len(got) != 0 {
		t.Errorf("to be taken back are %+v", got)
	}
	if _, err := j.Revert(t.Context(), j.Applied()[0], false); err != nil {
		t.Fatal(err)
	}
	if got := j.AppliedElsewhere(); len(got) != 1 || got[0] != d {
		t.Errorf("then to be taken back are %+v", got)
	}
	j = reopen(t, j, filepath.Dir(env))
	if _, err := j.Deliver(Delivery{Target: "manual:x", Key: "two"}, secret.Secret{}); err != nil {
		t.Fatal(err)
	}
	if got := j.Deliveries(); len(got) != 1 || got[0].Key != "two" {
		t.Errorf("of the latest upgrade are %+v", got)
	}
}
