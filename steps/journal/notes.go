package journal

import (
	"slices"
	"time"

	"dj/keysplit/steps/secret"
)

// MaxKeyAge is how old a key may get before the upgrade guide wants a new one.
const MaxKeyAge = 90 * 24 * time.Hour

// KeySince tells when keysplit first brought this key here, as the journal has
// it; false for a key that it did not bring.
func (j *Journal) KeySince(key secret.Secret) (time.Time, bool) {
	print := j.prints.Of(key)
	for _, e := range j.entries {
		if e.Kind == KindKey && e.Key == print && key.Set() {
			return e.Time, true
		}
	}
	return time.Time{}, false
}

// Bring records that a key is about to be brought to the places of the upgrade.
func (j *Journal) Bring(key secret.Secret) error {
	return j.append(Entry{Kind: KindBringing, Run: j.run, Key: j.prints.Of(key)})
}

// Brought reports whether an upgrade began to bring this key and has neither come to
// the end of its restart, which is what passed tells of an entry, nor been undone.
func (j *Journal) Brought(key secret.Secret, passed func(Entry) bool) bool {
	print := j.prints.Of(key)
	if !key.Set() {
		return false
	}
	for _, e := range slices.Backward(j.entries) {
		switch {
		case e.Kind == KindBringing:
			return e.Key == print
		case e.Kind == KindReverted, passed(e):
			return false
		}
	}
	return false
}

// SetProved records that a server was seen to take tokens of this key.
func (j *Journal) SetProved(key secret.Secret) error {
	if all := j.Proved(); len(all) > 0 && all[0] == j.prints.Of(key) {
		return nil
	}
	return j.append(Entry{Kind: KindProved, Key: j.prints.Of(key)})
}

// Proved are the fingerprints of the keys that a server was seen to take, the latest
// first.
func (j *Journal) Proved() (prints []string) {
	for _, e := range slices.Backward(j.entries) {
		if e.Kind == KindProved {
			prints = append(prints, e.Key)
		}
	}
	return prints
}

// StartEmergency records that the change of the code was undone for now, and
// by when that is to be fixed.
func (j *Journal) StartEmergency(until time.Time) error {
	return j.append(Entry{Kind: KindEmergency, Until: &until})
}

// Emergency is the deadline of the emergency rollback that was recorded last. A
// key that keysplit brought since is how it ends.
func (j *Journal) Emergency() (until time.Time, recorded bool) {
	for _, e := range slices.Backward(j.entries) {
		switch e.Kind {
		case KindKey:
			return time.Time{}, false
		case KindEmergency:
			return *e.Until, true
		}
	}
	return time.Time{}, false
}

// SetRestart records how the backend was restarted (a --restart value), and what was
// restarted after it (--also), so that a rollback can do the same.
func (j *Journal) SetRestart(spec string, also ...string) error {
	if j.RestartedBy() == spec && slices.Equal(j.AlsoRestarted(), also) {
		return nil
	}
	return j.append(Entry{Kind: KindRestart, Restart: spec, Also: also})
}

// AlsoRestarted is what was restarted after the backend at the last restart.
func (j *Journal) AlsoRestarted() []string {
	for _, e := range slices.Backward(j.entries) {
		if e.Kind == KindRestart {
			return e.Also
		}
	}
	return nil
}

// RestartedBy is how the backend was restarted last, "" when it never was.
func (j *Journal) RestartedBy() string {
	for _, e := range slices.Backward(j.entries) {
		if e.Kind == KindRestart {
			return e.Restart
		}
	}
	return ""
}

// Account is a throwaway account in the project's own database, by the field and the
// value that name it there.
type Account struct {
	Field string `json:"field"`
	Name  string `json:"name"`
}

// NoteAccount records that a throwaway account is about to be made.
func (j *Journal) NoteAccount(a Account) error {
	return j.append(Entry{Kind: KindAccount, Account: &a})
}

// AccountGone records that there is no such account any more.
func (j *Journal) AccountGone(a Account) error {
	return j.append(Entry{Kind: KindAccountGone, Account: &a})
}

// Accounts lists the throwaway accounts that may still be there: a run that is killed
// cannot remove its own.
func (j *Journal) Accounts() []Account {
	var left []Account
	for _, e := range j.entries {
		switch e.Kind {
		case KindAccount:
			left = append(left, *e.Account)
		case KindAccountGone:
			left = slices.DeleteFunc(left, func(a Account) bool { return a == *e.Account })
		}
	}
	return left
}
