package adopt

import (
	"context"
	"fmt"

	"dj/keysplit/steps"
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
