package steps

import (
	"context"
	"errors"

	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
)

// waits is the ID of the event of a run that waits for another.
const waits = "wait"

// OnlyWaits shows of a look that nobody is to see the one thing that a person must
// know: why it takes so long.
func OnlyWaits(emit Emit) Emit {
	return func(ev Event) {
		if ev.ID == waits {
			emit(ev)
		}
	}
}

// Hold takes the project in the given folder, and an environment of it, for this run
// until its Close. A run that has them already keeps them. The error of another run
// that has them is a *journal.HeldError, or with Options.Queue there is none: the run
// waits, and says for whom.
func (r *Run) Hold(ctx context.Context, root, environment string, emit Emit) error {
	if r.holds {
		return nil
	}
	var waiting func(journal.Holder)
	if r.Options.Queue {
		waiting = func(h journal.Holder) {
			emit(Event{Kind: EventProgress, ID: waits, Text: prose.Say("Waiting for another run of keysplit to end: %s.", h), Watches: true})
		}
	}
	release, err := r.Options.State.Hold(ctx, root, environment, r.Options.Command, waiting)
	if held := (*journal.HeldError)(nil); errors.As(err, &held) {
		held.Asks = r.HandOver != nil // somebody is at the terminal
	}
	if err != nil {
		return err
	}
	r.holds = true
	r.OnClose(func() { r.holds = false; release() })
	return nil
}
