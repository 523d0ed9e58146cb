package journal

import (
	"iter"
	"slices"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps/secret"
)

// Applied lists the file changes of the latest run that changed anything which
// are still in force, in the order in which they were made. A rollback takes
// them back from the last to the first.
func (j *Journal) Applied() []envfile.Intent {
	var out []envfile.Intent
	force := j.InForce()
	for _, e := range force {
		if e.Intent != nil && e.Run == force[len(force)-1].Run {
			out = append(out, *e.Intent)
		}
	}
	return out
}

// Upgrade is what one run changed and is still in force, each in the order in
// which it was made.
type Upgrade struct {
	Run        string
	At         time.Time // of its first change
	Files      []envfile.Intent
	Deliveries []Delivery
}

// Upgrades lists the upgrades of which anything is in force, the latest last. A
// rollback takes the latest one back.
func (j *Journal) Upgrades() []Upgrade {
	var out []Upgrade
	for _, e := range j.InForce() {
		at := slices.IndexFunc(out, func(u Upgrade) bool { return u.Run == e.Run })
		if at < 0 {
			at, out = len(out), append(out, Upgrade{Run: e.Run, At: e.Time})
		}
		if e.Intent != nil {
			out[at].Files = append(out[at].Files, *e.Intent)
		} else {
			out[at].Deliveries = append(out[at].Deliveries, *e.Delivery)
		}
	}
	// What was resumed is as recent as its latest change.
	if n := len(out); n > 0 {
		force := j.InForce()
		at := slices.IndexFunc(out, func(u Upgrade) bool { return u.Run == force[len(force)-1].Run })
		latest := out[at]
		out = append(slices.Delete(out, at, at+1), latest)
	}
	return out
}

// DeliveredSince tells since when a target, as --target has it, may have the value
// that is in force now: when the latest upgrade began to deliver this key to it,
// or what this process had noted last before it put the earlier value back. It is
// false for a place that was not changed by either. An unset key stands for any.
func (j *Journal) DeliveredSince(target string, key secret.Secret) (since time.Time, changed bool) {
	force := j.InForce()
	for _, e := range slices.Backward(force) {
		if e.Run != force[len(force)-1].Run {
			break
		}
		if d := e.Delivery; d != nil && d.Target == target {
			return e.Time, !key.Set() || d.Key == j.prints.Of(key)
		}
	}
	ids := map[string]bool{}
	for _, e := range j.entries {
		if e.Kind == KindDeliver && e.Delivery.Target == target {
			ids[e.Delivery.ID] = true
		}
	}
	for i := len(j.entries) - 1; i >= max(1, j.known); i-- {
		if e := j.entries[i]; e.Kind == KindReverted && ids[e.ID] {
			if since = j.entries[i-1].Time; since.Before(j.opened) {
				since = j.opened
			}
			return since, true
		}
	}
	return time.Time{}, false
}

// Leave records that a change counts as undone although it stays: the file is
// still needed, and no longer keysplit's.
func (j *Journal) Leave(in envfile.Intent) error {
	return j.append(Entry{Kind: KindReverted, ID: in.ID})
}

// RevertedAt is when the latest change was undone; now where none was, or where that is
// not known.
func (j *Journal) RevertedAt() time.Time {
	if j != nil {
		for _, e := range slices.Backward(j.entries) {
			if e.Kind == KindReverted {
				return e.Time
			}
		}
	}
	return time.Now()
}

// Reverted counts the changes that were undone.
func (j *Journal) Reverted() int {
	n := 0
	for _, e := range j.entries {
		if e.Kind == KindReverted {
			n++
		}
	}
	return n
}

// InForce lists the entries that began a change which is in force, or may be,
// of all runs: "begin" of a file, "deliver" of any other place.
func (j *Journal) InForce() []Entry {
	in := j.inForce()
	return slices.DeleteFunc(slices.Clone(j.entries), func(e Entry) bool { return !in(e) })
}

// inForce tells of an entry whether it is among those.
func (j *Journal) inForce() func(Entry) bool {
	ended := map[string]bool{}
	reverted := map[string]bool{}
	for _, e := range j.entries {
		switch e.Kind {
		case KindEnd:
			ended[e.ID] = e.Outcome.State == envfile.Replaced || e.Outcome.State == envfile.NotDurable
		case KindReverted:
			reverted[e.ID] = true
		}
	}
	return func(e Entry) bool {
		return e.Kind == KindBegin && !e.Rollback && ended[e.Intent.ID] && !reverted[e.Intent.ID] ||
			e.Kind == KindDeliver && !reverted[e.Delivery.ID]
	}
}

// Backward gives the status entries and those of InForce, the latest first.
func (j *Journal) Backward() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		in := j.inForce()
		for _, e := range slices.Backward(j.entries) {
			if (e.Kind == KindStatus || in(e)) && !yield(e) {
				return
			}
		}
	}
}
