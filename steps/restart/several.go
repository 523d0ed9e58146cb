package restart

import (
	"context"
	"slices"
	"strings"

	"dj/keysplit/steps"
)

// platforms are the ways of services that restart by themselves when a secret of
// theirs changes. Several of them may be named at once, as the targets of one
// upgrade may: fly:shop-web,heroku:shop-worker.
var platforms = []string{"heroku", "fly", "railway"}

// apart cuts a --restart value that names several platforms; a name without a kind
// has that of the one before it. Of any other value it is the only part.
func apart(spec string) []string {
	var out []string
	before := ""
	for _, part := range strings.Split(spec, ",") {
		kind, _, named := strings.Cut(part, ":")
		if !named {
			kind, part = before, before+":"+part
		}
		if !slices.Contains(platforms, kind) {
			return []string{spec}
		}
		before = kind
		out = append(out, part)
	}
	return out
}

// several restarts one after the other. All are planned before any is restarted.
type several []manager

func (all several) plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	var whole steps.Plan
	for i, m := range all {
		p, err := m.plan(ctx, run)
		if err != nil {
			return p, err
		}
		if i == 0 {
			whole = p
			continue
		}
		whole.Summary += " " + p.Summary
		whole.Details = append(whole.Details, p.Details...)
		if whole.Question != p.Question {
			whole.Question = ""
		}
	}
	return whole, nil
}

func (all several) places(ctx context.Context, run *steps.Run) []string {
	var out []string
	for _, m := range all {
		out = append(out, m.places(ctx, run)...)
	}
	return out
}

func (all several) restart(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	for _, m := range all {
		if err := m.restart(ctx, run, emit); err != nil {
			return err
		}
	}
	return nil
}
