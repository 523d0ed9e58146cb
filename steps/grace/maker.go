package grace

import (
	"bytes"
	"context"

	"dj/keysplit/steps"
	"dj/keysplit/steps/adopt"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// Maker offers what the backend's code needs for a grace period, in development, where it
// goes with the write of a rotation. Elsewhere code comes by a commit: see Ready.
var Maker = steps.Maker{Codes: []finding.Code{finding.GraceModuleNotLoaded}, Make: offer}

// Lacks is what the plan of a rotation's first stage has to add to the code; none where
// nothing is missing, and elsewhere.
func Lacks(run *steps.Run) ([]finding.Finding, error) {
	if run.Stage != steps.Accepting || run.Elsewhere() != "" {
		return nil, nil
	}
	c, err := Look(run)
	if err != nil || !c.Lacks && !c.write {
		return nil, err
	}
	return []finding.Finding{c.notLoaded(run)}, nil
}

// offer offers the module, and the lines of the settings with which they load it. The
// settings do not load without the module, so that they are written last.
func offer(ctx context.Context, run *steps.Run, found []finding.Finding, d *steps.Draft) error {
	if run.Elsewhere() != "" {
		return nil
	}
	c, err := Look(run)
	if err != nil {
		return err
	}
	id := string(finding.GraceModuleNotLoaded) + " "
	if c.write {
		e := steps.Edit{ID: id + FileName, File: c.Module, Is: Module, Needed: true, Why: prose.Say("The module that accepts a second key until its deadline.")}
		e.Diff = []steps.DiffLine{{Op: "+", Text: steps.Extent(c.g.module.Data, Module, 0)}}
		if _, err := d.Offer(e); err != nil {
			return err
		}
	}
	if !c.Lacks {
		return nil
	}
	made, err := adopt.Grace(ctx, run)
	if err != nil {
		return err
	}
	rel := run.Project.Rel(made.File)
	if now, err := d.Read(made.File); err != nil || !bytes.Equal(now, made.Was) {
		return steps.Fail(finding.New(finding.EnvFileChanged, rel+" was changed after keysplit looked at it.").At(rel, 0))
	}
	_, err = d.Offer(steps.Edit{
		ID: id + rel, File: made.File, Is: made.Is, Refuses: true, Needed: true, Closes: found,
		Why:  prose.Say("The settings load the module of the grace period, and read its two variables."),
		Diff: steps.DiffOf(made.Was, made.Is, func(line string) (text, note string) { return adopt.Shown(run)(line), "" }),
	})
	return err
}
