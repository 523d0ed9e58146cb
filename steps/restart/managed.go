package restart

import (
	"context"
	"errors"
	"slices"

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
	all := parts(m.Manager)
	for _, one := range all {
		if err := one.Restart(ctx, run, m.Pace, emit); err != nil {
			return err
		}
		if len(all) == 1 {
			break
		}
		if err := m.proveAlone(ctx, run, one, emit); err != nil {
			return err
		}
	}
	run.Restarted = true
	return m.renewed(ctx, run, emit)
}

// parts are what a manager restarts one after the other.
func parts(m vendor.Manager) []vendor.Manager {
	if p, ok := m.(vendor.Parted); ok {
		return p.Each()
	}
	return []vendor.Manager{m}
}

// proveAlone looks at what one of several was given, and asks the server that it is, where
// one of this machine is seen: the next one is restarted only after that.
func (s *Step) proveAlone(ctx context.Context, run *steps.Run, m vendor.Manager, emit steps.Emit) error {
	seer, ok := m.(vendor.Seer)
	if !ok || !run.Key.Set() {
		return nil
	}
	seen, err := seer.Seen(ctx, run)
	if err != nil {
		return err
	}
	given := slices.DeleteFunc(slices.Clone(seen), func(one vendor.Sighting) bool { return one.Keys == vendor.GivenUnseen }) // it reads them by itself
	if len(given) > 0 {
		if err := saw(emit, m.Places(ctx, run)[0], given); err != nil {
			return err
		}
	}
	if s.Prove == nil || run.Options.Skip[steps.SmokeTest] {
		return nil
	}
	here, err := s.find(ctx, run)
	if err != nil {
		return err
	}
	for _, server := range here {
		if server.URL == "" || !slices.ContainsFunc(seen, func(one vendor.Sighting) bool { return one.PID == server.PID && one.PID != 0 }) {
			continue
		}
		if err := s.await(ctx, run, emit, server.URL); err != nil {
			return err
		}
		if err := s.Prove(ctx, run, server.URL, emit); err != nil {
			return err
		}
	}
	return nil
}

// undo restarts again. A backend that does not start with the earlier value is
// as it was before the upgrade: that is reported, and no failure of the rollback.
func (m managed) undo(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	emit.Progress("Restarting once more, so that the restored value is in force.")
	pace := m.Pace
	pace.All = true
	if err := m.Restart(ctx, run, pace, emit); err != nil {
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
