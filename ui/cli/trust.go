package cli

import (
	"context"
	"fmt"
	"slices"

	"dj/keysplit/steps"
	"dj/keysplit/steps/config"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/preflight"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/trust"
	"dj/keysplit/steps/write"
)

// agree makes sure that a person has agreed to where the configuration sends
// credentials and the key, before anything is sent or changed: once for each value,
// on the terminal, by the same value as a flag, or by --trust-config. Its error wraps
// steps.ErrUsage where nobody is there to be asked.
func (p *place) agree(ctx context.Context, stdio IO, run *steps.Run, conf config.Config, q request) error {
	if conf.Path == "" || q.reach == nowhere {
		return nil
	}
	root, top, err := preflight.Root(p.project)
	if err != nil {
		return err
	}
	all, err := valuesOf(ctx, run, &steps.Project{Root: root, TopLevel: top}, conf)
	if err != nil {
		return err
	}
	j, err := stdio.State.Read(root, p.env)
	if err != nil {
		j = nil // what is wrong with it is said when it is opened
	}
	open := slices.DeleteFunc(all, func(v trust.Value) bool {
		if q.uses(v, run.Options.ReadOnly) {
			return v.Agreed(j)
		}
		if v.Kind == trust.URL && !v.Agreed(j) && !q.trustConfig && !q.gave(v) {
			run.Options.Unasked = append(run.Options.Unasked, v.Text)
		}
		return true
	})
	if err := q.ask(ctx, stdio, run, q.unanswered(run, open)); err != nil {
		return err
	}
	if run.Options.ReadOnly || q.reach.only() && !q.trustConfig || len(open) == 0 {
		return nil
	}
	if err := run.Hold(ctx, root, p.env, q.speech.front(stdio).Event); err != nil {
		return err
	}
	if j, err = stdio.State.Open(root, p.env); err != nil {
		return fmt.Errorf("open the journal: %w", err)
	}
	return keepYes(j, open)
}

// uses reports whether the command goes where the value says: a plan neither sends
// anything nor restarts.
func (q request) uses(v trust.Value, readOnly bool) bool {
	asked := q.reach == asks && v.Kind == trust.URL
	return v.Kind == trust.Target || asked || q.reach == sends && !readOnly
}

// unanswered are the values to ask a person about. A command that goes on without them
// notes what it leaves out.
func (q request) unanswered(run *steps.Run, open []trust.Value) (asked []trust.Value) {
	for _, v := range open {
		switch {
		case q.trustConfig || q.gave(v):
		case q.reach.only():
			// Each environment is looked at by itself, and the others need not wait.
			if v.Leads == "" {
				run.Options.Untrusted = append(run.Options.Untrusted, v.Finding(run))
			}
		default:
			asked = append(asked, v)
		}
	}
	return asked
}

// valuesOf lists the values of the configuration that the run uses and that need a
// yes. What is learned of the places for that is not the run's, which only begins.
func valuesOf(ctx context.Context, run *steps.Run, p *steps.Project, conf config.Config) ([]trust.Value, error) {
	var specs []string
	for _, t := range run.Options.Targets {
		specs = append(specs, t.Spec())
	}
	targets, err := write.Targets(specs)
	if err != nil {
		return nil, err
	}
	look := &steps.Run{Options: run.Options, Prints: run.Prints, Environ: run.Environ, Targets: targets, Found: steps.Found{Project: p}}
	return trust.Of(ctx, look, conf, restart.Described(look)), nil
}

// keepYes records that a person has agreed to values.
func keepYes(j *journal.Journal, all []trust.Value) error {
	for _, v := range all {
		if err := v.Agree(j); err != nil {
			return err
		}
	}
	return nil
}

// gave reports whether the same value was given by its flag.
func (q request) gave(v trust.Value) bool {
	switch v.Kind {
	case trust.URL:
		return slices.Contains(q.urls, v.Text)
	case trust.Target:
		return slices.Contains(q.targets, v.Text)
	}
	return q.restart == v.Text
}

// ask asks about each value by itself; enter alone is a no.
func (q request) ask(ctx context.Context, stdio IO, run *steps.Run, all []trust.Value) error {
	if len(all) == 0 {
		return nil
	}
	if q.yes || q.speech.json || !stdio.InTTY {
		for _, v := range all {
			fmt.Fprintf(stdio.Err, "%s: %s\n    %s Nobody has agreed to that here. To agree: %s\n", v.Place(), v, v.Use(), v.Flag())
		}
		return steps.Usage("nobody has agreed to what the configuration says (see above). Pass each value as its flag, or agree to all with --trust-config. Nothing was changed or sent")
	}
	f := q.speech.plain(stdio)
	for _, v := range all {
		f.Note("")
		f.Note(v.Place() + " of this project says:")
		f.line("    %s", v)
		f.Note(v.Use())
		answer, err := f.Ask(ctx, "Do you agree? keysplit asks once for each value.", []choice{{key: 'n', text: "no, stop here"}, {key: 'y', text: "yes"}})
		if err != nil {
			return err
		}
		if answer != 'y' {
			f.Note("Nothing was changed or sent.")
			return said(steps.ErrCancelled)
		}
	}
	return nil
}
