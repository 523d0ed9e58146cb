package journal

import "slices"

// BeginPlan records which files (absolute, links resolved) are about to be changed as one. Where an
// earlier plan was cut short before one of them, what follows is a part of its run: to the
// user that is one upgrade, and one rollback undoes it.
func (j *Journal) BeginPlan(files []string) error {
	if run, left := j.cutShort(); run != j.run && slices.ContainsFunc(files, func(f string) bool { return slices.Contains(left, f) }) {
		brings := slices.IndexFunc(j.entries, func(e Entry) bool { return e.Kind == KindBringing && e.Run == j.run })
		j.run = run
		if brings >= 0 {
			if err := j.append(Entry{Kind: KindBringing, Run: run, Key: j.entries[brings].Key}); err != nil {
				return err
			}
		}
	}
	if len(files) < 2 {
		return nil
	}
	return j.append(Entry{Kind: KindPlan, Run: j.run, Files: files})
}

// cutShort is the run that changed something last, where its plan was cut short, and the
// files of it that are left. None of a run that came after it may be in force: a rollback
// undoes the latest first.
func (j *Journal) cutShort() (run string, left []string) {
	force := j.InForce()
	if len(force) == 0 {
		return "", nil
	}
	run = force[len(force)-1].Run
	in := j.inForce()
	for _, e := range j.entries {
		switch {
		case e.Run != run:
		case e.Kind == KindPlan:
			left = slices.Clone(e.Files)
		case e.Kind == KindBegin && in(e):
			left = slices.DeleteFunc(left, func(f string) bool { return f == e.Intent.Target })
		}
	}
	return run, left
}
