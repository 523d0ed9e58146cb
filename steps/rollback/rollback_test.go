package rollback

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
)

// undone is a step whose Undo does what the test says.
type undone struct {
	steps.Step
	name steps.Name
	undo func(run *steps.Run) error
}

func (u undone) Name() steps.Name                                           { return u.name }
func (u undone) Undo(_ context.Context, run *steps.Run, _ steps.Emit) error { return u.undo(run) }

// after is an engine over a project of which one run has changed files, each given as
// name and text, and delivered to places.
func after(t *testing.T, env string, write, restart func(*steps.Run) error, files []string, places ...journal.Delivery) *steps.Engine {
	t.Helper()
	run := stepstest.NewRun(t, env, nil)
	for i := 0; i < len(files); i += 2 {
		change(t, run, files[i], files[i+1])
	}
	for _, d := range places {
		d, err := run.Journal.Deliver(d, secret.Secret{})
		if err == nil {
			err = run.Journal.Delivered(d)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return steps.NewEngine(run, undone{name: steps.Write, undo: write}, undone{name: steps.Restart, undo: restart})
}

// change writes a file through the journal. One of Python was there before.
func change(t *testing.T, run *steps.Run, name, text string) {
	t.Helper()
	if path := filepath.Join(run.Project.Root, name); filepath.Ext(name) == ".py" {
		if err := os.WriteFile(path, []byte("A = 1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at, err := envfile.Open(filepath.Join(run.Project.Root, name))
	if err == nil {
		_, err = run.Journal.Replace(t.Context(), at, []byte(text))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// revert undoes every change of a file that is in force.
func revert(run *steps.Run) error {
	for _, in := range slices.Backward(run.Journal.Applied()) {
		if _, err := run.Journal.Revert(context.Background(), in, false); err != nil {
			return err
		}
	}
	return nil
}

func fine(*steps.Run) error { return nil }

// What users notice is said before anything happens.
func TestEffects(t *testing.T) {
	key := "JWT_SECRET_KEY=" + stepstest.Key() + "\n"
	for name, c := range map[string]struct {
		before string
		files  []string
		places []journal.Delivery
		want   []string
	}{
		"another key before":   {key, []string{".env", "JWT_SECRET_KEY=" + stepstest.Key() + "\n"}, nil, []string{"has to log in again"}},
		"none before":          {"A=1\n", []string{".env", key}, nil, []string{"has to log in again", ".env had no JWT_SECRET_KEY before: a backend that requires one will not start"}},
		"SECRET_KEY before":    {"SECRET_KEY=" + key[len("JWT_SECRET_KEY="):] + key, []string{".env", "JWT_SECRET_KEY=" + stepstest.Key() + "\n"}, nil, []string{"has to log in again", "In .env JWT_SECRET_KEY was the same as SECRET_KEY before"}},
		"the same key":         {key, []string{".env", "A=1\n" + key}, nil, nil},
		"another file":         {key, []string{"README.md", "x\n"}, nil, nil},
		"a place":              {key, nil, []journal.Delivery{{Target: "fly:a", Where: "Fly app a"}}, []string{"has to log in again", "Fly app a had no JWT_SECRET_KEY before"}},
		"a place that had one": {key, nil, []journal.Delivery{{Target: "fly:a", Where: "Fly app a", There: true}}, []string{"has to log in again"}},
		"a file elsewhere":     {key, []string{"prod.env", key}, nil, []string{"has to log in again", "prod.env had no JWT_SECRET_KEY before"}},
		"an example":           {key, []string{".env.example", "JWT_SECRET_KEY=change-me\n"}, nil, nil},
		"settings":             {"A=1\n", []string{".env", key, "settings.py", "JWT_SECRET_KEY = config('JWT_SECRET_KEY')\n"}, nil, []string{"has to log in again"}},
		"nothing":              {key, nil, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := Of(after(t, c.before, fine, fine, c.files, c.places...)).Effects()
			if len(got) != len(c.want) || slices.ContainsFunc(c.want, func(w string) bool { return !strings.Contains(stepstest.Rendered(got, " "), w) }) {
				t.Errorf("%q, want %q", stepstest.Rendered(got, " "), c.want)
			}
		})
	}
}

// Each end is called by what was really seen.
func TestVerdicts(t *testing.T) {
	broken := errors.New("the disk is gone")
	stop := func(*steps.Run) error { return context.Canceled }
	byHand := journal.Delivery{Target: "manual:the vault", Where: "the vault"}
	for name, c := range map[string]struct {
		write, restart func(*steps.Run) error
		places         []journal.Delivery
		says, next     string
		proved, told   bool
	}{
		"all of it":         {revert, fine, nil, "Everything is as it was before the upgrade.", "", true, false},
		"nothing":           {func(*steps.Run) error { return broken }, fine, nil, "Nothing was undone.", "", false, true},
		"stopped before":    {stop, fine, nil, "Nothing was undone.", "To continue: keysplit rollback", false, false},
		"stopped after":     {revert, stop, nil, "Everything is restored, but the server still has to restart.", "To continue: keysplit rollback", false, false},
		"no restart":        {revert, func(*steps.Run) error { return broken }, nil, "Everything is restored, but the server still has to restart.", "To finish the rollback, once that is fixed: keysplit rollback", false, true},
		"it is not noted":   {revert, func(run *steps.Run) error { return os.RemoveAll(run.Journal.Dir()) }, nil, "Everything is restored, but keysplit could not note that this is done.", "To finish the rollback, once that is fixed: keysplit rollback", false, true},
		"a place is left":   {func(run *steps.Run) error { return errors.Join(revert(run), broken) }, fine, []journal.Delivery{{Target: "fly:a", Where: "Fly app a"}}, "Not everything is restored.", "Restored: .env. Not restored: Fly app a.", false, true},
		"a person restores": {func(run *steps.Run) error { run.Left = []prose.Text{prose.Say("Set it back.")}; return revert(run) }, fine, nil, "Everything keysplit can restore is restored. Still to do:", "Set it back.", false, false},
		"only by hand":      {func(*steps.Run) error { return broken }, fine, []journal.Delivery{byHand}, "Nothing was undone.", "", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			v := Of(after(t, "A=1\n", c.write, c.restart, []string{".env", "A=2\n"}, c.places...)).Run(t.Context(), func(steps.Event) {})
			if v.Summary.Rendered() != c.says || stepstest.Rendered(v.Next, " ") != c.next || v.Proved != c.proved || v.Told != c.told {
				t.Errorf("%+v", v)
			}
		})
	}
}

// An earlier change stays in force, and the verdict says so.
func TestAnEarlierChangeStays(t *testing.T) {
	e := after(t, "A=1\n", fine, fine, []string{".env", "A=2\n"})
	j, err := e.Run.Options.State.Open(e.Run.Project.Root, steps.DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	at, err := envfile.Open(filepath.Join(e.Run.Project.Root, "README.md"))
	if err == nil {
		_, err = j.Replace(t.Context(), at, []byte("x\n"))
	}
	if err != nil {
		t.Fatal(err)
	}
	e.Run.Journal = j
	latest := Of(e)
	if p := latest.Plan(t.Context()); !strings.Contains(stepstest.Rendered(p.Details, "\n"), "README.md: removed, since keysplit made it") || !strings.Contains(stepstest.Rendered(p.Details, "\n"), "Stays: the earlier change from ") {
		t.Errorf("%q", stepstest.Rendered(p.Details, "\n"))
	}
	all := j.Applied()
	if _, err := j.Revert(t.Context(), all[len(all)-1], false); err != nil {
		t.Fatal(err)
	}
	if v := latest.verdict(nil, proof{}); v.Summary.Rendered() != "The latest change is undone." || !strings.Contains(stepstest.Rendered(v.Next, " "), "To undo that as well: keysplit rollback") {
		t.Errorf("%+v", v)
	}
}

// Without a restart of the upgrade's own, what restarts by itself is waited for: the
// way of development would be about this machine.
func TestADeliveryIsWaitedFor(t *testing.T) {
	for want, specs := range map[string][]string{
		"fly:a,heroku:b": {"kubernetes:shop/backend", "fly:a", "heroku:b"}, "railway:web@staging": {"railway:web@staging"},
		"none": {"kubernetes:shop/backend", "github:o/r", "compose:compose.yaml"},
	} {
		var places []journal.Delivery
		for _, spec := range specs {
			if runtime.GOOS == "windows" && strings.HasPrefix(spec, "kubernetes:") {
				continue // no target there: kubectl is given the key as /dev/stdin
			}
			places = append(places, journal.Delivery{Target: spec})
		}
		e := after(t, "A=1\n", fine, fine, nil, places...)
		if Of(e).restartAsBefore(); e.Run.Options.Restart == nil || e.Run.Options.Restart.String() != want {
			t.Errorf("it restarts with %v, want %q", e.Run.Options.Restart, want)
		}
	}
	e := after(t, "A=1\n", fine, fine, []string{".env", "A=2\n"})
	if Of(e).restartAsBefore(); e.Run.Options.Restart != nil {
		t.Errorf("a file here: it restarts with %v", e.Run.Options.Restart)
	}
}
