package restart

import (
	"context"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/vendor"
)

// apart cuts a --restart value that names several apps of platforms, as the targets of
// one upgrade may be: fly:shop-web,heroku:shop-worker. A name without a kind has that of
// the one before it. Any other value is the only part.
func apart(spec string) []string {
	var out []string
	before := ""
	for _, part := range strings.Split(spec, ",") {
		kind, _, named := strings.Cut(part, ":")
		if !named {
			kind, part = before, before+":"+part
		}
		if !slices.ContainsFunc(vendor.All, func(v vendor.Vendor) bool { return v.Name == kind && v.Mixed }) {
			return []string{spec}
		}
		before = kind
		out = append(out, part)
	}
	return out
}

// several restarts one after the other. All are planned before any is restarted.
type several []vendor.Manager

// Plan plans all of them.
func (all several) Plan(ctx context.Context, run *steps.Run) (steps.Plan, error) {
	var whole steps.Plan
	for i, m := range all {
		p, err := m.Plan(ctx, run)
		if err != nil {
			return p, err
		}
		if i == 0 {
			whole = p
			continue
		}
		whole.Summary = whole.Summary.Then(p.Summary)
		whole.Details = append(whole.Details, p.Details...)
		if whole.Question != p.Question {
			whole.Question = prose.Text{}
		}
	}
	return whole, nil
}

// Places are those of all.
func (all several) Places(ctx context.Context, run *steps.Run) []string {
	var out []string
	for _, m := range all {
		out = append(out, m.Places(ctx, run)...)
	}
	return out
}

// Each are they.
func (all several) Each() []vendor.Manager { return all }

// Restart restarts them in turn.
func (all several) Restart(ctx context.Context, run *steps.Run, pace vendor.Pace, emit steps.Emit) error {
	for _, m := range all {
		if err := m.Restart(ctx, run, pace, emit); err != nil {
			return err
		}
	}
	return nil
}
