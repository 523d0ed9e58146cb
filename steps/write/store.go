package write

import (
	"context"
	"errors"
	"fmt"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/vendor"
)

// remote makes a target of a store.
type remote struct {
	spec  string
	store vendor.Store
	held  steps.Held // of the latest plan
	done  bool       // the plan found the key there already
}

func (r *remote) Spec() string { return r.spec }
func (r *remote) Local() bool  { return false }

// Vendor is the store.
func (r *remote) Vendor() any { return r.store }

// File is none.
func (r *remote) File(*steps.Run) string { return "" }

// Look asks the store.
func (r *remote) Look(ctx context.Context, run *steps.Run) (steps.Held, error) {
	return r.store.Look(ctx, run)
}

// Plan says which place it is, in the words that a person recognises it by, and
// what will be done there.
func (r *remote) Plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	h, err := r.store.Look(ctx, run)
	if err != nil {
		return steps.Plan{}, err
	}
	r.held = h
	r.done = r.holds(run, h)
	if r.done {
		return steps.Plan{Summary: prose.Say("%s %s. Nothing to write.", h.Where, holdsAlready(run)), Nothing: true}, nil
	}
	if picky, ok := r.store.(vendor.Picky); ok {
		if err := picky.Accepts(run.Key); err != nil {
			return steps.Plan{}, err
		}
	}
	if asks, ok := r.store.(vendor.Writer); ok {
		if err := asks.MayWrite(ctx, run, h); err != nil {
			return steps.Plan{}, err
		}
	}
	w := r.store.Manner()
	undo := prose.Labelled("Undo", "%s", w.Undo)
	if h.There && !h.Key.Set() && !w.ByHand.Empty() {
		undo = prose.Labelled("Undo", "by hand, since the value that is there cannot be read. %s", w.ByHand)
	}
	return steps.Plan{
		Summary:  prose.Say("%s%s.", writing(run), h.Where),
		Where:    h.Where,
		Effects:  w.Effects,
		Question: prose.Say("Write the key there?"),
		Details:  []prose.Text{prose.Labelled("Now there", "%s", nowThere(h)), prose.Labelled("Method", "%s", w.Method), undo},
	}, nil
}

// holdsAlready ends the sentence about a place with nothing to write.
func holdsAlready(run *steps.Run) string {
	if run.Stage == steps.Closing {
		return "holds no second key"
	}
	return "holds the key already"
}

// holds reports whether the place has what this run brings. Where a value cannot be
// read, the journal knows what was delivered, as long as nobody changed it since.
func (r *remote) holds(run *steps.Run, h steps.Held) bool {
	if h.Readable {
		return h.Key.Equal(run.Key) && holdsPair(run, h)
	}
	if !h.There || run.Journal == nil {
		return false
	}
	if !run.Key.Set() {
		return true // generate has left it as it is
	}
	for _, d := range run.Journal.Deliveries() {
		if d.Target == r.spec && d.Key == run.Kept().Of(run.Key) && d.NewVersion == h.Version && h.Version != "" {
			return true
		}
	}
	return false
}

func nowThere(h steps.Held) string {
	switch {
	case h.Key.Set():
		return fmt.Sprintf("another key, %d characters, fingerprint %s", h.Key.Len(), h.Key.Fingerprint())
	case h.There && !h.Changed.IsZero():
		return "a value that cannot be read, set " + h.Changed.UTC().Format("2006-01-02 15:04 MST")
	case h.There:
		return "a value that cannot be read"
	}
	return "no key"
}

// Apply writes the key. The value before is kept, and what is about to happen
// recorded, before the store is called.
func (r *remote) Apply(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	if r.done {
		return nil
	}
	if run.Key.Len() == 0 {
		// Some of these programs take an empty value and report success.
		return errors.New("there is no key to write")
	}
	if err := r.lookAgain(ctx, run); err != nil || r.done {
		return err
	}
	d, begun := run.Journal.Begun(r.spec, run.Kept().Of(run.Key))
	// Where no value is shown, what is there now may be what the killed run brought. It
	// goes on with that delivery, which knows what was there before.
	if r.held.Readable || !begun {
		var err error
		if d, err = announce(run, journal.Delivery{
			Target: r.spec, Where: r.held.Where, Key: run.Kept().Of(run.Key), There: r.held.There, Version: r.held.Version,
		}, r.held); err != nil {
			return err
		}
	}
	emit.Check("write "+r.spec, steps.MarkRunning, "write to "+r.held.Where, "")
	version, err := r.put(ctx, run)
	if err != nil {
		return r.failed(ctx, run, d, err)
	}
	d.NewVersion = version
	if err := run.Journal.Delivered(d); err != nil {
		return err
	}
	r.done = true
	run.MarkWritten()
	emit.Check("write "+r.spec, steps.MarkOK, "wrote to "+r.held.Where, "")
	return nil
}

// lookAgain looks once more, just before the write: an hour may lie between the plan
// and a yes. What the key is written over must be what it was. Of the rest of the
// place nothing is asked: the target before this one may have written there, and put
// leaves it as it is, and refuses what changes from here on where that can be told.
func (r *remote) lookAgain(ctx context.Context, run *steps.Run) error {
	h, err := r.store.Look(ctx, run)
	if err != nil {
		return err
	}
	same := h.There == r.held.There && h.Key.Set() == r.held.Key.Set() && (!h.Key.Set() || h.Key.Equal(r.held.Key))
	if run.Stage != steps.NoStage {
		same = same && pairOf(h) == pairOf(r.held)
	}
	if !h.Readable {
		same = same && h.Version == r.held.Version
	}
	if r.done = r.holds(run, h); !same && !r.done {
		return steps.Fail(finding.New(finding.PlaceConflict, h.Where+" was changed by someone else since it was looked at. Nothing was written.").At(r.spec, 0))
	}
	r.held = h
	return nil
}

// failed finds out what a write that ended with an error has left: an answer
// that got lost does not mean that nothing was written.
func (r *remote) failed(ctx context.Context, run *steps.Run, d journal.Delivery, err error) error {
	h, lookErr := r.store.Look(context.WithoutCancel(ctx), run)
	switch {
	case lookErr != nil || !h.Readable:
		return err // the delivery stays open; the next run and a rollback look again
	case h.Key.Equal(run.Key) && holdsPair(run, h):
		d.NewVersion = h.Version
		run.MarkWritten()
		return errors.Join(err, run.Journal.Delivered(d))
	}
	return errors.Join(err, run.Journal.TookBack(d))
}

// Verify reads the key back, where that can be done.
func (r *remote) Verify(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	h, err := r.store.Look(ctx, run)
	if err != nil {
		return err
	}
	id := steps.LinesReadBack + r.spec
	switch {
	case h.Readable && h.Key.Equal(run.Key) && holdsPair(run, h):
		emit.Check(id, steps.MarkOK, "read back from "+h.Where, "fingerprint "+run.Key.Fingerprint())
	case h.Readable:
		emit.Check(id, steps.MarkFailed, "read back from "+h.Where, "another value")
		return steps.Fail(finding.New(finding.PlaceConflict, h.Where+" holds another value than the one that was written.").At(r.spec, 0))
	case !h.There:
		emit.Check(id, steps.MarkFailed, h.Where, "the key is not there")
		return steps.Fail(finding.New(finding.PlaceConflict, h.Where+" does not list the key after it was written.").At(r.spec, 0))
	default:
		emit.Check(id, steps.MarkWarn, h.Where+" has the key", "it shows no values: not compared")
	}
	return nil
}

// undo takes a delivery back. It leaves a place alone that was changed since,
// unless it is told to go on all the same.
func (r *remote) undo(ctx context.Context, run *steps.Run, d journal.Delivery, emit steps.Emit) error {
	h, err := r.store.Look(ctx, run)
	if err != nil {
		return err
	}
	var old secret.Secret
	switch before, ok, err := run.Journal.Before(d); {
	case err != nil:
		return err
	case ok:
		old = run.Secret(string(before))
	}
	id := "undo " + r.spec
	pair, err := pairBefore(run, d, h)
	if err != nil {
		return err
	}
	switch {
	case pairOf(h) == pair && (h.Readable && h.Key.Equal(old) || !h.There && !d.There):
		emit.Check(id, steps.MarkOK, h.Where+" is as it was", "nothing had to be restored")
		return run.Journal.TookBack(d)
	case !h.Readable && d.NewVersion == "" && h.Version != "" && h.Version == d.Version:
		emit.Check(id, steps.MarkOK, h.Where+" is as it was", "the key never got there")
		return run.Journal.TookBack(d)
	case isOthers(run, h, d) && !run.Options.Force:
		return steps.Fail(finding.New(finding.PlaceConflict, h.Where+" was changed after keysplit wrote to it, so nothing was restored.").At(r.spec, 0).
			WithFix(finding.Do("Look at who changed it. To restore the earlier value all the same: %s", finding.Command(run.Command("rollback", "--force")))))
	case d.There && !old.Set():
		emit.Check(id, steps.MarkWarn, h.Where+" keeps the new key", "the previous value was never readable")
		return steps.Fail(finding.New(finding.PlaceNotRestored, h.Where+" never shows a value, so the one before could not be kept.").At(r.spec, 0).
			WithFix(r.store.Manner().ByHand))
	}
	if err := r.restore(ctx, run, d, old, h); err != nil {
		return err
	}
	run.MarkWritten()
	emit.Check(id, steps.MarkOK, h.Where+" is back as it was", "the other values were not touched")
	return run.Journal.TookBack(d)
}

// isOthers reports whether what a place holds now may be someone else's: another value
// than the delivery's or, where none is shown, another version than the one that
// keysplit made.
func isOthers(run *steps.Run, h steps.Held, d journal.Delivery) bool {
	if h.Readable {
		return !h.There || run.Kept().Of(h.Key) != d.Key || d.PairID != "" && secondOf(run, h.Second) != d.Second
	}
	return d.NewVersion != "" && h.Version != d.NewVersion
}

// restore puts the earlier value back, and looks whether the place holds it.
func (r *remote) restore(ctx context.Context, run *steps.Run, d journal.Delivery, old secret.Secret, h steps.Held) error {
	pair, err := pairBefore(run, d, h)
	if err == nil {
		err = r.putBack(ctx, run, d, old, pair, h)
	}
	if err != nil {
		return err
	}
	after, err := r.store.Look(ctx, run)
	if err != nil {
		return err
	}
	if after.Readable && (old.Set() && !after.Key.Equal(old) || pairOf(after) != pair) || after.There != d.There {
		return steps.Fail(finding.New(finding.PlaceNotRestored, h.Where+" does not hold the earlier value after it was restored.").At(r.spec, 0))
	}
	return nil
}
