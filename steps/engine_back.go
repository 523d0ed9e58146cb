package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// undo calls the step and reports how it went.
func (e *Engine) undo(ctx context.Context, n Name, emit Emit) error {
	return e.outside(ctx, n, EventUndone, emit, e.steps[n].Undo)
}

// outside does what a step can do in a rollback, outside of the order of the steps.
func (e *Engine) outside(ctx context.Context, n Name, good EventKind, emit Emit, do func(context.Context, *Run, Emit) error) error {
	all := e.sender(n, emit)
	send := func(ev Event) {
		if ev.Finding != nil {
			f := *ev.Finding
			f.Fix = f.Fix.Instead(goesBack)
			ev.Finding = &f
		}
		all(ev)
	}
	send(Event{Kind: EventStarted})
	if err := do(ctx, e.Run, send); err != nil {
		if ctx.Err() != nil || errors.Is(err, context.Canceled) {
			send(Event{Kind: EventFailed, Text: prose.Say("stopped")})
			return fmt.Errorf("%w: the rollback was stopped", ErrCancelled)
		}
		err = e.clean(err)
		e.report(err, send)
		return err
	}
	send(Event{Kind: good})
	return nil
}

// goesBack is a command of keysplit alone as a rollback means it: it would upgrade again.
func goesBack(command string) string {
	if flags, alone := strings.CutPrefix(command, "keysplit"); alone && (flags == "" || strings.HasPrefix(flags, " -")) {
		return "keysplit rollback" + flags
	}
	return ""
}

// Rollback undoes every step that had ended in this run. A run that has only looked
// undoes what an earlier one changed, as the journal has it, and restarts.
func (e *Engine) Rollback(ctx context.Context, emit Emit) error {
	var ended []Name
	for _, n := range rollbackOrder() {
		if e.Has(n) && e.Machine.Can(n, ActUndo) {
			ended = append(ended, n)
		}
	}
	switch {
	case len(ended) > 0:
	case e.Machine.Status(Write) == Undone: // tried again after its restart failed
		ended = []Name{Restart}
	default: // an earlier run's are not known to this machine
		for _, n := range rollbackOrder() {
			if About(n).Changes != "" {
				ended = append(ended, n)
			}
		}
	}
	undone, failed := e.back(ctx, ended, emit)
	// The machine hears of it from the last step to the first: undoing an
	// earlier one makes the later ones pending.
	for _, n := range slices.Backward(Order()) {
		if undone[n] && e.Machine.Can(n, ActUndo) {
			if err := e.act(n, ActUndo); err != nil {
				return err
			}
		}
	}
	if failed == nil {
		e.Run.Wrote = false // nothing of this run is in force: another rollback would be of an earlier one
	}
	return failed
}

// FinishRollback restarts once more, where everything is restored and the restart of
// that rollback did not come to its end.
func (e *Engine) FinishRollback(ctx context.Context, emit Emit) error {
	_, err := e.back(ctx, []Name{Restart}, emit)
	return err
}

// Restorer is a step that can tell whether the key that a rollback restored is in force.
// undone is the key that it took out, unset where that is not known.
type Restorer interface {
	Restored(ctx context.Context, run *Run, undone secret.Secret, emit Emit) error
}

// Restored asks the server after a rollback. Its findings and its error are reported.
func (e *Engine) Restored(ctx context.Context, undone secret.Secret, emit Emit) error {
	r, ok := e.steps[SmokeTest].(Restorer)
	if !ok {
		return nil
	}
	return e.outside(ctx, SmokeTest, EventDone, emit, func(ctx context.Context, run *Run, emit Emit) error {
		return r.Restored(ctx, run, undone, emit)
	})
}

// back undoes steps in the given order, up to the first that fails. Where a part
// of the change was restored by then, the restart follows all the same: else the
// backend would go on with a value that is no longer there. The error is the
// first one; the others were reported.
func (e *Engine) back(ctx context.Context, names []Name, emit Emit) (undone map[Name]bool, failed error) {
	undone = map[Name]bool{}
	before := e.reverted()
	e.Run.Left = nil // it was about the good end of what is undone
	for _, n := range names {
		if !e.Has(n) || failed != nil && (n != Restart || e.reverted() == before || ctx.Err() != nil) {
			continue
		}
		if err := e.undo(ctx, n, emit); err == nil {
			undone[n] = true
		} else if failed == nil {
			failed = err
		}
	}
	e.fillLeft()
	return undone, failed
}

// fillLeft completes what is left for the user to do: the commands of this run's
// environment, and the names in force.
func (e *Engine) fillLeft() {
	for i, left := range e.Run.Left {
		e.Run.Left[i] = e.Run.Fit(left)
	}
}

func (e *Engine) reverted() int {
	if e.Run.Journal == nil {
		return 0
	}
	return e.Run.Journal.Reverted()
}
