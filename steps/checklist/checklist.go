// Package checklist is the end of the upgrade: the nine items of the guide's
// checklist, each with its evidence.
//
// An item is done when a machine has seen it, signed off when a person has said
// so with a name and a note, and open otherwise. Nothing is ticked by default.
//
//   - What the files say (items 1, 3, 7 and 8, and the equality of item 2) is
//     looked at again each time. A bounded look at the files below the top
//     level: see repo.Walk.
//   - What only a running Django or server can show (items 2, 4, 5 and 6) is
//     taken from the journal, where the engine keeps what each step proved. It
//     counts as long as the files that it rests on are the same, by keyed
//     fingerprint, and no later run failed at that step or an earlier one, or
//     was undone.
//   - What a person says (items 4 to 9) is kept in the journal as well, and
//     counts under the same conditions.
//
// The package only looks. No key, and of a fingerprint no more than six digits,
// is in a report.
package checklist

import (
	"context"
	"fmt"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// Step is the last step. Its zero value is ready for use.
type Step struct {
	Now func() time.Time // nil means time.Now
}

var _ steps.Step = (*Step)(nil)

// Name is steps.Checklist.
func (*Step) Name() steps.Name { return steps.Checklist }

// Plan says which items are open.
func (s *Step) Plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	p := steps.Plan{Summary: prose.Say("Go through the nine items of the checklist. Nothing is changed."), Nothing: true}
	if run.Journal == nil { // a dry run does not know what was proved before
		return p, nil
	}
	r, err := Look(ctx, run, s.now())
	if err != nil {
		return steps.Plan{}, err
	}
	for _, it := range r.Items {
		if it.State == Open {
			p.Details = append(p.Details, prose.Labelled("Open", "%d. %s", it.Number, it.Title))
		}
	}
	return p, nil
}

// Apply looks at all nine and reports each. Open items do not make it fail: the
// step is done when all were looked at.
func (s *Step) Apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	r, err := Look(ctx, run, s.now())
	if err != nil {
		return err
	}
	for _, it := range r.Items {
		it.Tell(emit)
	}
	for _, f := range r.Findings {
		emit.Find(f)
	}
	emit.Tell(prose.Say("%s The report for a pull request: `keysplit report`", r.count()))
	return nil
}

// Lacks tells what the committed files lack.
func (s *Step) Lacks(ctx context.Context, run *steps.Run) ([]finding.Finding, error) {
	r, err := Look(ctx, run, s.now())
	if err != nil {
		return nil, err
	}
	return append([]finding.Finding{}, r.Findings...), nil
}

// Verify has nothing to add: Apply only looked.
func (*Step) Verify(context.Context, *steps.Run, steps.Emit) error { return nil }

// Undo has nothing to undo.
func (*Step) Undo(context.Context, *steps.Run, steps.Emit) error { return nil }

func (s *Step) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// Tell reports how the item stands.
func (it Item) Tell(emit steps.Emit) {
	mark := steps.MarkOK
	if it.State == Open {
		mark = steps.MarkWarn
	}
	emit.Check(fmt.Sprintf("item-%d", it.Number), mark, fmt.Sprintf("%d. %s", it.Number, it.Title), it.inShort())
}

// inShort is the item in half a line: why it is open, or the first evidence, and what was
// not asked.
func (it Item) inShort() string {
	if it.State == Open {
		return "open: " + it.Reason
	}
	said := string(it.State)
	for _, ev := range it.Evidence {
		switch {
		case ev.short != "":
			return said + "; " + ev.short
		case (it.State == Attested) == (ev.By != "") && said == string(it.State):
			said = ev.inWords()
		}
	}
	return said
}
