package restart

import (
	"context"
	"errors"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/vendor"
)

// managed restarts something through the program that manages it.
type managed struct {
	*Step
	vendor.Manager
}

func (m managed) plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	p, err := m.Manager.Plan(ctx, run)
	if err == nil && p.Question.Empty() && !p.Nothing {
		p.Question = prose.Say("Restart now?")
	}
	return p, err
}

func (m managed) apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if err := m.Restart(ctx, run, m.Pace, emit); err != nil {
		return err
	}
	run.Restarted = true
	return m.renewed(ctx, run, emit)
}

// undo restarts again. A backend that does not start with the earlier value is
// as it was before the upgrade: that is reported, and no failure of the rollback.
func (m managed) undo(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	emit.Progress("Restarting once more, so that the restored value is in force.")
	if err := m.Restart(ctx, run, m.Pace, emit); err != nil {
		return soften(err, emit)
	}
	return m.back(ctx, run, emit)
}

// soften reports the failure of a restart that belongs to a rollback as a
// warning: what was restored stays restored.
func soften(err error, emit steps.Emit) error {
	var failure *steps.Failure
	if !errors.As(err, &failure) {
		return err
	}
	for _, f := range failure.Findings {
		emit.Find(f.WithSeverity(finding.Warning))
	}
	return nil
}
