package journal

import (
	"slices"
	"time"
)

// Ran is one run that changed something.
type Ran struct {
	Run      string
	From, To time.Time // of its first and its last change
	Files    []string  // absolute paths, each once
	Targets  []string  // as --target has them, each once
	Key      string    // fingerprint of the key that it brought, "" where it brought none
	Undone   bool      // nothing of it is in force
	Finished bool      // its restart came to its end, or was left to a person
}

// Ran lists the runs that changed something, the oldest first. passed reports whether an
// entry ends what a run began, such as its restart.
func (j *Journal) Ran(passed func(Entry) bool) (out []Ran) {
	in := j.inForce()
	at := func(id string) *Ran {
		i := slices.IndexFunc(out, func(r Ran) bool { return r.Run == id })
		if i < 0 {
			i, out = len(out), append(out, Ran{Run: id, Undone: true})
		}
		return &out[i]
	}
	bringing := map[string]string{}
	for _, e := range j.entries {
		switch {
		case e.Kind == KindBringing:
			bringing[e.Run] = e.Key
		case e.Kind == KindBegin && !e.Rollback, e.Kind == KindDeliver:
			r := at(e.Run)
			if r.From.IsZero() {
				r.From = e.Time
			}
			r.To, r.Key, r.Undone, r.Finished = e.Time, bringing[e.Run], r.Undone && !in(e), false
			if e.Intent != nil && !slices.Contains(r.Files, e.Intent.Path) {
				r.Files = append(r.Files, e.Intent.Path)
			}
			if e.Delivery != nil && !slices.Contains(r.Targets, e.Delivery.Target) {
				r.Targets = append(r.Targets, e.Delivery.Target)
			}
		case len(out) > 0 && passed(e):
			out[len(out)-1].Finished = true
		}
	}
	return out
}
