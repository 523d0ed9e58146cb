package restart

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/process"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/vendor"
)

// Also reads the values of --also: workers that serve no HTTP, such as Celery's. Its error
// wraps steps.ErrUsage.
func Also(specs []string) (all []steps.Way, err error) {
	for i, spec := range specs {
		w, err := parse(spec)
		if err != nil {
			return nil, steps.Usage("--also %s is not known; valid are %s", secret.Quote(spec), strings.Join(seers(), ", "))
		}
		if _, ok := w.manager.(vendor.Seer); !ok {
			return nil, steps.Usage("--also %s: keysplit cannot tell which key it runs with; valid are %s", secret.Quote(spec), strings.Join(seers(), ", "))
		}
		if slices.Contains(specs[:i], spec) {
			return nil, steps.Usage("--also %s is given twice", secret.Quote(spec))
		}
		all = append(all, w)
	}
	return all, nil
}

// seers are the forms of --also.
func seers() (out []string) {
	for _, v := range vendor.All {
		if v.Restart.Parse == nil || v.Mixed {
			continue
		}
		out = append(out, v.Name+":"+v.Restart.Usage)
	}
	return out
}

// workers are those that this run restarts after the backend, in the order given.
func workers(run *steps.Run) (all []Way) {
	for _, w := range run.Options.Also {
		if own, ok := w.(Way); ok {
			all = append(all, own)
		}
	}
	return all
}

// planWorkers adds the workers to the plan of the restart.
func planWorkers(ctx context.Context, run *steps.Run, p *steps.Plan) error {
	for _, w := range workers(run) {
		theirs, err := w.manager.Plan(ctx, run)
		if err != nil {
			return err
		}
		p.Details = append(p.Details, prose.Labelled("Then "+w.spec, "%s", theirs.Summary))
		if p.Nothing || p.Question.Empty() {
			p.Summary, p.Nothing, p.Question = theirs.Summary, false, prose.Say("Restart now?")
		}
	}
	return nil
}

// restartWorkers restarts the workers, and looks at what each was given. It stops at the
// first that does not come up, or that has another key.
func (s *Step) restartWorkers(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	for _, w := range workers(run) {
		for _, one := range parts(w.manager) {
			if err := one.Restart(ctx, run, s.Pace, emit); err != nil {
				return err
			}
			seen, err := one.(vendor.Seer).Seen(ctx, run)
			if err != nil {
				return err
			}
			if err := saw(emit, w.spec, seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// saw tells what was seen of workers. It proves nothing: they answer no request.
func saw(emit steps.Emit, spec string, seen []vendor.Sighting) error {
	if len(seen) == 0 {
		emit.Check("also "+spec, steps.MarkWarn, "not seen: "+spec, "nothing of it runs")
	}
	for _, one := range seen {
		id := "also " + spec + " " + one.Name
		switch one.Keys {
		case vendor.GivenRight:
			emit.Check(id, steps.MarkOK, "seen: "+one.Name, "started after the write, and was given the key")
		case vendor.GivenUnseen:
			emit.Check(id, steps.MarkWarn, "seen: "+one.Name, "started after the write; which key it has is not seen")
		default:
			emit.Check(id, steps.MarkFailed, "seen: "+one.Name, "was given another key")
			return steps.Fail(finding.New(finding.ServerStaleKey, one.Name+" started after the write, and was given another key than the one that was written.").At(spec, 0).NotFixable().
				WithFix(finding.Do("Look at where it gets its variables from, and have the key written there as well.")))
		}
	}
	return nil
}

// stale tells of the workers of the project that run on this machine and are older than
// the write: they go on with the old key, and answer no request that would show it. So may
// what listens and does not show whose it is.
func (s *Step) stale(ctx context.Context, run *steps.Run, emit steps.Emit) {
	if !run.Wrote || !run.Home().Here() {
		return
	}
	look := s.Workers
	if look == nil {
		if s.Find != nil {
			return // the demo has none
		}
		look = func(ctx context.Context, root string) ([]steps.Server, error) {
			sight, err := process.Look(ctx, root)
			return sight.Workers, err
		}
	}
	all, err := look(ctx, run.Project.Root)
	if err != nil {
		return // who cannot be seen is not claimed to be fresh
	}
	older := func(w steps.Server) bool { return w.Since().Before(run.WroteAt.Add(-sameStart)) }
	for _, w := range s.vague {
		if older(w) {
			emit.Find(finding.New(finding.ServerStaleKey, fmt.Sprintf("A process of this project (process %d: %s) was started before the key was written. It listens at %s, and its answers do not show whether it is the backend.", w.PID, run.Redactor.Show(secret.Said(w.Command)), secret.Inert(w.URL))).
				WithSeverity(finding.Warning).NotFixable().
				WithFix(finding.Do("Restart it if it uses the key.")))
		}
	}
	for _, w := range all {
		if !older(w) {
			continue
		}
		f := finding.New(finding.ServerStaleKey, fmt.Sprintf("A worker of this backend (process %d: %s) was started before the key was written, and goes on with the old one.", w.PID, run.Redactor.Show(secret.Said(w.Command)))).
			WithSeverity(finding.Warning).NotFixable().
			WithFix(finding.Do("Restart it. To have keysplit do that in a rotation, name what runs it: `keysplit upgrade --rotate --also systemd:UNIT`."))
		emit.Find(f)
	}
}

// older looks at the containers and pods that read the key's places, where they were
// restarted by other means than their own manager. A command may end before they are
// replaced, so they are waited for. Where nothing was restarted, those that go on with an
// earlier key are told of.
func (s *Step) older(ctx context.Context, run *steps.Run, emit steps.Emit, w Way) error {
	if w.manager != nil && slices.ContainsFunc(parts(w.manager), vendor.LooksBack) {
		return nil
	}
	restarted := w.spec != nothing.spec
	limit := time.Duration(0)
	if restarted {
		limit = run.Options.Wait()
	}
	var seen []steps.Event
	var stale error
	_, err := s.Until(ctx, limit, func() (bool, error) {
		seen = nil
		stale = vendor.Older(ctx, run, func(e steps.Event) {
			if e.Mark == steps.MarkFailed && !restarted {
				e.Mark = steps.MarkWarn
			}
			seen = append(seen, e)
		})
		return stale == nil, ctx.Err()
	})
	if err != nil {
		return err
	}
	for _, e := range seen {
		emit(e)
	}
	if stale != nil && !restarted {
		return soften(stale, emit)
	}
	return stale
}

// backWorkers are the workers that a rollback restarts: those that are named, else those
// of the upgrade.
func backWorkers(run *steps.Run) []Way {
	if len(run.Options.Also) > 0 || run.Journal == nil {
		return workers(run)
	}
	var all []Way
	for _, spec := range run.Journal.AlsoRestarted() {
		if w, err := parse(spec); err == nil {
			all = append(all, w)
		}
	}
	return all
}
