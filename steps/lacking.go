package steps

import (
	"context"

	"dj/keysplit/steps/finding"
)

// Lacker is a step that can tell what the committed files lack.
type Lacker interface {
	Lacks(ctx context.Context, run *Run) ([]finding.Finding, error)
}

// lacking looks, once, at what the committed files lack, before the plan in which a person
// or --fix can have that fixed too.
func (e *Engine) lacking(ctx context.Context, n Name) (err error) {
	l, ok := e.steps[Checklist].(Lacker)
	if n != Write || !ok || e.Run.Lacking != nil || e.Run.Wrote || e.Run.Options.Unattended && !e.Run.Options.Fix && e.Run.Adopted == nil {
		return nil
	}
	e.Run.Lacking, err = l.Lacks(ctx, e.Run)
	return err
}
