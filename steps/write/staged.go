package write

import (
	"context"
	"fmt"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/vendor"
)

// secondKey are the edits of a rotation in stages: the second key and its deadline, or
// their end.
func secondKey(run *steps.Run) []envfile.Op {
	key, until := run.Names().Grace()
	switch {
	case run.Stage.Both():
		return []envfile.Op{envfile.Set{Name: key, Value: run.Second.Reveal()}, envfile.Set{Name: until, Value: steps.GraceUntil(run.Until)}}
	case run.Stage == steps.Closing:
		return []envfile.Op{envfile.Unset{Name: key}, envfile.Unset{Name: until}}
	}
	return nil
}

// writing begins the sentence about what goes to a file.
func writing(run *steps.Run) string {
	switch run.Stage {
	case steps.Accepting:
		return "Write the new key, as the second one that is accepted, to "
	case steps.Signing:
		return "Write the new key, and the previous one as the second that is accepted, to "
	case steps.Closing:
		return "Take the previous key and its deadline out of "
	}
	return "Write the key to "
}

// readSecond wants the second key and its deadline to be what was written, as one reader
// of the file has them.
func readSecond(run *steps.Run, vars envfile.Vars, reader envfile.Dialect, rel string) error {
	key, until := run.Names().Grace()
	wrong := func(name string) error {
		return steps.Fail(finding.New(finding.KeyUnread, fmt.Sprintf("After writing, %s reads another value of %s.", reader, name)).At(rel, 0))
	}
	second, hasKey := vars.Says(key)
	deadline, hasUntil := vars.Says(until)
	switch {
	case run.Stage == steps.Closing && (hasKey || hasUntil):
		return wrong(key)
	case !run.Stage.Both():
		return nil
	case !hasKey || !run.Prints.Secret(second).Equal(run.Second):
		return wrong(key)
	case !hasUntil || deadline != steps.GraceUntil(run.Until):
		return wrong(until)
	}
	return nil
}

// staged refuses a rotation in stages where a place cannot hold a second key: before
// anything is written.
func staged(run *steps.Run, targets []steps.Target) error {
	if run.Stage == steps.NoStage {
		return nil
	}
	for _, t := range targets {
		why := alone(t)
		if why == "" {
			continue
		}
		f := finding.New(finding.GraceNotAdvised, why).At(t.Spec(), 0)
		if run.Stage == steps.Closing {
			return steps.Fail(f.WithFix(finding.Do("Take the second key and its deadline out there by hand. After the deadline they do nothing.")))
		}
		return steps.Fail(f.WithFix(finding.Do("Rotate without a grace period, and let people log in again: %s", finding.Command(run.Command("upgrade", "--rotate")))))
	}
	return nil
}

// alone says why a place holds no second key beside the key, "" where it does.
func alone(t steps.Target) string {
	switch t := t.(type) {
	case *remote:
		return t.store.Manner().Alone
	case *manual:
		return "keysplit cannot read or write " + t.place() + ", so it cannot bring a second key there and prove each stage."
	}
	return ""
}

// pairOf is what a place holds of a grace period, as the journal keeps it.
func pairOf(h steps.Held) journal.Pair {
	p := journal.Pair{Until: h.Until}
	if h.Second.Set() {
		p.Second = h.Second.Reveal()
	}
	return p
}

// holdsPair reports whether a place has what this stage brings beside the key.
func holdsPair(run *steps.Run, h steps.Held) bool {
	if run.Stage == steps.NoStage {
		return true
	}
	v := valuesOf(run)
	return pairOf(h) == pairOf(steps.Held{Second: v.Second, Until: v.Until})
}

// valuesOf are the values of a place in this stage.
func valuesOf(run *steps.Run) vendor.Values {
	v := vendor.Values{Key: run.Key}
	if run.Stage.Both() {
		v.Second, v.Until = run.Second, steps.GraceUntil(run.Until)
	}
	return v
}

// secondOf is the fingerprint of a second key for the journal, "" for none.
func secondOf(run *steps.Run, second secret.Secret) string {
	if !second.Set() {
		return ""
	}
	return run.Kept().Of(second)
}

// announce records what is about to be carried out, with all that it replaces.
func announce(run *steps.Run, d journal.Delivery, h steps.Held) (journal.Delivery, error) {
	if run.Stage == steps.NoStage {
		return run.Journal.Deliver(d, h.Key)
	}
	d.Second = secondOf(run, valuesOf(run).Second)
	return run.Journal.DeliverPair(d, h.Key, pairOf(h))
}

// put brings the key, and in a stage what goes with it.
func (r *remote) put(ctx context.Context, run *steps.Run) (version string, err error) {
	if pair, ok := r.store.(vendor.Pair); ok && run.Stage != steps.NoStage {
		return pair.PutPair(ctx, run, valuesOf(run), r.held)
	}
	return r.store.Put(ctx, run, run.Key, r.held)
}

// pairBefore is the grace period that a delivery replaced: what is there, where the
// delivery was of the key alone.
func pairBefore(run *steps.Run, d journal.Delivery, h steps.Held) (journal.Pair, error) {
	if d.PairID == "" {
		return pairOf(h), nil
	}
	return run.Journal.PairBefore(d)
}

// putBack puts back what a delivery replaced.
func (r *remote) putBack(ctx context.Context, run *steps.Run, d journal.Delivery, old secret.Secret, was journal.Pair, h steps.Held) error {
	pair, ok := r.store.(vendor.Pair)
	if d.PairID == "" || !ok {
		return r.store.Restore(ctx, run, d, old, h)
	}
	v := vendor.Values{Key: old, Until: was.Until}
	if was.Second != "" {
		v.Second = run.Secret(was.Second)
	}
	_, err := pair.PutPair(ctx, run, v, h)
	return err
}
