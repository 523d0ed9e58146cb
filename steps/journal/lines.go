package journal

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"dj/keysplit/envfile"
)

// Entry is one line of the journal. Only the fields of its kind are set.
type Entry struct {
	Time        time.Time        `json:"time"`
	Schema      int              `json:"schema,omitempty"` // of "opened": see schema
	Kind        Kind             `json:"kind"`
	Run         string           `json:"run,omitempty"`      // of the process that began an intent
	Rollback    bool             `json:"rollback,omitempty"` // the intent takes another one back
	Project     string           `json:"project,omitempty"`
	Environment string           `json:"environment,omitempty"`
	Step        string           `json:"step,omitempty"`
	Status      string           `json:"status,omitempty"`
	Target      string           `json:"target,omitempty"` // of "backup": what it is of
	Intent      *envfile.Intent  `json:"intent,omitempty"`
	ID          string           `json:"id,omitempty"`      // of the intent that ended or was reverted; of what was "agreed"
	Outcome     *envfile.Outcome `json:"outcome,omitempty"` // how it ended
	Key         string           `json:"key,omitempty"`     // fingerprint of the key now in force; that is about to be brought; that a server was seen to take
	Evidence    *Evidence        `json:"evidence,omitempty"`
	Until       *time.Time       `json:"until,omitempty"`    // deadline of an "emergency"
	Restart     string           `json:"restart,omitempty"`  // the way, of "restart"
	Also        []string         `json:"also,omitempty"`     // and what was restarted after it
	Delivery    *Delivery        `json:"delivery,omitempty"` // of "deliver" and "delivered"
	Files       []string         `json:"files,omitempty"`    // of "plan": what it is about to change
	Targets     []string         `json:"targets,omitempty"`  // that a "chosen" key is for, as --target has them
	Account     *Account         `json:"account,omitempty"`  // of "account" and "account-gone"
	Used        *Used            `json:"used,omitempty"`     // of "used"
	Seal        string           `json:"seal"`               // keyed fingerprint of the line without it
}

// Kind is what a line tells.
type Kind string

// The kinds.
const (
	KindOpened      Kind = "opened"       // the journal begins, in a form
	KindBackup      Kind = "backup"       // a copy of a file
	KindBegin       Kind = "begin"        // a file is about to change
	KindEnd         Kind = "end"          // how that ended
	KindReverted    Kind = "reverted"     // a change or a delivery is taken back
	KindDeliver     Kind = "deliver"      // another place is about to get the key
	KindDelivered   Kind = "delivered"    // how that ended
	KindStatus      Kind = "status"       // of a step
	KindPlan        Kind = "plan"         // of edits, which go together
	KindChosen      Kind = "chosen"       // a key, before it is anywhere
	KindSettled     Kind = "settled"      // it is where it was to go, or nowhere
	KindBringing    Kind = "bringing"     // a key is about to be brought into force
	KindKey         Kind = "key"          // the key in force
	KindProved      Kind = "proved"       // a server was seen to take a key
	KindRestart     Kind = "restart"      // how the backend is restarted
	KindUsed        Kind = "used"         // what an upgrade was told
	KindRotating    Kind = "rotating"     // a rotation in stages begins
	KindAccepted    Kind = "accepted"     // its first stage is proved
	KindRotated     Kind = "rotated"      // it has ended
	KindRollback    Kind = "rollback"     // a rollback begins or ends
	KindAccount     Kind = "account"      // a throwaway account is about to be made
	KindAccountGone Kind = "account-gone" // it is removed
	KindEvidence    Kind = "evidence"     // of an item of the checklist
	KindAgreed      Kind = "agreed"       // what a configuration names may be used
	KindEmergency   Kind = "emergency"    // the code is to be reverted, with a deadline
)

// schema is the number of the journal's form that this version writes. A later
// form that this version would misread gets a higher one; fields and kinds that it
// may pass over do not.
const schema = 1

// cutOff ends a line that a kill left half written, so that it is told apart from
// one that was damaged later.
const cutOff = " cut off"

func (j *Journal) load() error {
	data, err := readOwn(j.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	open := len(data) > 0 && data[len(data)-1] != '\n'
	if open {
		j.torn = "\n"
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	damaged := false // the line before
	for lines.Scan() {
		line := lines.Bytes()
		after := damaged
		damaged = false
		var e Entry
		switch {
		case j.sealed(line) && json.Unmarshal(line, &e) == nil && e.whole() && j.rest(e):
			if e.Schema > schema {
				return fmt.Errorf("%w: a newer keysplit wrote it (form %d, and this one knows %d). Use the newer one; the journal is in %s",
					ErrUnusable, e.Schema, schema, j.dir)
			}
			if len(j.entries) == 0 {
				j.lost = 0 // what stands before it is the same line, tried before
			}
			j.entries = append(j.entries, e)
		case after && string(line) == cutOff:
			j.lost-- // its own run saw that it was written badly, and went no further
		case len(line) == 0, bytes.HasSuffix(line, []byte(cutOff)):
		case open && bytes.HasSuffix(data, line):
			// A kill in mid-write leaves a part of the last line, and what that was about
			// to record had not happened yet: entries come before their deeds.
			j.torn = cutOff + "\n"
		default:
			damaged = true
			j.lost++
		}
	}
	// The first line says only whose journal it is. While there is no other, no
	// deed was recorded, and a damaged one loses nothing.
	if len(j.entries) == 0 {
		if bytes.Count(data, []byte("\n")) > 1 {
			return j.unusable("its file journal.jsonl holds nothing that can be read")
		}
		j.lost = 0
	}
	return nil
}

// whole reports whether an entry has what its kind is about. Damage is found by the
// seal; this is for an entry that another version of keysplit wrote and sealed.
func (e Entry) whole() bool {
	switch e.Kind {
	case KindBegin:
		return e.Intent != nil
	case KindEnd:
		return e.Outcome != nil
	case KindEmergency:
		return e.Until != nil
	case KindDeliver, KindDelivered:
		return e.Delivery != nil
	case KindEvidence:
		return e.Evidence != nil
	case KindAccount, KindAccountGone:
		return e.Account != nil
	case KindUsed:
		return e.Used != nil
	}
	return true
}

// sealField is how a line ends: its seal, which is the keyed fingerprint of the
// line as it stands, with an empty seal. A line in which a disk or a person changed
// a single character, such as the owner of a file, is so passed over and not
// followed. What a later version adds is under the seal as well, read or not.
const sealField = `,"seal":"`

// seal gives a line its seal.
func (j *Journal) seal(e Entry) ([]byte, error) {
	e.Seal = ""
	line, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	body := bytes.TrimSuffix(line, []byte(`"}`))
	return append(body[:len(body):len(body)], j.prints.Sum(line)+`"}`...), nil
}

// sealed reports whether a line is as it was written.
func (j *Journal) sealed(line []byte) bool {
	at := bytes.LastIndex(line, []byte(sealField))
	if at < 0 {
		return false
	}
	at += len(sealField)
	seal, ok := bytes.CutSuffix(line[at:], []byte(`"}`))
	return ok && hmac.Equal(seal, []byte(j.prints.Sum(append(line[:at:at], `"}`...))))
}

func (j *Journal) append(e Entry) error {
	if j.readOnly {
		return fmt.Errorf("%w: it was opened for reading only", ErrUnusable)
	}
	e.Time = time.Now().UTC()
	line, err := j.seal(e)
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	line = append(append([]byte(j.torn), line...), '\n')
	f, err := os.OpenFile(j.path(), os.O_RDWR|os.O_APPEND|os.O_CREATE|noBlock, 0o600)
	if err != nil {
		return fmt.Errorf("write the journal: %w", err)
	}
	err = appendDurably(f, line)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		j.torn = cutOff + "\n"
		return fmt.Errorf("write the journal: %w", err)
	}
	j.torn = ""
	j.rest(e)
	j.entries = append(j.entries, e)
	return nil
}
