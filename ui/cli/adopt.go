package cli

import (
	"context"
	"slices"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// adopt asks what only a person can allow, such as a key of their own for settings that
// sign with SECRET_KEY, and looks again after a yes. Without one there is nothing that the
// steps can do.
func (w *walk) adopt(ctx context.Context) error {
	found := w.e.Findings()
	asks := !w.o.yes && !w.o.dryRun
	at := slices.IndexFunc(found, func(f finding.Finding) bool {
		return !f.FixedBySteps() && (steps.Adopts(f.Code) || asks && f.Severity == finding.Error && !f.Ask.Empty())
	})
	if at < 0 {
		return nil
	}
	f := found[at]
	if !asks || f.Ask.Empty() {
		return steps.Fail(f)
	}
	yes := "yes, go on"
	if steps.Adopts(f.Code) {
		yes = "yes, show the change"
	}
	answer, err := w.f.Ask(ctx, f.Ask.Rendered(), []choice{{key: 'n', text: "no, stop here"}, {key: 'y', text: yes}})
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
