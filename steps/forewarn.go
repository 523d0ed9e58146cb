package steps

import (
	"cmp"
	"context"

	"dj/keysplit/envfile"
)

// Forewarner is a step after the write that can tell beforehand what it cannot do, whatever
// is written: a program that is missing, an address that leads nowhere. It changes nothing.
type Forewarner interface {
	Forewarn(ctx context.Context, run *Run) error
}

// forewarn refuses a plan of the write that could not be carried out, or after which the
// backend could be neither restarted nor asked. It comes before the first write, and in a
// run that only plans.
func (e *Engine) forewarn(ctx context.Context, n Name, p Plan) error {
	run := e.Run
	if n != Write || run.Wrote {
		return nil
	}
	if run.Project != nil && (run.Journal != nil || run.Options.ReadOnly) { // else it can write no file
		if err := run.mayKeep(); err != nil {
			return err
		}
		if err := run.mayEdit(p.Edits); err != nil {
			return err
		}
	}
	for _, later := range []Name{Restart, SmokeTest} {
		f, ok := e.steps[later].(Forewarner)
		if !ok || run.Options.Skip[later] {
			continue
		}
		if err := f.Forewarn(ctx, run); err != nil {
			return err
		}
	}
	return nil
}

// mayKeep reports why the state folder cannot take what a run notes in it. A run that
// changes something has opened it by now.
func (r *Run) mayKeep() error {
	if r.Options.ReadOnly {
		return r.Refused(string(r.Options.State), r.Options.State.Usable(r.Project.Root, cmp.Or(r.Options.Environment, DefaultEnvironment)))
	}
	return r.Refused(string(r.Options.State), r.Options.State.Room(1))
}

// mayEdit reports why the files of a plan cannot be written, or backed up.
func (r *Run) mayEdit(edits []Edit) error {
	for _, edit := range edits {
		if !edit.On {
			continue
		}
		at, err := envfile.Open(edit.File)
		if err == nil {
			err = at.Writable()
		}
		if err == nil {
			err = at.Fits(len(edit.Is))
		}
		if err != nil {
			return r.Refused(edit.File, err)
		}
		if err := r.Options.State.Room(len(at.Data)); err != nil {
			return r.Refused(string(r.Options.State), err)
		}
	}
	return nil
}
