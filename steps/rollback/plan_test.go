package rollback

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/grace"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// The plan names what is not asked only where that is so, and each place once, in order.
func TestWhatThePlanNames(t *testing.T) {
	t.Parallel()
	e := after(t, "A=1\n", revert, fine, []string{".env", "A=2\n", ".env", "A=3\n"}, journal.Delivery{Target: "fly:b", Where: "B"}, journal.Delivery{Target: "fly:a", Where: "A"})
	r := Of(e)
	if got := places(e.Run, r.last); got != ".env, A, B" {
		t.Errorf("the places are %s", got)
	}
	for _, without := range []bool{true, false} {
		e.Run.Options.NoVerify = without
		if said := stepstest.Rendered(r.Details(), " "); strings.Contains(said, "No server is asked") != without {
			t.Errorf("--no-verify %t: %s", without, said)
		}
	}
}

// Of a file whose earlier content cannot be read nobody says that it had no key.
func TestABackupThatCannotBeRead(t *testing.T) {
	t.Parallel()
	e := after(t, "JWT_SECRET_KEY="+stepstest.Key()+"\n", revert, fine, []string{".env", "JWT_SECRET_KEY=" + stepstest.Key() + "\n"})
	r := Of(e)
	if err := os.Remove(filepath.Join(e.Run.Journal.Dir(), r.last.Files[0].BackupID)); err != nil {
		t.Fatal(err)
	}
	if got := stepstest.Rendered(r.Effects(), " "); got != "Anyone who logged in since then has to log in again." {
		t.Errorf("%q", got)
	}
}

// The module of a grace period stays where the settings name it, and only there; what the
// journal does not take up is not undone.
func TestTheModuleStays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings string
		gone     bool // the journal's folder
		stays    bool
	}{
		"it is named":           {"INSTALLED_APPS = ['jwt_grace.GraceConfig']\n", false, true},
		"it is not":             {"A = 1\n", false, false},
		"the journal is broken": {"INSTALLED_APPS = ['jwt_grace.GraceConfig']\n", true, true},
	} {
		e := after(t, "A=1\n", revert, fine, nil)
		run := e.Run
		settings, module := filepath.Join(run.Project.Root, "s.py"), filepath.Join(run.Project.Root, grace.FileName)
		run.Project.SettingsFile = settings
		at, err := envfile.Open(module)
		if err == nil {
			_, err = run.Journal.Replace(t.Context(), at, grace.Module)
		}
		if err = errors.Join(err, os.WriteFile(settings, []byte(c.settings), 0o600)); err != nil {
			t.Fatal(err)
		}
		r := Of(e)
		if c.gone {
			if err := os.RemoveAll(run.Journal.Dir()); err != nil {
				t.Fatal(err)
			}
		}
		var events stepstest.Events
		v := r.Run(t.Context(), events.Emit)
		_, err = os.Stat(module)
		if (err == nil) != c.stays {
			t.Errorf("%s: %v", name, err)
		}
		if said := strings.Contains(stepstest.Rendered(v.Next, " "), grace.FileName+" stays"); said != (c.stays && !c.gone) || (v.Err != nil) != c.gone {
			t.Errorf("%s: %+v", name, v)
		}
		if said := slices.ContainsFunc(events, func(ev steps.Event) bool { return ev.Kind == steps.EventFailed }); said != c.gone {
			t.Errorf("%s: it says that it failed: %t", name, said)
		}
	}
}

// A delivery that changed the grace period alone leaves the key; any other one does not.
func TestADeliveryOfTheGracePeriodAloneLeavesTheKey(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "A=1\n", nil)
	key, other := run.Secret(stepstest.Key()), run.Secret(stepstest.Key())
	r := Of(steps.NewEngine(run))
	for name, c := range map[string]struct {
		before secret.Secret
		pair   bool
		want   bool
	}{"the key alone": {key, false, true}, "the period alone": {key, true, false}, "both": {other, true, true}, "none before": {secret.Secret{}, true, true}} {
		d := journal.Delivery{Target: "keeper", Key: run.Kept().Of(key)}
		var err error
		if c.pair {
			d, err = run.Journal.DeliverPair(d, c.before, journal.Pair{})
		} else {
			d, err = run.Journal.Deliver(d, c.before)
		}
		if err != nil || r.anotherKey(d) != c.want {
			t.Errorf("%s: %v, %t", name, err, r.anotherKey(d))
		}
	}
}
