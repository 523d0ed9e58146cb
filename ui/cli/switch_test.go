package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/stepstest"
)

// offering is a step whose plan has edits, as the run has switched them.
type offering struct{ applied *bool }

func (offering) Name() steps.Name { return steps.Write }
func (offering) Plan(_ context.Context, run *steps.Run) (steps.Plan, error) {
	p := steps.Plan{Summary: prose.Say("Write the key."), Question: prose.Say("Write this change?"), File: ".env"}
	p.Edits = []steps.Edit{
		{ID: "comments", File: filepath.Join(run.Project.Root, ".env"), Why: prose.Say("Move 2 comments."), Needed: true, On: true},
		{ID: "ci", File: filepath.Join(run.Project.Root, "ci.yml"), Why: prose.Say("Add JWT_SECRET_KEY to ci.yml."), Diff: []steps.DiffLine{{Line: 3, Op: "+", Text: "a line of ci.yml"}}},
		{ID: "key .env", File: filepath.Join(run.Project.Root, ".env"), Key: true, On: true},
	}
	for i, e := range p.Edits {
		if on, ok := run.Answers.Edits[e.ID]; ok {
			p.Edits[i].On = on
		}
	}
	return p, nil
}
func (o offering) Apply(context.Context, *steps.Run, steps.Emit) error { *o.applied = true; return nil }
func (offering) Verify(context.Context, *steps.Run, steps.Emit) error  { return nil }
func (offering) Undo(context.Context, *steps.Run, steps.Emit) error    { return nil }

// Line by line, the edits of a plan are shown with their numbers and switched by them.
func TestEditsAreSwitchedLineByLine(t *testing.T) {
	for name, c := range map[string]struct {
		typed, said string
		on          map[string]bool
	}{
		"as they are":    {"y\n", "1. on   Move 2 comments.", nil},
		"one, and back":  {"s\n2\ns\n2\ny\n", "2. on   Add JWT_SECRET_KEY to ci.yml.", map[string]bool{"ci": false}},
		"all":            {"a\ny\n", "2. on   Add JWT_SECRET_KEY to ci.yml.", map[string]bool{"ci": true, "comments": true}},
		"a diff":         {"d\n2\ny\n", "3 + a line of ci.yml", nil},
		"what is not":    {"s\n7\ny\n", `There is no edit "7".`, nil},
		"a needed one":   {"s\n1\ny\n", "1. off  Move 2 comments.", map[string]bool{"comments": false}},
		"the key's none": {"s\n3\ny\n", `There is no edit "3".`, nil},
	} {
		var out bytes.Buffer
		applied := false
		run := stepstest.NewRun(t, "", nil)
		e := steps.NewEngine(run, offering{&applied})
		for _, n := range []steps.Name{steps.Preflight, steps.Generate} {
			for _, a := range []steps.Action{steps.ActPlan, steps.ActStart, steps.ActSucceed} {
				var err error
				if e.Machine, err = e.Machine.Do(n, a); err != nil {
					t.Fatal(err)
				}
			}
		}
		w := &walk{e: e, f: newPlain(IO{In: strings.NewReader(c.typed), Out: &out}, &speech{}), o: &upgradeOptions{}}
		if err := w.once(t.Context(), steps.Write); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out.String())
		}
		if !applied || !strings.Contains(out.String(), c.said) {
			t.Errorf("%s: applied %t, it is not said %q:\n%s", name, applied, c.said, out.String())
		}
		for id, on := range c.on {
			if got, said := run.Answers.Edits[id]; !said || got != on {
				t.Errorf("%s: %s is %t, %t", name, id, got, said)
			}
		}
	}
}

// A step's headline counts it, where it is one of those that are counted.
func TestTheHeadlineOfAStep(t *testing.T) {
	t.Parallel()
	for _, n := range steps.Order() {
		var out bytes.Buffer
		newPlain(IO{In: strings.NewReader(""), Out: &out}, &speech{}).Step(n)
		i := steps.About(n)
		if counted := fmt.Sprintf("%d of %d  %s", i.Number, steps.Numbered(), i.Title); strings.Contains(out.String(), counted) != (i.Number > 0) {
			t.Errorf("%s: %q", n, out.String())
		}
	}
}

// An edit that is made by hand says so below it, and a step that is skipped says why.
func TestWhatIsNotDoneIsSaid(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	f := newPlain(IO{In: strings.NewReader(""), Out: &out}, &speech{})
	f.edits([]steps.Edit{{Why: prose.Say("Move 2 comments."), ByHand: prose.Say("The file is too large.")}})
	f.Event(steps.Event{Step: steps.SmokeTest, Kind: steps.EventSkipped, Text: prose.Say("nobody can log in")})
	if said := out.String(); !strings.Contains(said, "Move 2 comments.\n          The file is too large.\n") || !strings.Contains(said, " skipped: nobody can log in\n") {
		t.Errorf("it says\n%s", said)
	}
}

// Where the server does not accept two keys, all is restored and the end says why.
func TestAServerThatAcceptsNoTwoKeysLeavesNothing(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	run := stepstest.NewRun(t, "", nil)
	why := steps.Fail(finding.New(finding.GraceNotInForce, ""))
	w := &walk{e: steps.NewEngine(run), f: newPlain(IO{In: strings.NewReader(""), Out: &out}, &speech{}), o: &upgradeOptions{}}
	if err := w.unaccepted(t.Context(), why); err != why || w.back != nil {
		t.Errorf("in no rotation: %v, %+v", err, w.back)
	}
	run.Stage = steps.Accepting
	if err := w.unaccepted(t.Context(), why); !errors.Is(err, why) || w.back == nil || w.back.OK || !finding.Has(w.back.Findings, finding.GraceNotInForce) || !strings.Contains(out.String(), "everything is restored") {
		t.Errorf("%v, %+v\n%s", err, w.back, out.String())
	}
}

// making is a step that makes a key.
type making struct{ offering }

func (making) Name() steps.Name { return steps.Generate }

// Who gives up typing a key gets none that was made instead.
func TestAKeyThatIsNotTypedIsNotMade(t *testing.T) {
	t.Parallel()
	applied := false
	e := steps.NewEngine(stepstest.NewRun(t, "", nil), making{offering{&applied}})
	for _, a := range []steps.Action{steps.ActPlan, steps.ActStart, steps.ActSucceed} {
		var err error
		if e.Machine, err = e.Machine.Do(steps.Preflight, a); err != nil {
			t.Fatal(err)
		}
	}
	stdio := IO{In: strings.NewReader(""), Err: io.Discard}
	w := &walk{e: e, f: newPlain(IO{In: strings.NewReader("y\n"), Out: io.Discard}, &speech{}), o: &upgradeOptions{}, stdio: stdio}
	if err := w.imported(t.Context()); err == nil || applied {
		t.Errorf("error %v, a key was made: %t", err, applied)
	}
}
