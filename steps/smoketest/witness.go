package smoketest

import (
	"context"
	"time"

	"dj/keysplit/steps"
)

// witnessWithin is how long the question may take that is asked before the first write.
const witnessWithin = 20 * time.Second

// Witness asks the running server, before anything is written, which of the keys that
// may be the previous one it takes, and records that as proved. It sends what the proof
// sends, over one connection for each key. A server that does not tell is no error:
// the previous key is then not proved.
func (s *Step) Witness(ctx context.Context, run *steps.Run) error {
	address, _ := addresses(run)
	if address == "" {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, witnessWithin)
	defer cancel()
	for _, p := range run.KeysBefore(run.Key) {
		ses, err := s.with(run, p.Key, address, func(steps.Event) {})
		if err != nil {
			return err
		}
		ses.connections = 1
		if ses.reach(limited) != nil {
			return ctx.Err()
		}
		out, err := ses.passwordless(limited)
		if err != nil {
			return ctx.Err()
		}
		if out.inForce() {
			return run.Journal.SetProved(p.Key)
		}
	}
	return nil
}

// proved records that the tested key was seen in force. A server that keysplit started
// itself proves the code and the file, and no service.
func proved(run *steps.Run, signs bool) error {
	if !signs || run.OwnServer || run.Journal == nil {
		return nil
	}
	return run.Journal.SetProved(tested(run))
}

// inForce reports whether the key was taken, on every connection that told.
func (o outcome) inForce() bool { return o.usable && o.fresh.accepted > 0 && o.fresh.refused == 0 }
