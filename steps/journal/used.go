package journal

import (
	"encoding/json"
	"reflect"
	"slices"
)

// Used is what an upgrade was told by flags and by the project, and what the commands
// after it go by: no secret is in it.
type Used struct {
	Targets []string        `json:"targets,omitempty"` // as --target has them
	URLs    []string        `json:"urls,omitempty"`    // of the server
	CAFile  string          `json:"ca_file,omitempty"` // of the authorities of those, absolute
	Python  string          `json:"python,omitempty"`  // where it was named, absolute, with the words behind it where it was a command
	Restart string          `json:"restart,omitempty"` // as SetRestart keeps it; "" where it was not named
	Facts   json.RawMessage `json:"facts,omitempty"`   // routes and token settings, in the caller's own form
}

// Use records what an upgrade uses, before it changes anything.
func (j *Journal) Use(u Used) error {
	if last, ok := j.LastUsed(); ok && reflect.DeepEqual(last, u) && j.halfUndone() == "" {
		return nil
	}
	return j.append(Entry{Kind: KindUsed, Run: j.run, Used: &u})
}

// LastUsed is what the latest upgrade used that was not undone. One that had nothing
// to change counts as well, and so does one whose rollback goes on: what is left of that
// is to restart and to ask the same server.
func (j *Journal) LastUsed() (u Used, ok bool) {
	changed, stays := map[string]bool{}, map[string]bool{}
	in := j.inForce()
	if run := j.halfUndone(); run != "" {
		stays[run] = true
	}
	for _, e := range j.entries {
		if e.Kind == KindBegin && !e.Rollback || e.Kind == KindDeliver {
			changed[e.Run] = true
			stays[e.Run] = stays[e.Run] || in(e)
		}
	}
	for _, e := range slices.Backward(j.entries) {
		if e.Kind == KindUsed && (stays[e.Run] || !changed[e.Run]) {
			return *e.Used, true
		}
	}
	return Used{}, false
}
