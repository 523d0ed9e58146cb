package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"dj/keysplit/steps/secret"
)

// Delivery is one change of a place that is no file of this machine. It stands
// in the journal before it is carried out; the value that it replaces is kept
// as a backup of mode 0600.
type Delivery struct {
	ID         string `json:"id"`
	Target     string `json:"target"`                // as --target has it
	Where      string `json:"where"`                 // in words: account, context, app
	Key        string `json:"key"`                   // fingerprint of the key that is delivered
	BackupID   string `json:"backup,omitempty"`      // of the value before; "" when there was none, or it could not be read
	Second     string `json:"second,omitempty"`      // fingerprint of the second key that is delivered beside it, "" for none
	PairID     string `json:"pair,omitempty"`        // of the second key and its deadline before, as JSON; "" where the delivery is of the key alone
	There      bool   `json:"there,omitempty"`       // there was a value before
	Version    string `json:"version,omitempty"`     // of the place, before
	NewVersion string `json:"new_version,omitempty"` // and after
}

// Deliver records that a delivery is about to be carried out, and returns it
// with its ID and the backup of the value before.
func (j *Journal) Deliver(d Delivery, before secret.Secret) (Delivery, error) {
	d.ID = randomHex(8)
	if before.Set() {
		id, err := j.Keep(d.Target, []byte(before.Reveal()))
		if err != nil {
			return d, err
		}
		d.BackupID = id
	}
	return d, j.append(Entry{Kind: KindDeliver, Run: j.run, Delivery: &d})
}

// Pair are the second key of a grace period and its deadline, as a place holds them;
// both "" for none.
type Pair struct{ Second, Until string }

// DeliverPair records a delivery that also changes the grace period of the place.
func (j *Journal) DeliverPair(d Delivery, before secret.Secret, pair Pair) (Delivery, error) {
	data, _ := json.Marshal(pair) // texts always have a form
	var err error
	if d.PairID, err = j.Keep(d.Target, data); err != nil {
		return d, err
	}
	return j.Deliver(d, before)
}

// PairBefore is the grace period that a delivery replaced.
func (j *Journal) PairBefore(d Delivery) (p Pair, err error) {
	data, err := j.Kept(d.PairID)
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	return p, err
}

// Delivered records that a delivery was carried out.
func (j *Journal) Delivered(d Delivery) error {
	return j.append(Entry{Kind: KindDelivered, ID: d.ID, Delivery: &d})
}

// Begun is the delivery to a target that this upgrade has begun and whose end is not
// known: a run was killed in the middle. key is the fingerprint of what it delivers.
func (j *Journal) Begun(target, key string) (Delivery, bool) {
	ended := map[string]bool{}
	for _, e := range j.entries {
		if e.Kind == KindDelivered {
			ended[e.ID] = true
		}
	}
	for _, e := range slices.Backward(j.InForce()) {
		if d := e.Delivery; d != nil && e.Run == j.run && d.Target == target && d.Key == key && !ended[d.ID] {
			return *d, true
		}
	}
	return Delivery{}, false
}

// TookBack records that a delivery is not in force: it was undone, or certainly
// did not happen.
func (j *Journal) TookBack(d Delivery) error {
	return j.append(Entry{Kind: KindReverted, ID: d.ID})
}

// Deliveries lists the deliveries of the latest run that made any which are in
// force, or whose end is not known, the oldest first. A later run may have changed
// files only, such as that of a grace period.
func (j *Journal) Deliveries() []Delivery {
	for _, e := range slices.Backward(j.InForce()) {
		if e.Delivery != nil {
			return j.deliveriesOf(e.Run)
		}
	}
	return nil
}

// AppliedElsewhere lists the deliveries of the latest run that changed anything, as
// Applied does the file changes: those that a rollback undoes.
func (j *Journal) AppliedElsewhere() []Delivery {
	force := j.InForce()
	if len(force) == 0 {
		return nil
	}
	return j.deliveriesOf(force[len(force)-1].Run)
}

func (j *Journal) deliveriesOf(run string) []Delivery {
	ended := map[string]Delivery{}
	for _, e := range j.entries {
		if e.Kind == KindDelivered {
			ended[e.ID] = *e.Delivery
		}
	}
	var out []Delivery
	for _, e := range j.InForce() {
		if e.Delivery == nil || e.Run != run {
			continue
		}
		d := *e.Delivery
		if end, ok := ended[d.ID]; ok {
			d = end
		}
		out = append(out, d)
	}
	return out
}

// Before is the value that a delivery replaced, "" and false when there was
// none or it could not be read.
func (j *Journal) Before(d Delivery) ([]byte, bool, error) {
	if d.BackupID == "" {
		return nil, false, nil
	}
	b, err := j.Kept(d.BackupID)
	return b, err == nil, err
}

// Choose keeps the key that is about to be delivered to the given targets, as a
// backup of mode 0600: some of them never show a value again, so that a run
// that is cut short after the first could not bring the same key to the others.
func (j *Journal) Choose(key secret.Secret, targets []string) error {
	if e, ok := j.choice(); ok {
		if kept, err := j.Kept(e.ID); err == nil && string(kept) == key.Reveal() && (e.Targets == nil || sameTargets(e.Targets, targets)) {
			j.run = e.Run // what was begun and what follows is one upgrade, also for a rollback
			return nil
		}
	}
	if err := j.Settle(); err != nil {
		return err
	}
	id, err := j.Keep("", []byte(key.Reveal()))
	if err != nil {
		return err
	}
	return j.append(Entry{Kind: KindChosen, Run: j.run, ID: id, Targets: targets})
}

// Unfinished are the targets of an upgrade that has changed some of its places and
// not yet all; none when there is no such upgrade, or when targets are the same
// ones, so that a run over them finishes it. A run over others must not take its
// key, and must not forget it either: the rest of its places would never get it.
func (j *Journal) Unfinished(targets []string) []string {
	e, ok := j.choice()
	if !ok || sameTargets(e.Targets, targets) {
		return nil
	}
	if j.Delivering() {
		return e.Targets
	}
	return nil
}

// sameTargets compares without regard to the order.
func sameTargets(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// Chosen is the key that an earlier run chose for the same targets and did not
// bring to all of them.
func (j *Journal) Chosen(targets []string) ([]byte, bool) {
	e, ok := j.choice()
	if !ok || e.Targets != nil && !sameTargets(e.Targets, targets) {
		return nil, false
	}
	key, err := j.Kept(e.ID)
	return key, err == nil && len(key) > 0
}

// choice is the latest "chosen" that is not settled.
func (j *Journal) choice() (Entry, bool) {
	for _, e := range slices.Backward(j.entries) {
		switch e.Kind {
		case KindSettled:
			return Entry{}, false
		case KindChosen:
			return e, true
		}
	}
	return Entry{}, false
}

// Delivering reports whether some place may have the chosen key already.
func (j *Journal) Delivering() bool {
	e, ok := j.choice()
	return ok && slices.ContainsFunc(j.InForce(), func(begun Entry) bool { return begun.Run == e.Run })
}

// ChosenFile is where the chosen key is kept, "" when there is none: for the one
// kind of place that only a person can bring it to.
func (j *Journal) ChosenFile() string {
	e, ok := j.choice()
	if !ok {
		return ""
	}
	return filepath.Join(j.dir, e.ID)
}

// Settle forgets the chosen key: it is where it must be, or it is given up. So it does
// with one of a run that was killed before it could note what the key was for.
func (j *Journal) Settle() error {
	e, ok := j.choice()
	gone := j.stray()
	if ok {
		gone = append(gone, e.ID)
	}
	for _, id := range gone {
		if err := os.Remove(filepath.Join(j.dir, id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the kept key: %w", err)
		}
	}
	if !ok {
		return nil
	}
	return j.append(Entry{Kind: KindSettled, ID: e.ID})
}

// stray are the backups that are of no place and that no line uses: keys that were
// kept and not chosen any more. Of a damaged journal it tells none, since there the
// line may be lost that says what a backup is for.
func (j *Journal) stray() (ids []string) {
	if j.lost > 0 {
		return nil
	}
	used := j.used()
	for _, e := range j.entries {
		if e.Kind == KindBackup && e.Target == "" && !used[e.ID] && e.ID == filepath.Base(e.ID) && strings.HasPrefix(e.ID, "backup-") {
			ids = append(ids, e.ID)
		}
	}
	return ids
}
