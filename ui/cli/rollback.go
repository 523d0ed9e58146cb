package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/restart"
)

func newRollback(stdio IO, o *options) *cobra.Command {
	var emergency bool
	cmd := &cobra.Command{
		Use:   "rollback",
		Short: "Put everything back to the byte",
		Long: `Take back what the latest upgrade changed: content, mode and owner of each file
become as they were. A file that someone else has edited since is left alone,
and keysplit says so; with --force it is put back too, and the edited version is
kept. Then the server is restarted in the same way as by the
upgrade.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if emergency {
				return runEmergency(cmd.Context(), stdio, o)
			}
			// The project's Django may not start just now: that may be the very
			// reason for going back.
			o.static = true
			o.yes = o.yes || !stdio.InTTY || o.json
			run, err := o.run(cmd.Context(), stdio)
			if err != nil {
				return err
			}
			defer run.Close()
			return rollback(cmd.Context(), newEngine(run), o.front(stdio))
		},
	}
	f := cmd.Flags()
	f.BoolVar(&emergency, "emergency", false, "show the plan for taking the change of the code back, and record its 24-hour deadline")
	f.BoolVar(&o.yes, "yes", false, "ask nothing")
	f.BoolVar(&o.force, "force", false, "put a file back although it was edited since; the edited version is kept")
	f.StringVar(&o.restart, "restart", "", "how to restart: "+restart.Ways()+" (default runserver)")
	o.addresses(f)
	return cmd
}

func rollback(ctx context.Context, e *steps.Engine, f front) error {
	find := func(ev steps.Event) {
		// The project is looked at only to find its journal: what is wrong with
		// it is another command's business.
		if ev.Kind == steps.EventFailed {
			f.Event(ev)
		}
	}
	_, err := e.Plan(ctx, steps.Preflight, find)
	if err == nil {
		err = e.Apply(ctx, steps.Preflight, find)
	}
	var failure *steps.Failure
	if err != nil && (!errors.As(err, &failure) || e.Run.Journal == nil) {
		return err
	}
	if j := e.Run.Journal; len(j.Applied()) == 0 && len(j.Deliveries()) == 0 {
		if err := j.Settle(); err != nil { // a key that was chosen and went nowhere
			return err
		}
		r := result{OK: true, Summary: "Nothing to take back: keysplit changed nothing here, or took it back already."}
		if j.Doubtful() {
			r.OK, r.Summary = false, "It cannot be told whether there is anything to take back."
			r.Next = []string{
				"A run was cut off, the file was edited since, or keysplit's notes were damaged.",
				"If .env is not as it was: its earlier versions are the files backup-* in " + j.Dir() + ".",
			}
		}
		f.Result(r)
		if !r.OK {
			return said(errors.New("it cannot be told whether all is as it was"))
		}
		return nil
	}
	err = e.TakeBack(ctx, f.Event)
	r := result{OK: err == nil, Stopped: errors.Is(err, steps.ErrCancelled), Changed: e.Run.Wrote, Findings: e.Findings()}
	switch {
	case r.OK:
		r.Summary = "Everything is as it was before the upgrade."
	case r.Changed:
		r.Summary = "The files are as they were, but the server was not restarted."
		r.Next = []string{"Stop it and start it again."}
	default:
		r.Summary = "Nothing was taken back. Why, and what to do, stands above."
	}
	f.Result(r)
	return said(err)
}
