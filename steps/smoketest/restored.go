package smoketest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

const textRestored = "signs with the restored key"

// Restored asks every server of the backend, after a rollback, whether the restored key
// is in force, as the proof of an upgrade does. One address must be known. Its *steps.Failure says that another key
// is, that a server does not answer, or that it cannot be told. Of other keys only undone is
// asked about, which the rollback took out, where it is known; and nobody logs in.
func (s *Step) Restored(ctx context.Context, run *steps.Run, undone secret.Secret, emit steps.Emit) error {
	first, others := addresses(run)
	run.Recall()
	var found []finding.Finding
	for i, address := range append([]string{first}, others...) {
		say := emit
		if len(others) > 0 {
			say = at(emit, i, address)
		}
		ask := s.restored
		if tested(run).Len() == 0 {
			ask = s.withdrawn
		}
		err := asFailure(ask(ctx, run, undone, address, say))
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
	if tested(run).Len() == 0 {
		return nil
	}
	return run.Journal.SetProved(tested(run))
}

// withdrawn asks a server whether it still accepts the key that a rollback took out, where
// there was none before. That it is down is no failure then.
func (s *Step) withdrawn(ctx context.Context, run *steps.Run, undone secret.Secret, address string, emit steps.Emit) error {
	ses, err := s.with(run, undone, address, func(steps.Event) {})
	if err != nil {
		return err
	}
	if ses.reach(ctx) != nil {
		return ctx.Err()
	}
	out, err := ses.passwordless(ctx)
	if err != nil || out.fresh.accepted == 0 || out.controlAccepted() {
		return err
	}
	emit.Check(steps.LineFresh, steps.MarkFailed, "refuses the undone key", fmt.Sprintf("%d of %d new connections do not", out.fresh.accepted, out.fresh.told()))
	return steps.Fail(stillUndone(run))
}

// stillUndone is the finding of a server that goes on with the key that was undone.
func stillUndone(run *steps.Run) finding.Finding {
	return finding.New(finding.ServerStaleKey, "The server still uses the key that was undone: it was not restarted.").
		WithFix(finding.Do("Stop every process of the backend and start it again, then run: %s", finding.Command(run.Command("rollback"))))
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
		emit.Check(id, steps.MarkWarn, text, ses.same())
	}
	return nil
}

func (s *Step) restored(ctx context.Context, run *steps.Run, undone secret.Secret, address string, emit steps.Emit) error {
	ses, err := s.with(run, tested(run), address, emit)
	if err != nil {
		return err
	}
	ses.shows = textRestored
	if undone.Len() > 0 && !undone.Equal(tested(run)) {
		ses.previous = keySigner(undone)
	}
	if err := ses.reach(ctx); err != nil {
		return err
	}
	out, err := ses.passwordless(ctx)
	if err != nil {
		return err
	}
	seen, again := out.fresh.told(), finding.Command(run.Command("rollback"))
	switch {
	case out.inForce():
		emit.Check(steps.LineFresh, steps.MarkOK, ses.shows, fmt.Sprintf("%d of %d new connections", out.fresh.accepted, ses.connections))
		return nil
	case out.fresh.refused > 0:
		emit.Check(steps.LineFresh, steps.MarkFailed, ses.shows, fmt.Sprintf("%d of %d new connections do not", out.fresh.refused, seen))
		f := stillUndone(run)
		if out.previous.accepted == 0 || out.fresh.accepted > 0 {
			f.Message = prose.Say("%d of %d new connections met a process that does not sign with the restored key: it was not restarted.%s", out.fresh.refused, seen, out.who.stale())
		}
		return steps.Fail(f)
	}
	if out.throttled {
		emit.Check(steps.LineFresh, steps.MarkWarn, ses.shows, "not asked, the server is rate limiting")
		return steps.Fail(finding.New(finding.ProofInconclusive, "Which key the server uses was not verified: it is rate limiting, and the limit is reached.").
			WithFix(finding.Do("Wait a few minutes, then run: %s", again)))
	}
	if ses.faulty != 0 {
		emit.Check(steps.LineFresh, steps.MarkWarn, ses.shows, ses.same())
		return steps.Fail(ses.fault(finding.Do("Then run: %s", again)))
	}
	if len(tried(ses.routes)) == 0 {
		emit.Check(steps.LineFresh, steps.MarkWarn, ses.shows, "not asked, no route that wants a token is known")
		return steps.Fail(finding.New(finding.ProofInconclusive, "Which key the server uses was not verified: no route that wants a token is known.").
			WithFix(finding.Do("Name one in keysplit.toml (protected), then run: %s. Or do without: %s", again, finding.Command(run.Command("rollback", "--no-verify")))))
	}
	emit.Check(steps.LineFresh, steps.MarkWarn, ses.shows, "same answer for the restored key and a random one")
	return steps.Fail(finding.New(finding.ProofInconclusive, "Which key the server uses was not verified: it gives the restored key and a random one the same answer ("+strings.Join(tried(ses.routes), ", ")+").").
		WithFix(finding.Do("Stop every process of the backend and start it again, then run: %s. If the answers stay the same, name a route that wants a token in keysplit.toml (protected), or do without: %s", again, finding.Command(run.Command("rollback", "--no-verify")))))
}
