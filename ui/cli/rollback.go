package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/restart"
	"dj/keysplit/steps/rollback"
	"dj/keysplit/ui"
)

func newRollback(stdio IO, o *options) *cobra.Command {
	var emergency bool
	cmd := &cobra.Command{
		Use:   "rollback",
		Short: "Undo the latest run, byte for byte",
		Long: `Undo what the latest run changed: content, mode and owner of each file become as
they were, and so does each place that the key was delivered to. keysplit says
what that is, and asks. A file that someone else has edited since is left alone,
and keysplit says so; with --force it is restored too, and the edited version is
kept. Then the server is restarted in the same way as by the upgrade. An earlier
run's change stays in force; run it again to undo that too.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if emergency {
				return runEmergency(cmd.Context(), stdio, o)
			}
			if !o.yes && (o.json || !stdio.InTTY) {
				return fmt.Errorf("%w: rollback asks before it changes anything, and nobody is there to answer: add --yes", steps.ErrUsage)
			}
			// The project's Django may not start just now: that may be the very
			// reason for going back.
			o.static, o.any = true, true
			run, err := o.run(cmd.Context(), stdio)
			if err != nil {
				return err
			}
			defer run.Close()
			if !o.yes {
				run.HandOver = handOver
			}
			return rollBack(cmd.Context(), ui.NewEngine(run), o.front(stdio), o)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&emergency, "emergency", false, "show the plan for taking the change of the code back, and record its 24-hour deadline")
	f.BoolVar(&o.yes, "yes", false, "ask nothing")
	f.StringArrayVar(&o.confirm, "confirm", nil, "the name of what is production, for --yes there")
	f.BoolVar(&o.force, "force", false, "put a file back although it was edited since; the edited version is kept")
	f.StringVar(&o.restart, "restart", "", "how to restart: "+restart.Ways()+" (default: as the upgrade did)")
	o.addresses(f)
	o.trusting(f)
	return cmd
}

func rollBack(ctx context.Context, e *steps.Engine, f front, o *options) error {
	back, err := rollback.Find(ctx, e)
	if err != nil {
		return blind(e, f, err)
	}
	if v, nothing := back.Nothing(); nothing {
		f.Result(backResult(e, v))
		return said(v.Err)
	}
	plan := back.Plan(ctx)
	f.Plan(plan)
	if err := o.agreed(ctx, e.Run, f, plan); err != nil {
		misused := errors.Is(err, steps.ErrUsage)
		if !misused || o.json { // a script waits for the last line
			f.Result(result{Stopped: !misused, Summary: "Nothing was undone."})
		}
		if misused {
			return err
		}
		return said(err)
	}
	v := back.Run(ctx, f.Event)
	f.Result(backResult(e, v))
	return said(v.Err)
}

// backResult is the verdict of a rollback as the end of a run.
func backResult(e *steps.Engine, v rollback.Verdict) result {
	r := result{OK: v.Err == nil, Stopped: v.Stopped(), Changed: v.Changed, Findings: e.Findings(), Summary: v.Summary, Next: v.Next}
	if v.Told {
		r.Summary += " See above for what to do."
	}
	return r
}

// blind ends a rollback that could not even find what there is to undo.
func blind(e *steps.Engine, f front, err error) error {
	r := resultOf(e, err)
	r.Summary, r.Next = "Nothing was undone: keysplit could not inspect the project.", nil
	if errors.Is(err, steps.ErrUsage) {
		if _, lines := f.(*jsonFront); lines {
			f.Result(r) // a script waits for the last line
		}
		return err
	}
	told := false
	for _, ev := range e.Log {
		if ev.Finding != nil && ev.Finding.Severity == finding.Error || ev.Kind == steps.EventFailed {
			f.Event(ev)
			told = true
		}
	}
	if !told {
		f.Event(steps.Event{Step: steps.Preflight, Kind: steps.EventFailed, Text: e.Run.Redactor.Clean(err.Error())})
	}
	f.Result(r)
	return said(err)
}

// agreed asks for a yes, or for the name of what is production.
func (o *options) agreed(ctx context.Context, run *steps.Run, f front, p steps.Plan) error {
	if p.Confirm != "" {
		return o.confirmed(ctx, run, f, p, "undone")
	}
	if o.yes {
		return nil
	}
	answer, err := f.Ask(ctx, p.Question, []choice{{'y', "yes"}, {'n', "no, change nothing"}})
	if err == nil && answer != 'y' {
		err = steps.ErrCancelled
	}
	return err
}
