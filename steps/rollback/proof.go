package rollback

import (
	"context"
	"errors"
	"slices"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// proof is what is known of the server after a rollback.
type proof struct {
	err   error
	lacks string     // what is missing where it is not the restart
	said  prose.Text // what was not asked, and why, for a good end; empty where a server was seen with the restored key
}

// prove asks whether the restored key is in force. Where the key is the one that signed
// all the time, or where no server is, there is nothing to see. Where there was none, a
// server that still accepts the one that was undone is all that there is to see.
func (r *Rollback) prove(ctx context.Context, another bool, undone secret.Secret, emit steps.Emit) proof {
	run := r.engine.Run
	keys, err := steps.Keys{}, error(nil)
	if another {
		keys, err = r.keys(ctx)
	}
	none := another && keys.InForce().Len() == 0
	addressed := run.Options.URL != "" || run.URL != "" || slices.ContainsFunc(run.Servers, func(s steps.Server) bool { return s.URL != "" })
	switch {
	case err != nil:
		r.failed(err, emit)
		return proof{err: err, lacks: "keysplit could not read which key is in force"}
	case none && !finding.Has(r.engine.FindingsOf(steps.Restart), finding.RestartFailed):
		if addressed && undone.Len() > 0 && !run.Options.NoVerify {
			err = r.engine.Restored(ctx, undone, emit)
		}
		return proof{err: err, said: prose.Say("There was no key before, so no server can be asked for it.")}
	case r.unserved():
		return proof{err: errNotServed}
	case !another:
		return proof{}
	case run.Options.NoVerify:
		return proof{said: prose.Say("Nobody asked a server which key is in force.")}
	case addressed:
	case run.Home().Here():
		return proof{said: prose.Say("keysplit found no server of this project. Start yours as usual.")}
	default: // nor was one asked by the upgrade, whose addresses are known
		return proof{said: prose.Say("No address of a server is known, so nobody was asked which key is in force.")}
	}
	return proved(r.engine.Restored(ctx, undone, emit))
}

// proved is the proof of a server that was asked.
func proved(err error) proof {
	var failure *steps.Failure
	if errors.As(err, &failure) && finding.Has(failure.Findings, finding.ProofInconclusive) {
		return proof{err: err, lacks: "which key the server uses was not verified"}
	}
	return proof{err: err}
}

// errNotServed is why a rollback has not come to its end whose restart said what is
// wrong.
var errNotServed = errors.New("the server does not run with the restored key")

// keys are those that are there now.
func (r *Rollback) keys(ctx context.Context) (steps.Keys, error) {
	home := r.engine.Run.Home()
	if err := home.Look(ctx); err != nil {
		return steps.Keys{}, err
	}
	return home.Keys()
}

// unserved reports whether the restart has found anything wrong.
func (r *Rollback) unserved() bool {
	return slices.ContainsFunc(r.engine.FindingsOf(steps.Restart), func(f finding.Finding) bool { return f.Severity != finding.Info })
}
