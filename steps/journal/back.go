package journal

import "slices"

// BeginRollback records that the upgrade of the given run is about to be undone.
func (j *Journal) BeginRollback(run string) error {
	return j.append(Entry{Kind: KindRollback, Run: run, Status: "begun"})
}

// EndRollback records that a rollback has come to its end.
func (j *Journal) EndRollback() error {
	return j.append(Entry{Kind: KindRollback, Status: "ended"})
}

// halfUndone is the run of an upgrade whose rollback has begun and not come to its end, ""
// for none. A later change ends it too.
func (j *Journal) halfUndone() string {
	for _, e := range slices.Backward(j.entries) {
		switch {
		case e.Kind == KindRollback && e.Status == "begun":
			return e.Run
		case e.Kind == KindRollback, e.Kind == KindBegin && !e.Rollback, e.Kind == KindDeliver:
			return ""
		}
	}
	return ""
}

// OpenRollback reports whether a rollback has restored everything and has not come to
// its end: the server may go on with the key that was undone. A later change, or
// a restart that passed tells of, ends it too.
func (j *Journal) OpenRollback(passed func(Entry) bool) bool {
	for _, e := range slices.Backward(j.entries) {
		switch {
		case e.Kind == KindRollback:
			return e.Status == "begun" && !slices.ContainsFunc(j.InForce(), func(c Entry) bool { return c.Run == e.Run })
		case e.Kind == KindBegin && !e.Rollback, e.Kind == KindDeliver, passed(e):
			return false
		}
	}
	return false
}
