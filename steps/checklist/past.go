package checklist

import (
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
)

// proof is one piece of recorded evidence, and whether it still counts.
type proof struct {
	steps.Evidence
	step steps.Name
	time time.Time
	gone string // why it counts no more, "" when it does
}

// past is what the journal knows.
type past struct {
	proofs  map[steps.Name]*proof // the latest of each step
	said    map[int]*proof        // the latest word of a person on each item
	skipped map[steps.Name]bool   // steps that were left out last time
}

// stepOf is the step whose failure puts a person's word on an item in doubt.
var stepOf = map[int]steps.Name{4: steps.Restart, 5: steps.SmokeTest, 6: steps.SmokeTest}

// recall reads the journal from the oldest entry to the newest, and then holds
// what is left against the files as they are now.
func recall(run *steps.Run, key steps.Secret) past {
	p := past{proofs: map[steps.Name]*proof{}, said: map[int]*proof{}, skipped: map[steps.Name]bool{}}
	if run.Journal == nil {
		return p
	}
	for _, e := range run.Journal.Entries() {
		p.take(e)
	}
	for _, pr := range p.all() {
		if pr.gone != "" {
			continue
		}
		for _, f := range pr.Files {
			if steps.SumFile(run.Prints, f.Path) != f {
				pr.gone = run.Project.Rel(f.Path) + " changed after " + stamp(pr.time)
				break
			}
		}
		if pr.Key != "" && pr.gone == "" && pr.Key != key.Fingerprint() {
			pr.gone = "the key was replaced after " + stamp(pr.time)
		}
	}
	return p
}

func (p *past) all() []*proof {
	var out []*proof
	for _, pr := range p.proofs {
		out = append(out, pr)
	}
	for _, pr := range p.said {
		out = append(out, pr)
	}
	return out
}

func (p *past) take(e steps.Entry) {
	switch e.Kind {
	case "evidence":
		pr := &proof{Evidence: *e.Evidence, step: e.Step, time: e.Time}
		if e.Evidence.Item > 0 {
			pr.step = stepOf[e.Evidence.Item]
			p.said[e.Evidence.Item] = pr
		} else {
			p.proofs[e.Step] = pr
		}
	case "reverted":
		p.void(steps.Write, true, "the upgrade was taken back at "+stamp(e.Time))
	case "status":
		p.skipped[e.Step] = e.Status == steps.Skipped
		switch {
		case e.Status == steps.Failed:
			p.void(e.Step, true, string(e.Step)+" failed at "+stamp(e.Time))
		case e.Status == steps.Undone:
			p.void(e.Step, true, string(e.Step)+" was taken back at "+stamp(e.Time))
		case e.Step == steps.Restart && e.Status == steps.Running:
			// What the smoke test saw was the server before.
			p.void(steps.SmokeTest, false, "the server was restarted again at "+stamp(e.Time))
		}
	}
}

// void marks what was shown by a step or a later one, and with words what
// people said about them.
func (p *past) void(from steps.Name, words bool, why string) {
	at := slices.Index(steps.Order(), from)
	for _, pr := range p.all() {
		if pr.step == "" || slices.Index(steps.Order(), pr.step) < at || pr.Item > 0 && !words {
			continue
		}
		pr.gone = why
	}
}

// line is a check line of a proof that still counts, and when it was seen.
func (p past) line(step steps.Name, id string) (steps.CheckLine, bool) {
	pr := p.proofs[step]
	if pr == nil || pr.gone != "" {
		return steps.CheckLine{}, false
	}
	i := slices.IndexFunc(pr.Checks, func(c steps.CheckLine) bool { return c.ID == id })
	if i < 0 {
		return steps.CheckLine{}, false
	}
	return pr.Checks[i], true
}

// ok tells whether a line passed.
func (p past) ok(step steps.Name, id string) bool {
	l, found := p.line(step, id)
	return found && l.Mark == steps.MarkOK
}

// evidence turns those of the lines that passed into evidence.
func (p past) evidence(step steps.Name, ids ...string) []Evidence {
	var out []Evidence
	for _, id := range ids {
		if l, found := p.line(step, id); found && l.Mark == steps.MarkOK {
			text := l.Text
			if l.Detail != "" {
				text += ": " + l.Detail
			}
			out = append(out, Evidence{Text: text, Check: string(step) + " " + id, Time: p.proofs[step].time})
		}
	}
	return out
}

// evidenceOf is the evidence of the lines whose ID begins with a prefix.
func (p past) evidenceOf(step steps.Name, prefix string) []Evidence {
	pr := p.proofs[step]
	if pr == nil || pr.gone != "" {
		return nil
	}
	var ids []string
	for _, c := range pr.Checks {
		if strings.HasPrefix(c.ID, prefix) {
			ids = append(ids, c.ID)
		}
	}
	return p.evidence(step, ids...)
}

// missing says why there is no proof of a step.
func (p past) missing(step steps.Name) string {
	switch pr := p.proofs[step]; {
	case pr != nil && pr.gone != "":
		return pr.gone
	case p.skipped[step]:
		return "the step " + string(step) + " was left out"
	}
	return "the step " + string(step) + " has not passed yet"
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
