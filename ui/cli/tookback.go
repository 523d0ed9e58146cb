package cli

import (
	"errors"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
)

// tookBack says how a rollback of the given upgrade ended.
func tookBack(e *steps.Engine, last journal.Upgrade, err error) result {
	run := e.Run
	r := result{OK: err == nil, Stopped: errors.Is(err, steps.ErrCancelled), Findings: e.Findings(), Next: run.Left}
	left, earlier := journal.Upgrade{}, journal.Upgrade{}
	var all []journal.Upgrade
	if run.Journal != nil {
		all = run.Journal.Upgrades()
	}
	for _, u := range all {
		if u.Run == last.Run {
			left = u
		} else {
			earlier = u
		}
	}
	back := without(last, left)
	there := len(left.Files)+len(left.Deliveries) > 0
	r.Changed = len(back.Files)+len(back.Deliveries) > 0
	restarted := !slices.ContainsFunc(e.FindingsOf(steps.Restart), func(f finding.Finding) bool { return f.Severity != finding.Info })
	switch {
	case there && !r.Changed:
		r.Summary = "Nothing was taken back."
	case there:
		r.Summary = "Not everything is put back."
		r.Next = append([]string{"Put back: " + places(run, back) + ".", "Not put back: " + places(run, left) + "."}, r.Next...)
	case r.Stopped:
		r.Summary = "Everything is put back, but the server does not run with it yet."
		r.Next = append(r.Next, "Restart the server.")
	case err != nil || !restarted:
		r.Summary = "Everything is put back, but the server does not run with it yet. What to do stands above."
	case len(run.Left) > 0:
		r.Summary = "What keysplit can put back is put back. What is left for you:"
	case earlier.Run != "":
		r.Summary = "The latest change is taken back."
	default:
		r.Summary = "Everything is as it was before the upgrade."
	}
	switch {
	case there && r.Stopped:
		r.Next = append(r.Next, "To go on: "+run.Command("rollback"))
	case there:
		r.Summary += " Why, and what to do, stands above."
	}
	if earlier.Run != "" && !there {
		r.Next = append(r.Next, "An earlier change is still in force, of "+day(earlier)+": "+places(run, earlier)+". To take that back as well: "+run.Command("rollback"))
	}
	return r
}

// without is what of a was taken back, when b is what is left of it.
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
		if !left[d.ID] && !onlyByHand(d) {
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
