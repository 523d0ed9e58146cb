package rollback

import (
	"context"
	"errors"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
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

func (looks) Verify(context.Context, *steps.Run) error { return nil }

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
