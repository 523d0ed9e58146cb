// Package write is step 2: it delivers the key to where the backend gets it.
//
// Where that is, is a target. Each target is one file of this package and one
// line in the table below; it plans with a masked diff, writes so that
// everything else in the place stays as it was, reads back, and can undo.
package write

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dj/keysplit/steps"
)

// Target is one place that can hold the key.
type Target interface {
	Plan(ctx context.Context, run *steps.Run) (steps.Plan, error)
	Apply(ctx context.Context, run *steps.Run, emit steps.Emit) error
	Verify(ctx context.Context, run *steps.Run, emit steps.Emit) error
}

// kinds lists the targets by the word before the colon of --target.
var kinds = map[string]func(spec string) Target{
	"dotenv": func(path string) Target { return &dotenv{path: path} },
}

// Step is step 2. Its zero value is ready for use.
type Step struct {
	targets []Target // of the latest plan
}

// Name is steps.Write.
func (*Step) Name() steps.Name { return steps.Write }

// parse makes the targets of --target; none given means the backend's .env.
func parse(specs []string) ([]Target, error) {
	if len(specs) == 0 {
		specs = []string{"dotenv"}
	}
	var out []Target
	for _, s := range specs {
		kind, spec, _ := strings.Cut(s, ":")
		make, ok := kinds[kind]
		if !ok {
			return nil, fmt.Errorf("%w: --target %q: no such kind of target; there is: %s", steps.ErrUsage, kind, strings.Join(names(), ", "))
		}
		out = append(out, make(spec))
	}
	return out, nil
}

func names() []string {
	var out []string
	for n := range kinds {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// CheckTargets tells whether every spec of --target can be understood, before
// anything is done. Its error wraps steps.ErrUsage.
func CheckTargets(specs []string) error {
	_, err := parse(specs)
	return err
}

// Plan asks every target what it would change.
func (s *Step) Plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	targets, err := parse(run.Options.Targets)
	if err != nil {
		return steps.Plan{}, err
	}
	s.targets = targets
	whole := steps.Plan{Nothing: true}
	for i, t := range targets {
		p, err := t.Plan(ctx, run)
		if err != nil {
			return p, err
		}
		if i == 0 {
			p.Nothing = p.Nothing && whole.Nothing
			whole = p
			continue
		}
		whole.Nothing = whole.Nothing && p.Nothing
		whole.Details = append(append(whole.Details, p.Summary), p.Details...)
		whole.Effects = append(whole.Effects, p.Effects...)
		whole.Question = p.Question
	}
	return whole, nil
}

// Apply writes to every target in turn. When one fails, it says which ones
// were written before.
func (s *Step) Apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	for i, t := range s.targets {
		if err := t.Apply(ctx, run, emit); err != nil {
			if i > 0 {
				emit.Progress(fmt.Sprintf("%d of %d targets were written before this failed. Run keysplit again to go on, or keysplit rollback.", i, len(s.targets)))
			}
			return err
		}
	}
	if !run.Wrote || run.Journal == nil {
		return nil
	}
	return run.Journal.SetKey(run.Key)
}

// Verify reads every target back.
func (s *Step) Verify(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	for _, t := range s.targets {
		if err := t.Verify(ctx, run, emit); err != nil {
			return err
		}
	}
	return nil
}

// Undo takes back every change of the latest upgrade that is still in force, as
// the journal has it: also that of a run that was killed.
func (s *Step) Undo(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	return undoFiles(ctx, run, emit)
}
