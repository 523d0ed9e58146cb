package smoketest

import (
	"context"
	"errors"
	"fmt"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

const textRestored = "signs with the restored key"

// Restored asks every server of the backend, after a rollback, whether the restored key
// is in force, as the proof of an upgrade does. One address must be known. Its *steps.Failure says that another key
// is, that a server does not answer, or that it cannot be told. Nothing is asked about
// other keys, and nobody logs in.
func (s *Step) Restored(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	first, others := addresses(run)
	run.Recall()
	var found []finding.Finding
	for i, address := range append([]string{first}, others...) {
		say := emit
		if len(others) > 0 {
			say = at(emit, i, address)
		}
		err := asFailure(s.restored(ctx, run, address, say))
		var failure *steps.Failure
		switch {
		case errors.As(err, &failure):
			found = append(found, failure.Findings...)
		case err != nil:
			return err
		}
	}
	if len(found) > 0 {
		return steps.Fail(found...)
	}
	return run.Journal.SetProved(tested(run))
}

// Alone asks one server whether what this run wrote is in force there, before the next one
// is restarted: its *steps.Failure says that it is not. Nothing is asked about other keys
// than those that must be accepted, and nobody logs in. That a server does not tell is no
// failure: the proof that follows the last restart says so.
func (s *Step) Alone(ctx context.Context, run *steps.Run, address string, emit steps.Emit) error {
	ses, err := s.open(ctx, run, address, func(steps.Event) {})
	if err != nil {
		return err
	}
	if err := ses.reach(ctx); err != nil {
		return asFailure(err)
	}
	out, err := ses.passwordless(ctx)
	if err != nil {
		return err
	}
	emit = at(emit, 0, address)
	id, text, detail := "alone "+address, ses.shows, fmt.Sprintf("%d of %d new connections", out.fresh.accepted, ses.connections)
	switch {
	case ses.stage.Both() && out.previous.refused > 0:
		emit.Check(id, steps.MarkFailed, text, detail)
		return steps.Fail(ses.oneSided(out))
	case out.fresh.refused > 0:
		emit.Check(id, steps.MarkFailed, text, detail)
		return steps.Fail(finding.New(finding.ServerStaleKey, fmt.Sprintf("%d of %d new connections to %s met a process that does not sign with the new key.%s", out.fresh.refused, out.fresh.told(), host(address), out.who.stale())))
	case out.inForce():
		emit.Check(id, steps.MarkOK, text, detail)
	default:
		emit.Check(id, steps.MarkWarn, text, "same answer for every key")
	}
	return nil
}

func (s *Step) restored(ctx context.Context, run *steps.Run, address string, emit steps.Emit) error {
	ses, err := s.with(run, tested(run), address, emit)
	if err != nil {
		return err
	}
	ses.shows = textRestored
	if err := ses.reach(ctx); err != nil {
		return err
	}
	out, err := ses.passwordless(ctx)
	if err != nil {
		return err
	}
	seen := out.fresh.told()
	switch {
	case out.inForce():
		emit.Check(steps.LineFresh, steps.MarkOK, ses.shows, fmt.Sprintf("%d of %d new connections", out.fresh.accepted, ses.connections))
		return nil
	case out.fresh.refused > 0:
		emit.Check(steps.LineFresh, steps.MarkFailed, ses.shows, fmt.Sprintf("%d of %d new connections do not", out.fresh.refused, seen))
		return steps.Fail(finding.New(finding.ServerStaleKey, fmt.Sprintf("%d of %d new connections met a process that does not sign with the restored key: it was not restarted.%s", out.fresh.refused, seen, out.who.stale())).
			WithFix(finding.Do("Stop every process of the backend and start it again, then run: %s", finding.Command(run.Command("rollback")))))
	}
	emit.Check(steps.LineFresh, steps.MarkWarn, ses.shows, "same answer for every key")
	return steps.Fail(finding.New(finding.ProofInconclusive, "It could not be shown whether the server signs with the restored key: its answers are the same for every key.").
		WithFix(finding.Do("Name the routes in keysplit.toml (protected), then run: %s. Or do without: %s", finding.Command(run.Command("rollback")), finding.Command(run.Command("rollback", "--no-verify")))))
}
