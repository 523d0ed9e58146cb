package rollback

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/stepstest"
)

// looks is a look at the project that ends as the test says.
type looks struct {
	steps.Step
	plan, apply error
	applied     *int
}

func (looks) Name() steps.Name { return steps.Preflight }
func (l looks) Plan(context.Context, *steps.Run) (steps.Plan, error) {
	return steps.Plan{Step: steps.Preflight}, l.plan
}
func (l looks) Apply(context.Context, *steps.Run, steps.Emit) error {
	*l.applied++
	return l.apply
}

func (looks) Verify(context.Context, *steps.Run, steps.Emit) error { return nil }

// A project with faults is rolled back all the same; one without a journal cannot be, and neither can one that nobody
// could look at.
func TestFind(t *testing.T) {
	t.Parallel()
	broken, faulty := errors.New("the disk is gone"), steps.Fail(finding.New(finding.EncodingBOM, ""))
	for name, c := range map[string]struct {
		plan, apply error
		journal     bool
		applied     int
		ok          bool
	}{
		"all is well":              {nil, nil, true, 1, true},
		"no plan":                  {broken, nil, true, 0, false},
		"a look that fails":        {nil, broken, true, 1, false},
		"faults":                   {nil, faulty, true, 1, true},
		"faults, and no journal":   {nil, faulty, false, 1, false},
		"a faulty plan":            {faulty, nil, true, 0, true},
		"no journal, and no fault": {nil, nil, false, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run, applied := stepstest.NewRun(t, "A=1\n", nil), 0
			if !c.journal {
				run.Journal = nil
			}
			r, err := Find(t.Context(), steps.NewEngine(run, looks{plan: c.plan, apply: c.apply, applied: &applied}), func(steps.Event) {})
			if (err == nil) != c.ok || (r != nil) != c.ok || applied != c.applied {
				t.Errorf("%v, %v, looked %d times", r, err, applied)
			}
		})
	}
}

// With nothing to undo the verdict says so, or that nobody can tell; a key that was chosen and went nowhere is forgotten.
func TestNothingToUndo(t *testing.T) {
	t.Parallel()
	run := stepstest.NewRun(t, "A=1\n", nil)
	if err := run.Journal.Choose(run.Prints.Secret(stepstest.Key()), []string{"fly:a", "fly:b"}); err != nil {
		t.Fatal(err)
	}
	e := steps.NewEngine(run)
	if v, ok := Of(e).Nothing(); !ok || !v.Proved || v.Err != nil || run.Journal.ChosenFile() != "" {
		t.Errorf("%v, %+v, %q", ok, v, run.Journal.ChosenFile())
	}
	id, err := run.Journal.Keep(run.Project.EnvFile.Path, []byte("B=2\n"))
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := Of(e).Nothing(); !ok || v.Proved || v.Err == nil || id == "" {
		t.Errorf("a backup of nothing: %v, %+v", ok, v)
	}
	change(t, run, ".env", "A=2\n")
	if v, ok := Of(e).Nothing(); ok {
		t.Errorf("with a change: %+v", v)
	}
}

// A rollback of production asks for its name; one of development asks for a yes.
func TestWhatARollbackAsks(t *testing.T) {
	t.Parallel()
	e := after(t, "A=1\n", fine, fine, []string{".env", "A=2\n"})
	if p := Of(e).Plan(t.Context()); p.Confirm != "" || p.Question.Rendered() != "Undo this?" {
		t.Errorf("%q, %q", p.Confirm, p.Question.Rendered())
	}
	e.Run.Options.Environment = "production"
	if p := Of(e).Plan(t.Context()); p.Confirm == "" || p.Question.Rendered() != "This is production. Undo this there?" {
		t.Errorf("%q, %q", p.Confirm, p.Question.Rendered())
	}
}

// What restarts by itself is waited for after the look, unless the look found no project.
func TestFindPreparesTheRestart(t *testing.T) {
	t.Parallel()
	e := after(t, "A=1\n", fine, fine, nil, journal.Delivery{Target: "fly:a"})
	applied := 0
	if _, err := Find(t.Context(), steps.NewEngine(e.Run, looks{applied: &applied}), nil); err != nil || e.Run.Options.Restart == nil || e.Run.Options.Restart.String() != "fly:a" {
		t.Errorf("%v, %v", e.Run.Options.Restart, err)
	}
}

// A chosen key that cannot be forgotten is no good end of a rollback that has nothing to
// undo, and a place that cannot be looked at shows no key.
func TestNothingThatCannotBeEnded(t *testing.T) {
	t.Parallel()
	e := after(t, "A=1\n", fine, fine, nil)
	run := e.Run
	if err := run.Journal.Choose(run.Secret(stepstest.Key()), nil); err != nil {
		t.Fatal(err)
	}
	kept := run.Journal.ChosenFile()
	if err := errors.Join(os.Remove(kept), os.MkdirAll(filepath.Join(kept, "x"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if v, ok := Of(e).Nothing(); !ok || v.Err == nil || v.Proved {
		t.Errorf("%t, %+v", ok, v)
	}
	lost := errors.New("no answer")
	run.Targets = []steps.Target{&stepstest.Place{Name: "keeper", Err: lost}}
	if keys, err := Of(e).keys(t.Context()); !errors.Is(err, lost) {
		t.Errorf("%v, %v", keys.Key.Source, err)
	}
}
