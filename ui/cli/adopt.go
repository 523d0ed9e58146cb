package cli

import (
	"context"
	"slices"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// adopt asks whether settings that sign with SECRET_KEY should get a key of their own,
// and looks again after a yes. Without one there is nothing that the steps can do.
func (w *walk) adopt(ctx context.Context) error {
	found := w.e.Findings()
	at := slices.IndexFunc(found, func(f finding.Finding) bool { return steps.Adopts(f.Code) && !f.FixedBySteps() })
	if at < 0 {
		return nil
	}
	f := found[at]
	if w.o.yes || w.o.dryRun || f.Ask.Empty() {
		return steps.Fail(f)
	}
	answer, err := w.f.Ask(ctx, f.Ask.Rendered(), []choice{{key: 'n', text: "no, stop here"}, {key: 'y', text: "yes, show the change"}})
	switch {
	case err != nil:
		return err
	case answer != 'y':
		return steps.ErrCancelled
	}
	if err := w.e.Run.Overrule(f); err != nil {
		return err
	}
	return w.step(ctx, steps.Preflight)
}
