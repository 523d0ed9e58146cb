package adopt

import (
	"context"
	"errors"
	"fmt"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// graceLines name the module of a grace period, and read its two variables.
func (m manner) graceLines() []string {
	app := "[" + m.quoted(steps.GraceApp) + "]"
	if m.Tuple {
		app = "(" + m.quoted(steps.GraceApp) + ",)"
	}
	none := m.quoted("")
	return []string{
		steps.GraceKeyName + " = " + m.reading(m.grace[0], none),
		steps.GraceUntilName + " = " + m.reading(m.grace[1], none),
		"INSTALLED_APPS += " + app,
	}
}

// Grace makes the settings with the lines of a grace period in them: behind
// INSTALLED_APPS, a list or a tuple, of a module or of a class. The error is a
// *steps.Failure with the lines to paste where no edit is sure. Nothing is written, and
// nothing is tried: the settings need the module of the grace period beside manage.py.
func Grace(ctx context.Context, run *steps.Run) (*steps.Adopted, error) {
	p, err := look(ctx, run, "apps")
	if err != nil {
		return nil, err
	}
	if p.Unsure != "" {
		p.Tail = "apps"
		return nil, unsure(run, p)
	}
	made, err := write(run, p, p.Ways[0])
	if err != nil {
		return nil, fmt.Errorf("edit %s: %w", run.Project.Rel(p.File), err)
	}
	return made, nil
}

// GraceByHand is what a person adds to settings whose variables a package reads through an
// object, for which no lines fit; none for others.
func GraceByHand(ctx context.Context, run *steps.Run) []finding.Finding {
	var refused *steps.Failure
	p, err := look(ctx, run, "apps")
	if p.Tail = "apps"; err != nil || p.Reader == "" || !errors.As(unsure(run, p), &refused) {
		return nil
	}
	return refused.Findings
}
