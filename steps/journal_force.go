package steps

import (
	"slices"

	"dj/keysplit/envfile"
)

// Applied lists the file changes of the latest run that changed anything which
// are still in force, in the order in which they were made. A rollback takes
// them back from the last to the first.
func (j *Journal) Applied() []envfile.Intent {
	var out []envfile.Intent
	force := j.inForce()
	for _, e := range force {
		if e.Intent != nil && e.Run == force[len(force)-1].Run {
			out = append(out, *e.Intent)
		}
	}
	return out
}

// inForce lists the entries that began a change which is in force, or may be,
// of all runs: "begin" of a file, "deliver" of any other place.
func (j *Journal) inForce() []Entry {
	ended := map[string]bool{}
	reverted := map[string]bool{}
	for _, e := range j.entries {
		switch e.Kind {
		case "end":
			ended[e.ID] = e.Outcome.State == envfile.Replaced || e.Outcome.State == envfile.NotDurable
		case "reverted":
			reverted[e.ID] = true
		}
	}
	var out []Entry
	for _, e := range j.entries {
		switch {
		case e.Kind == "begin" && !e.Rollback && ended[e.Intent.ID] && !reverted[e.Intent.ID],
			e.Kind == "deliver" && !reverted[e.Delivery.ID]:
			out = append(out, e)
		}
	}
	return out
}

// befores are the versions of a file before each change of it that is still in
// force, the latest first.
func (j *Journal) befores(path string) [][]byte {
	var out [][]byte
	for _, e := range slices.Backward(j.inForce()) {
		if e.Intent == nil || e.Intent.Path != path {
			continue
		}
		if data, err := j.Kept(e.Intent.BackupID); err == nil {
			out = append(out, data)
		}
	}
	return out
}
