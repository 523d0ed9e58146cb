package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/rollback"
	"dj/keysplit/ui"
)

// rollbackOptions are those of rollback.
type rollbackOptions struct {
	speech
	place
	server
	answers
	restart                    string
	emergency, force, noVerify bool
}

func newRollback(stdio IO) *cobra.Command {
	o := &rollbackOptions{}
	cmd := &cobra.Command{
		Use:   "rollback",
		Short: "Undo the latest run, byte for byte",
		Long: `Undo what the latest run changed: content, mode and owner of each file become as
they were, and so does each place that the key was delivered to. keysplit says
what that is, and asks. A file that someone else has edited since is left alone,
and keysplit says so; with --force it is restored too, and the edited version is
kept. Then the server is restarted in the same way as by the upgrade, and asked
which key it signs with. It exits with 0 when everything is restored and the
server was seen with the restored key, or there is nothing to see: no server is
found, or there was no key before and none is seen with the one that is undone.
It exits with 1 when a server runs with another key, is down or cannot be asked.
A rollback whose restart failed is finished by another one, with --restart where
that was missing. An earlier run's change stays in force; run it again to undo
that too.`,
		Args: noWords,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.emergency {
				return runEmergency(cmd.Context(), stdio, o)
			}
			if !o.yes && (o.json || !stdio.InTTY) {
				return steps.Usage("rollback asks before it changes anything, and nobody is there to answer: add --yes")
			}
			// The project's Django may not start just now: that may be the very
			// reason for going back.
			run, err := o.place.run(cmd.Context(), stdio, request{
				server: o.server, answers: o.answers, speech: &o.speech, command: "rollback", restart: o.restart, anywhere: true, given: slices.Concat(flagged("--restart", o.restart), flagged("--url", o.urls...)),
				options: steps.Options{Static: true, Force: o.force, NoVerify: o.noVerify},
			})
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
	o.speech.flags(f)
	o.place.flags(f)
	o.place.starting(f)
	o.server.flags(f)
	o.answers.flags(f)
	o.trusting(f)
	o.queueing(f)
	f.StringVar(&o.restart, "restart", "", "restart with `SPEC` (default: as the upgrade did)")
	f.BoolVar(&o.emergency, "emergency", false, "plan to revert the code; starts a 24-hour deadline")
	f.BoolVar(&o.noVerify, "no-verify", false, "ask no server which key is in force afterwards")
	f.BoolVar(&o.force, "force", false, "also restore files that were edited since")
	return cmd
}

func rollBack(ctx context.Context, e *steps.Engine, f front, o *rollbackOptions) error {
	back, err := rollback.Find(ctx, e, f.Event)
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
		wrong := misused(err)
		if !wrong || o.json { // a script waits for the last line
			f.Result(result{Ending: steps.Ending{Stopped: !wrong}, Summary: prose.Say("Nothing was undone.")})
		}
		if wrong {
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
	r := result{Ending: steps.Ending{OK: v.Err == nil, Stopped: v.Stopped(), Changed: v.Changed, Findings: e.Findings()}, Summary: v.Summary, Next: v.Next}
	if v.Told {
		r.Summary = r.Summary.Then(prose.Say("See above for what to do."))
	}
	return r
}

// blind ends a rollback that could not even find what there is to undo.
func blind(e *steps.Engine, f front, err error) error {
	r := resultOf(e, err)
	r.Summary, r.Next = prose.Say("Nothing was undone: keysplit could not inspect the project."), nil
	if r.Stopped {
		r.Summary, r.Next = prose.Say("Nothing was undone."), []prose.Text{prose.Labelled("To continue", "%s", prose.Command(e.Run.Command("rollback")))}
	}
	if misused(err) {
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
		f.Event(steps.Event{Step: steps.Preflight, Kind: steps.EventFailed, Text: prose.Of(e.Run.Show(err.Error()))})
	}
	f.Result(r)
	return said(err)
}

// agreed asks for a yes, or for the name of what is production.
func (o *answers) agreed(ctx context.Context, run *steps.Run, f front, p steps.Plan) error {
	if p.Confirm != "" {
		return o.confirmed(ctx, run, f, p, "undone")
	}
	if o.yes {
		return nil
	}
	answer, err := f.Ask(ctx, p.Question.Rendered(), []choice{{key: 'n', text: "no, change nothing"}, {key: 'y', text: "yes"}})
	if err == nil && answer != 'y' {
		err = steps.ErrCancelled
	}
	return err
}
