package grace

import (
	"bytes"
	"context"
	"path/filepath"

	"dj/keysplit/steps"
	"dj/keysplit/steps/adopt"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// Code is what the backend's code needs for a grace period: the module beside manage.py,
// and three lines in the settings.
type Code struct {
	Module string   // its path, absolute
	Lines  []string // for the settings
	Lacks  bool     // the settings do not load the module, as far as their text tells

	write bool // the module is not there, or an earlier one
	g     Grace
}

// Look reads what the code has. A module that is not keysplit's is a *steps.Failure.
func Look(run *steps.Run) (Code, error) {
	c := Code{Module: filepath.Join(run.Project.Root, FileName), Lines: settingsLines(run)}
	var err error
	if c.g.module, err = openModule(run, c.Module); err != nil {
		return c, err
	}
	c.write = string(c.g.module.Data) != string(Module)
	c.Lacks = !Needed(run, c.Module)
	return c, nil
}

// Missing reports whether the module still has to be written.
func (c Code) Missing() bool { return c.write }

// Write writes the module where it is missing.
func (c Code) Write(ctx context.Context, run *steps.Run) error {
	if !c.write {
		return nil
	}
	if _, err := run.Journal.Publish(ctx, c.g.module, Module); err != nil {
		return explain(run, c.Module, err)
	}
	return nil
}

// Adopt writes the lines into the settings where they lack them, in development, and
// reports the file; "" where there is nothing to do. A run that may change nothing only
// looks. Settings that cannot be edited safely are a *steps.Failure with the lines to
// paste.
func (c Code) Adopt(ctx context.Context, run *steps.Run) (file string, err error) {
	if !c.Lacks {
		return "", nil
	}
	made, err := adopt.Grace(ctx, run)
	if err != nil {
		return "", err
	}
	at, err := run.OpenInTree(made.File)
	if err != nil {
		return "", explain(run, made.File, err)
	}
	if !bytes.Equal(at.Data, made.Was) {
		return "", steps.Fail(finding.New(finding.EnvFileChanged, "").At(run.Project.Rel(made.File), 0))
	}
	if run.Options.ReadOnly {
		return made.File, nil
	}
	if _, err := run.Journal.Publish(ctx, at, made.Is); err != nil {
		return "", explain(run, made.File, err)
	}
	return made.File, nil
}

// Ready is nil where the settings load the module, it is there, and the two variables
// reach the backend wherever the key does. In development the plan of edits writes what the
// code lacks, see Maker. Else nothing may be written: its *steps.Failure says what to
// commit first.
func Ready(ctx context.Context, run *steps.Run) error {
	c, err := Look(run)
	if err != nil {
		return err
	}
	switch {
	case !c.Lacks && !c.write:
		return mapped(ctx, run)
	case run.Elsewhere() != "":
		return steps.Fail(c.notLoaded(run))
	case c.Lacks: // the plan of edits adds the lines, where that is sure
		if _, err := adopt.Grace(ctx, run); err != nil {
			return err
		}
	}
	return mapped(ctx, run)
}

// notLoaded is the finding of code that loads no module of a grace period.
func (c Code) notLoaded(run *steps.Run) finding.Finding {
	f := finding.New(finding.GraceModuleNotLoaded, "")
	if !c.Lacks {
		f.Message = prose.Say("%s is missing, or is that of an earlier release.", run.Project.Rel(c.Module))
	}
	if file := run.Project.SettingsFile; file != "" {
		f = f.At(run.Project.Rel(file), 0)
	}
	if run.Elsewhere() != "" {
		f = f.NotFixable()
	}
	return f
}
