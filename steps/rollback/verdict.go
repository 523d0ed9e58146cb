package rollback

import (
	"errors"
	"os/user"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
)

// Verdict is how a rollback ended.
type Verdict struct {
	Summary prose.Text   // one sentence, which promises what Next says where it ends in a colon
	Next    []prose.Text // what is left to do and how to go on, one sentence each
	// Err is why it did not come to its end; it wraps steps.ErrCancelled when the user
	// stopped it.
	Err     error
	Changed bool // something was restored
	Proved  bool // all is restored, and in force as far as keysplit can see
	Told    bool // findings or errors say more about what is wrong
}

// Stopped reports whether the user stopped it.
func (v Verdict) Stopped() bool { return errors.Is(v.Err, steps.ErrCancelled) }

// Nothing is the verdict where nothing is in force that could be undone; ok reports
// whether that is so.
func (r *Rollback) Nothing() (v Verdict, ok bool) {
	if r.last.Run != "" || r.open {
		return Verdict{}, false
	}
	j := r.engine.Run.Journal
	if err := j.Settle(); err != nil { // a key that was chosen and went nowhere
		return Verdict{Summary: prose.Say("Nothing was undone."), Err: err}, true
	}
	if !j.Doubtful() {
		return Verdict{Summary: prose.Say("Nothing to undo: keysplit has changed nothing here, or has already undone it."), Next: []prose.Text{whose()}, Proved: true}, true
	}
	return Verdict{
		Summary: prose.Say("keysplit cannot tell whether there is anything to undo."),
		Next: []prose.Text{
			prose.Say("A run was cut off, the file was edited since, or keysplit's notes were damaged."),
			prose.Say("If .env is not as it was: its earlier versions are the files backup-* in %s.", j.Dir()),
		},
		Err: errors.New("keysplit cannot tell whether everything is as it was"),
	}, true
}

// whose says whose journal this is: another user's is not looked at.
func whose() prose.Text {
	name := "yours"
	if u, err := user.Current(); err == nil {
		name = "that of " + u.Username
	}
	return prose.Say("This journal is %s. What another user changed is in that user's journal.", name)
}

// verdict compares what was to be undone with what the journal still has in force.
func (r *Rollback) verdict(err error, proof proof) Verdict {
	run := r.engine.Run
	left, earlier := r.inForce()
	back := without(r.last, left)
	v := Verdict{Err: proof.err, Changed: len(back.Files)+len(back.Deliveries) > 0, Next: slices.Clone(run.Left)}
	if proof.err == nil && !proof.said.Empty() {
		v.Next = append(v.Next, proof.said)
	}
	there := len(left.Files)+len(left.Deliveries) > 0 || err != nil && run.Journal == nil
	switch {
	case there && !v.Changed:
		v.Summary, v.Told = prose.Say("Nothing was undone."), !v.Stopped()
	case there:
		v.Summary, v.Told = prose.Say("Not everything is restored."), !v.Stopped()
		v.Next = append([]prose.Text{prose.Labelled("Restored", "%s.", places(run, back)), prose.Labelled("Not restored", "%s.", places(run, left))}, v.Next...)
	case v.Stopped():
		v.Summary = prose.Say("Everything is restored, but the server still has to restart.")
	case proof.lacks != "":
		v.Summary, v.Told = prose.Say("Everything is restored, but %s.", proof.lacks), true
	case err != nil || proof.err != nil:
		v.Summary, v.Told = prose.Say("Everything is restored, but the server still has to restart."), true
	case len(run.Left) > 0:
		v.Summary = prose.Say("Everything keysplit can restore is restored. Still to do:")
	case earlier.Run != "":
		v.Summary, v.Proved = prose.Say("The latest change is undone."), true
	default:
		v.Summary, v.Proved = prose.Say("Everything is as it was before the upgrade."), true
	}
	v.Next = append(v.Next, r.goesOn(v, there, earlier, proof)...)
	return v
}

// inForce is what the journal still has of what was to be undone, and what an earlier
// upgrade has changed.
func (r *Rollback) inForce() (left, earlier journal.Upgrade) {
	if r.engine.Run.Journal == nil {
		return left, earlier
	}
	for _, u := range r.engine.Run.Journal.Upgrades() {
		if u.Run == r.last.Run {
			left = u
		} else {
			earlier = u
		}
	}
	return left, earlier
}

// goesOn says how to go on from there, with a command.
func (r *Rollback) goesOn(v Verdict, there bool, earlier journal.Upgrade, proof proof) []prose.Text {
	run := r.engine.Run
	switch {
	case v.Stopped():
		return []prose.Text{prose.Labelled("To continue", "%s", prose.Command(run.Command("rollback")))}
	case !there && proof.err != nil && !finding.Has(r.engine.FindingsOf(steps.Restart), finding.RestartFailed):
		return []prose.Text{prose.Labelled("To finish the rollback, once that is fixed", "%s", prose.Command(run.Command("rollback")))}
	case !there && v.Err == nil && earlier.Run != "":
		return []prose.Text{prose.Say("An earlier change is still in force, from %s: %s. To undo that as well: %s", day(earlier), places(run, earlier), prose.Command(run.Command("rollback")))}
	}
	return nil
}

// without is what of a was undone, when b is what is left of it.
func without(a, b journal.Upgrade) journal.Upgrade {
	out := journal.Upgrade{Run: a.Run, At: a.At}
	left := map[string]bool{}
	for _, in := range b.Files {
		left[in.ID] = true
	}
	for _, d := range b.Deliveries {
		left[d.ID] = true
	}
	for _, in := range a.Files {
		if !left[in.ID] {
			out.Files = append(out.Files, in)
		}
	}
	for _, d := range a.Deliveries {
		if !left[d.ID] && !byHand(d) {
			out.Deliveries = append(out.Deliveries, d)
		}
	}
	return out
}

// places names what an upgrade changed.
func places(run *steps.Run, u journal.Upgrade) string {
	var out []string
	for _, in := range u.Files {
		out = append(out, run.Project.Rel(in.Path))
	}
	for _, d := range u.Deliveries {
		out = append(out, d.Where)
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ", ")
}

func day(u journal.Upgrade) string { return u.At.UTC().Format("2006-01-02 15:04 MST") }
