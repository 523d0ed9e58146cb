package steps

import (
	"path/filepath"
	"slices"

	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/secret"
)

// Previous is the key that was in force before another one.
type Previous struct {
	Key    secret.Secret // unset where there was none, or none is known
	Proved bool          // a server was seen to sign with it, or to accept it
	File   string        // of the journal, of mode 0600, whose whole content it is; "" for none
}

// PreviousTo is the key that was in force before the given one: the last one that was
// proved to be, else the one that the places had before the first change since the
// last restart that came to its end. What was written in between was never in force.
func (r *Run) PreviousTo(key secret.Secret) Previous {
	if r.Journal == nil || r.Project == nil {
		return Previous{}
	}
	all, chain := r.keysBefore(key)
	for _, print := range r.Journal.Proved() {
		for _, p := range all {
			if p.Key.Set() && r.Kept().Of(p.Key) == print {
				p.Proved = true
				return p
			}
		}
	}
	if chain == 0 {
		return Previous{}
	}
	return all[chain-1]
}

// Restarted reports whether an entry of the journal is about a restart that came to its
// end.
func Restarted(e journal.Entry) bool {
	return e.Kind == journal.KindStatus && e.Step == string(Restart) && e.Status == string(Done)
}

// Passed is what reports whether an entry of the journal ends a step: it came to its end,
// or was left to a person.
func Passed(n Name) func(journal.Entry) bool {
	return func(e journal.Entry) bool {
		return e.Kind == journal.KindStatus && e.Step == string(n) && (e.Status == string(Done) || e.Status == string(Skipped))
	}
}

// maxBefore is how many keys the server is asked about.
const maxBefore = 3

// KeysBefore are the keys that may be the previous one, the likeliest first.
func (r *Run) KeysBefore(key secret.Secret) []Previous {
	if r.Journal == nil || r.Project == nil {
		return nil
	}
	all, _ := r.keysBefore(key)
	all = slices.DeleteFunc(all, func(p Previous) bool { return !p.Key.Set() })
	return all[:min(len(all), maxBefore)]
}

// keysBefore are the keys that the places had before a key, the latest first: the one
// that is there now, where that is another one, and what each upgrade replaced. The
// first chain of them are since the last restart that came to its end.
func (r *Run) keysBefore(key secret.Secret) (all []Previous, chain int) {
	if keys, err := r.Home().Keys(); err == nil && keys.InForce().Len() > 0 && !keys.InForce().Equal(key) {
		all = append(all, Previous{Key: keys.InForce()})
	}
	var of string // the run of the last of all
	passed := false
	for e := range r.Journal.Backward() {
		if e.Kind == journal.KindStatus {
			passed = passed || len(all) > 0 && Restarted(e)
			continue
		}
		before, ok := r.replaced(e, key)
		switch {
		case !ok:
			continue
		case len(all) == 0 || e.Run != of:
			all, of = append(all, before), e.Run
		case !all[len(all)-1].Key.Set():
			all[len(all)-1] = before
		}
		if !passed {
			chain = len(all)
		}
	}
	if chain == 0 {
		chain = min(1, len(all))
	}
	return all, chain
}

// replaced is the key that a change of one of this run's places replaced; it is unset
// where there was none, or none could be read. ok is false for a change that was not
// about the key.
func (r *Run) replaced(e journal.Entry, key secret.Secret) (before Previous, ok bool) {
	switch {
	case e.Delivery != nil && slices.Contains(r.Specs(), e.Delivery.Target):
		old, there, err := r.Journal.Before(*e.Delivery)
		if err != nil || !there || len(old) == 0 {
			return Previous{}, true
		}
		before = Previous{Key: r.Secret(string(old)), File: filepath.Join(r.Journal.Dir(), e.Delivery.BackupID)}
		return before, !before.Key.Equal(key)
	case e.Intent != nil && slices.Contains(r.Home().Files(), e.Intent.Path) && len(r.Project.EnvFile.Readers) > 0:
		data, err := r.Journal.Kept(e.Intent.BackupID)
		if err != nil {
			return Previous{}, false
		}
		keys, err := ReadKeys(r, r.Project.EnvFile.Readers[0], data)
		old := keys.InFile.Secret
		return Previous{Key: old}, err == nil && old.Len() > 0 && !old.Equal(key)
	}
	return Previous{}, false
}
