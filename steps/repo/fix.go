package repo

import (
	"context"
	"errors"
	"fmt"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// Fix makes the edits that are proposed for findings and returns the findings that are
// left; made sees each edit that was made. One that cannot be made does not keep it
// from the others: the *steps.Failure at the end holds what is to be said about those.
func Fix(ctx context.Context, run *steps.Run, found []finding.Finding, made func(Proposal)) (left []finding.Finding, err error) {
	var refused []finding.Finding
	for _, one := range found {
		p, ok := Propose(run, one)
		switch {
		case p.Refused:
			refused = append(refused, p.Finding)
			continue
		case !ok:
			left = append(left, one)
			continue
		}
		err := p.Apply(ctx, run)
		var failure *steps.Failure
		switch {
		case errors.As(err, &failure):
			refused = append(refused, failure.Findings...)
			continue
		case err != nil:
			return left, fmt.Errorf("edit %s: %w", run.Project.Rel(p.Path), err)
		}
		made(p)
		if p.Left > 0 {
			one.Line, one.Fixable = p.Left, false
			left = append(left, one)
		}
	}
	if len(refused) > 0 {
		return left, steps.Fail(refused...)
	}
	return left, nil
}
