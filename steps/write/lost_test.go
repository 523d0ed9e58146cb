package write

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/vendor"
)

// keeper is a store that holds one value and fails as a test says.
type keeper struct {
	vendor.Store
	held    steps.Held
	looks   int
	look    func(n int) error // of the nth look, from 1
	put     func(write func()) error
	restore func(write func()) error
}

func (k *keeper) String() string               { return "keeper" }
func (k *keeper) Manner() vendor.Manner        { return vendor.Manner{ByHand: finding.Do("Do it by hand.")} }
func (k *keeper) ByHand(vendor.Extra) []string { return nil }

func (k *keeper) Look(context.Context, *steps.Run) (steps.Held, error) {
	if k.looks++; k.look != nil {
		if err := k.look(k.looks); err != nil {
			return steps.Held{}, err
		}
	}
	return k.held, nil
}

func (k *keeper) Put(_ context.Context, _ *steps.Run, key secret.Secret, _ steps.Held) (string, error) {
	write := func() { k.held.There, k.held.Key, k.held.Version = true, key, "2" }
	if !k.held.Readable {
		write = func() { k.held.There, k.held.Version = true, "2" }
	}
	if k.put == nil {
		write()
		return k.held.Version, nil
	}
	return "", k.put(write)
}

func (k *keeper) Restore(_ context.Context, _ *steps.Run, d journal.Delivery, old secret.Secret, _ steps.Held) error {
	write := func() { k.held.There, k.held.Key, k.held.Version = d.There, old, "3" }
	if k.restore == nil {
		write()
		return nil
	}
	return k.restore(write)
}

// shown makes a run with a key, and a target over a store that shows its value.
func shown(t *testing.T) (*steps.Run, *keeper, *remote) {
	t.Helper()
	run := withKey(stepstest.NewRun(t, "", nil))
	k := &keeper{held: steps.Held{Where: "the keeper", Readable: true, There: true, Key: run.Secret(stepstest.Key()), Version: "1"}}
	return run, k, &remote{spec: "keeper", store: k}
}

var errLost = errors.New("the answer got lost")

// A write that ends with an error may have written. What the journal has of it then is
// what the place holds: only a look that shows the value says that it was not written.
func TestAWriteWhoseAnswerGotLost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		unreadable, blind bool // shows no value; cannot be looked at after the write
		written           bool
		inForce, wrote    bool
		version           string // that the journal has of the place after it
	}{
		"written":                        {written: true, inForce: true, wrote: true, version: "2"},
		"not written":                    {},
		"written, and no look after it":  {blind: true, written: true, inForce: true},
		"not written, no look after it":  {blind: true, inForce: true},
		"written, and no value is shown": {unreadable: true, written: true, inForce: true},
		"not written, no value is shown": {unreadable: true, inForce: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run, k, target := shown(t)
			if c.unreadable {
				k.held.Readable, k.held.Key = false, secret.Secret{}
			}
			k.put = func(write func()) error {
				if c.written {
					write()
				}
				if c.blind {
					k.look = func(int) error { return errors.New("no network") }
				}
				return errLost
			}
			if _, err := bring(run, target); !errors.Is(err, errLost) {
				t.Errorf("error %v", err)
			}
			all := run.Journal.Deliveries()
			if len(all) == 1 != c.inForce || run.Wrote != c.wrote || c.inForce && all[0].NewVersion != c.version {
				t.Errorf("in force: %+v; wrote: %t", all, run.Wrote)
			}
		})
	}
}

// What the journal could not take of the end of a write is an error, also beside
// another one: a rollback would not know of it.
func TestAWriteThatTheJournalCannotTake(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		written bool
		err     error
	}{"written": {true, nil}, "written, with an error": {true, errLost}, "not written": {false, errLost}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run, k, target := shown(t)
			k.put = func(write func()) error {
				if c.written {
					write()
				}
				lose(t, run)
				return c.err
			}
			_, err := bring(run, target)
			if !errors.Is(err, os.ErrNotExist) || c.err != nil && !errors.Is(err, c.err) {
				t.Errorf("error %v", err)
			}
		})
	}
	run, k, target := shown(t)
	if _, err := target.Plan(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	lose(t, run)
	if err := target.Apply(t.Context(), run, func(steps.Event) {}); err == nil || k.held.Key.Equal(run.Key) {
		t.Errorf("it was written without a note: %v", err)
	}
}

// lose takes the journal's folder away, so that nothing can be added to it.
func lose(t *testing.T, run *steps.Run) {
	t.Helper()
	if err := os.RemoveAll(run.Journal.Dir()); err != nil {
		t.Fatal(err)
	}
}

// Only a value that was seen to be back counts as undone.
func TestAnUndoThatIsNotSeen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(t *testing.T, run *steps.Run, k *keeper)
		code  finding.Code // "" where it is err
		err   error
	}{
		"no look": {func(_ *testing.T, _ *steps.Run, k *keeper) { k.look = func(int) error { return errLost } }, "", errLost},
		"no look after it": {func(_ *testing.T, _ *steps.Run, k *keeper) {
			looks := k.looks
			k.look = func(n int) error {
				if n > looks+1 {
					return errLost
				}
				return nil
			}
		}, "", errLost},
		"it fails":        {func(_ *testing.T, _ *steps.Run, k *keeper) { k.restore = func(func()) error { return errLost } }, "", errLost},
		"it does nothing": {func(_ *testing.T, _ *steps.Run, k *keeper) { k.restore = func(func()) error { return nil } }, finding.PlaceNotRestored, nil},
		"it takes all away": {func(_ *testing.T, _ *steps.Run, k *keeper) {
			k.restore = func(func()) error { k.held = steps.Held{Readable: true}; return nil }
		}, finding.PlaceNotRestored, nil},
		"the value before is gone": {func(t *testing.T, run *steps.Run, _ *keeper) {
			if err := os.Remove(run.PreviousTo(run.Key).File); err != nil {
				t.Fatal(err)
			}
		}, "", os.ErrNotExist},
		"it stays, and no value is shown": {func(_ *testing.T, run *steps.Run, k *keeper) {
			k.held.Readable, k.held.Key = false, secret.Secret{}
			k.restore = func(func()) error { k.held.There = false; return nil }
		}, finding.PlaceNotRestored, nil},
		"its answer got lost": {func(_ *testing.T, _ *steps.Run, k *keeper) {
			k.restore = func(write func()) error { write(); return errLost }
		}, "", errLost},
		"it is seen": {func(*testing.T, *steps.Run, *keeper) {}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run, k, target := shown(t)
			run.Targets = []steps.Target{target}
			if _, err := bring(run, target); err != nil {
				t.Fatal(err)
			}
			run.Wrote = false
			c.spoil(t, run, k)
			var events stepstest.Events
			err := target.undo(t.Context(), run, run.Journal.Deliveries()[0], events.Emit)
			back := c.code == "" && c.err == nil
			if left := run.Journal.Deliveries(); (err == nil) != back || !errors.Is(err, c.err) && c.err != nil || (len(left) == 0) != back || run.Wrote != back {
				t.Errorf("error %v, in force %+v, wrote %t", err, left, run.Wrote)
			}
			for _, ev := range events {
				if !back && ev.Mark == steps.MarkOK {
					t.Errorf("it says: %s, %s", ev.Text, ev.Detail)
				}
			}
			if c.code != "" {
				wantCode(t, err, c.code)
			}
		})
	}
}

// A change of a file that cannot go back is no undone one.
func TestAnUndoOfAFileThatFails(t *testing.T) {
	t.Parallel()
	run := withKey(stepstest.NewRun(t, "A=1\n", nil))
	if _, err := deliver(t, run); err != nil {
		t.Fatal(err)
	}
	for _, in := range run.Journal.Applied() {
		path := filepath.Join(run.Journal.Dir(), in.BackupID)
		if err := os.Rename(path, path+"-aside"); err != nil {
			t.Fatal(err)
		}
		defer func() {
			run.Wrote = false
			if err := os.Rename(path+"-aside", path); err != nil {
				t.Fatal(err)
			}
			if said, err := undo(run); err != nil || !run.Wrote || !strings.Contains(said, "restored exactly") {
				t.Errorf("with its backup: %v, wrote %t\n%s", err, run.Wrote, said)
			}
		}()
	}
	said, err := undo(run)
	if err == nil || !strings.Contains(stepstest.Content(t, run), steps.GuideNames.Key) || strings.Contains(said, "restored exactly") || len(run.Journal.Applied()) != 1 {
		t.Errorf("error %v, in force %d\n%s", err, len(run.Journal.Applied()), said)
	}
}

// What a person said is a delivery only when the journal has it.
func TestByHandTheJournalMustTakeIt(t *testing.T) {
	t.Parallel()
	run, target := oneTarget(t, "manual:the bank")
	run.Options.Unattended = false
	if _, err := target.Plan(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	lose(t, run)
	var events stepstest.Events
	if err := target.Apply(t.Context(), run, events.Emit); err == nil || run.Wrote || len(events) > 0 {
		t.Errorf("error %v, wrote %t, said %+v", err, run.Wrote, events)
	}
	run, target = oneTarget(t, "manual:the bank")
	run.Options.Unattended = false
	if _, err := bring(run, target); err != nil || !run.Wrote {
		t.Fatal(err, run.Wrote)
	}
	d := run.Journal.Deliveries()[0]
	lose(t, run)
	if err := target.(*manual).undo(t.Context(), run, d, events.Emit); err == nil {
		t.Error("taken back without a note")
	}
}
