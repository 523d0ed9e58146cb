package steps

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
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
	There      bool   `json:"there,omitempty"`       // there was a value before
	Version    string `json:"version,omitempty"`     // of the place, before
	NewVersion string `json:"new_version,omitempty"` // and after
}

// Deliver records that a delivery is about to be carried out, and returns it
// with its ID and the backup of the value before.
func (j *Journal) Deliver(d Delivery, before Secret) (Delivery, error) {
	d.ID = randomHex(8)
	if before.Set() {
		id, err := j.Keep(d.Target, []byte(before.Reveal()))
		if err != nil {
			return d, err
		}
		d.BackupID = id
	}
	return d, j.append(Entry{Kind: "deliver", Run: j.run, Delivery: &d})
}

// Delivered records that a delivery was carried out.
func (j *Journal) Delivered(d Delivery) error {
	return j.append(Entry{Kind: "delivered", ID: d.ID, Delivery: &d})
}

// TookBack records that a delivery is not in force: it was undone, or certainly
// did not happen.
func (j *Journal) TookBack(d Delivery) error {
	return j.append(Entry{Kind: "reverted", ID: d.ID})
}

// Deliveries lists the deliveries of the latest run that changed anything which
// are in force, or whose end is not known, the oldest first.
func (j *Journal) Deliveries() []Delivery {
	ended := map[string]Delivery{}
	for _, e := range j.entries {
		if e.Kind == "delivered" {
			ended[e.ID] = *e.Delivery
		}
	}
	var out []Delivery
	force := j.inForce()
	for _, e := range force {
		if e.Delivery == nil || e.Run != force[len(force)-1].Run {
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

// Choose keeps the key that is about to be delivered to several places, as a
// backup of mode 0600: some of them never show a value again, so that a run
// that is cut short after the first could not bring the same key to the others.
func (j *Journal) Choose(key Secret) error {
	if kept, run, ok := j.chosen(); ok && string(kept) == key.Reveal() {
		j.run = run // what was begun and what follows is one upgrade, also for a rollback
		return nil
	}
	if err := j.Settle(); err != nil {
		return err
	}
	id, err := j.Keep("", []byte(key.Reveal()))
	if err != nil {
		return err
	}
	return j.append(Entry{Kind: "chosen", Run: j.run, ID: id})
}

// Chosen is the key that an earlier run chose and did not bring to all places.
func (j *Journal) Chosen() ([]byte, bool) {
	key, _, ok := j.chosen()
	return key, ok
}

func (j *Journal) chosen() (key []byte, run string, ok bool) {
	e, ok := j.choice()
	if !ok {
		return nil, "", false
	}
	key, err := j.Kept(e.ID)
	return key, e.Run, err == nil && len(key) > 0
}

// choice is the latest "chosen" that is not settled.
func (j *Journal) choice() (Entry, bool) {
	for _, e := range slices.Backward(j.entries) {
		switch e.Kind {
		case "settled":
			return Entry{}, false
		case "chosen":
			return e, true
		}
	}
	return Entry{}, false
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

// Settle forgets the chosen key: all places have it, or it is given up.
func (j *Journal) Settle() error {
	e, ok := j.choice()
	if !ok {
		return nil
	}
	if err := os.Remove(filepath.Join(j.dir, e.ID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the kept key: %w", err)
	}
	return j.append(Entry{Kind: "settled", ID: e.ID})
}

// Again is the whole command line that goes on with this upgrade.
func (r *Run) Again() string {
	line := r.Command("upgrade")
	for _, t := range r.Options.Targets {
		line += " --target " + t
	}
	if w := r.Options.Restart; strings.ContainsAny(w, " \"$|&;<>()`*?[]~#\\") {
		line += " --restart '" + w + "'"
	} else if w != "" {
		line += " --restart " + w
	}
	return line
}
