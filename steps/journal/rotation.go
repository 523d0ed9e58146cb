package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"dj/keysplit/steps/secret"
)

// Rotation is one that logs nobody out and has not come to its end: first every process
// is to accept the new key, and then to sign with it.
type Rotation struct {
	New, Old secret.Secret
	Accepted bool // every process was proved to accept the new key

	id, run string
}

// keptPair is what the backup of a rotation holds.
type keptPair struct{ New, Old string }

// BeginRotation keeps both keys, as a backup of mode 0600, until the rotation ends: a
// run that is cut short in the middle goes on with the same ones.
func (j *Journal) BeginRotation(next, old secret.Secret) error {
	pair, _ := json.Marshal(keptPair{next.Reveal(), old.Reveal()}) // texts always have a form
	id, err := j.Keep("", pair)
	if err != nil {
		return err
	}
	return j.append(Entry{Kind: KindRotating, Run: j.run, ID: id})
}

// Rotation is the one that is under way; ok is false where there is none. What follows
// belongs to the same upgrade, also for a rollback.
func (j *Journal) Rotation() (r Rotation, ok bool, err error) {
	at := -1
	for i, e := range j.entries {
		switch e.Kind {
		case KindRotating:
			at, r = i, Rotation{id: e.ID, run: e.Run}
		case KindAccepted:
			r.Accepted = true
		case KindRotated:
			at = -1
		}
	}
	if at < 0 {
		return Rotation{}, false, nil
	}
	data, err := j.Kept(r.id)
	var pair keptPair
	if err == nil {
		err = json.Unmarshal(data, &pair)
	}
	if err != nil {
		return r, true, fmt.Errorf("read the keys of the rotation that is under way: %w", err)
	}
	r.New, r.Old = j.prints.Secret(pair.New), j.prints.Secret(pair.Old)
	return r, true, nil
}

// Rotated reports whether anything of the rotation that is under way is in force.
func (j *Journal) Rotated() bool {
	r, under, _ := j.Rotation() // its keys need not be read
	return under && slices.ContainsFunc(j.InForce(), func(e Entry) bool { return e.Run == r.run })
}

// GoOn makes what follows a part of the rotation.
func (j *Journal) GoOn(r Rotation) { j.run = r.run }

// SetAccepted records that every process was proved to accept the new key.
func (j *Journal) SetAccepted(r Rotation) error {
	return j.append(Entry{Kind: KindAccepted, ID: r.id})
}

// EndRotation forgets the keys of the rotation that is under way, if any: it is done, or
// undone.
func (j *Journal) EndRotation() error {
	r, ok, _ := j.Rotation() // its keys need not be read
	if !ok {
		return nil
	}
	if err := os.Remove(filepath.Join(j.dir, r.id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the kept keys: %w", err)
	}
	return j.append(Entry{Kind: KindRotated, ID: r.id})
}
