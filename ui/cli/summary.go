package cli

import (
	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
)

// resultOf reads the end of a run off its engine.
func resultOf(e *steps.Engine, err error) result {
	r := result{Ending: e.Ending(err)}
	r.Misused = misused(err)
	return r
}

// summarise says in words how an upgrade ended and what comes next.
func (p *place) summarise(run *steps.Run, r result) result {
	r.Throwaway = p.throwaway
	if r.Summary = r.Ending.Summary(); r.Told() {
		r.Summary = r.Summary.Then(prose.Say("See above for what to do."))
	}
	for _, next := range r.Ending.Next() {
		r.Next = append(r.Next, run.Fit(next))
	}
	if p.throwaway {
		r.Next = append(r.Next, prose.Say("The demo and its project are gone."), prose.Say("Now try it on your project: `keysplit`"))
	}
	return r
}
