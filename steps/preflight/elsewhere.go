package preflight

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/sys/shell"
)

// findFiles lets the targets find the file that they are about, where another one
// names it: only then is it known whether that is the .env of this machine.
func findFiles(ctx context.Context, run *steps.Run) error {
	for _, t := range run.Targets {
		named, ok := t.(interface {
			Find(context.Context, *steps.Run) error
		})
		if !ok {
			continue
		}
		if err := named.Find(ctx, run); err != nil {
			return err
		}
	}
	return nil
}

// lookElsewhere is the look at an environment that does not keep its key in the
// .env of this machine. That one is another environment's, so nothing of it is
// judged. The project's Django is asked for its routes and token settings only;
// where it will not start here, that is no fault of the environment.
func (s *Step) lookElsewhere(ctx context.Context, d *diagnosis, pythonErr error, emit steps.Emit) error {
	run, p := d.run, d.project
	if c := run.Options.Contained; c != nil {
		emit.Check("service", steps.MarkOK, "service "+secret.Inert(c.Service), "the backend runs in it, by "+p.Rel(c.File)+": its key and its restart are looked for there")
	}
	if len(run.Options.Untrusted) > 0 && !run.Options.Static {
		return steps.CannotLook("%w", steps.Fail(run.Options.Untrusted...))
	}
	if run.Options.Static && slices.ContainsFunc(run.Targets, func(t steps.Target) bool { return !t.Local() }) {
		for _, t := range run.Targets {
			emit.Check("place "+t.Spec(), steps.MarkSkipped, t.Spec(), "not looked at: only files are read")
		}
	} else if err := lookAtPlaces(ctx, run, emit); err != nil {
		return err
	}
	p.Findings = append(run.JudgePlaces(), inTheOpen(ctx, run)...)
	if f, found := notUpgraded(p, d.sources); found {
		p.Findings = append(p.Findings, f)
	}
	if d.signsNothing() || run.Options.Static {
		return ctx.Err()
	}
	real, err := s.askRoutes(ctx, d, pythonErr)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		why := "it will not start here"
		var failure *steps.Failure
		if c := run.Options.Contained; c != nil {
			why = d.notInService(ctx, c, err)
		} else if run.Lent() != nil && errors.As(err, &failure) {
			if p.Stopped.Faulty && restartsHere(run) {
				emit.Check("django", steps.MarkFailed, "Django", "will not start with the variables of "+run.InFiles())
				return err
			}
			f := failure.Findings[0].WithSeverity(finding.Warning) // nor may it where the file is the backend's
			p.Findings = append(p.Findings, f)
		}
		emit.Check("django", steps.MarkWarn, "Django", "not asked, since "+why+": the usual routes and token settings are assumed")
		return nil
	}
	f, detail := p.Facts, "routes and token settings read (its keys belong to this machine and are ignored)"
	if real {
		detail = f.Django + ", " + f.SettingsModule + ", with the variables of " + run.InFiles()
	}
	emit.Check("django", steps.MarkOK, "Django", detail)
	if !f.Tokens.Shared() {
		p.Findings = append(p.Findings, f.NotShared().At(p.Rel(f.SettingsFile), 0))
	}
	return nil
}

// restartsHere reports whether the run restarts a backend that this machine starts as a
// process of its own: with the code, and the file, that Django was asked with.
func restartsHere(run *steps.Run) bool {
	if run.Options.Restart == nil {
		return false // what lies elsewhere is not restarted unless it is named
	}
	name, _, _ := strings.Cut(run.Options.Restart.String(), ":")
	return name == steps.OwnCommand || name == "systemd" || name == "runserver"
}

// notInService says why Django was not asked in the service that it runs in. A start that
// failed is a warning: the key and its place are known all the same.
func (d *diagnosis) notInService(ctx context.Context, c *steps.Contained, err error) string {
	if !d.project.Inside() {
		return "it runs in the service " + secret.Inert(c.Service) + ", and Docker does not answer or the service's image is not built (" + string(c.Build) + ")"
	}
	if failure := (*steps.Failure)(nil); errors.As(err, &failure) {
		f := failure.Findings[0].WithSeverity(finding.Warning)
		if len(c.Python) > 0 {
			f = d.beforeIt(ctx, f, finding.Command("keysplit --python "+shell.Join(string(c.Starts))))
		}
		d.project.Findings = append(d.project.Findings, f)
	}
	return "it did not start in the service " + secret.Inert(c.Service)
}

// signsNothing says what the files alone tell of what signs tokens, where Django is not
// asked. It reports whether no shared key does: the places need none then.
func (d *diagnosis) signsNothing() bool {
	run, p := d.run, d.project
	if run.Options.Contained == nil && !run.Options.Static {
		return false
	}
	d.signing = readSigning(run, p, d.sources)
	source := d.signing.source()
	if source.SplitsNothing() {
		p.Source = source
		p.Findings = []finding.Finding{run.Untaken(source)}
		return true
	}
	d.judgeText()
	return false
}

// lookAtPlaces asks every target, and says which account, cluster or app that is.
func lookAtPlaces(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	for _, t := range run.Targets {
		emit.Check("place "+t.Spec(), steps.MarkRunning, t.Spec(), "")
	}
	if err := run.Home().Look(ctx); err != nil {
		return steps.CannotLook("%w", err)
	}
	for i, h := range run.Held {
		mark, detail := steps.MarkOK, "no key there"
		switch {
		case h.Unknown:
			mark, detail = steps.MarkSkipped, "keysplit cannot read it from here"
		case h.Key.Set():
			detail = fmt.Sprintf("a key of %d characters, fingerprint %s", h.Key.Len(), h.Key.Fingerprint())
		case h.There && !h.Changed.IsZero():
			detail = "a key that cannot be read back, set " + h.Changed.UTC().Format("2006-01-02 15:04 MST")
		case h.There:
			detail = "a key that cannot be read back"
		}
		emit.Check("place "+run.Targets[i].Spec(), mark, h.Where, detail)
	}
	return nil
}

// askRoutes takes the facts of the project's Django. Where that is given the very
// variables that the backend of this environment has, it is real: the run keeps it. Else
// it ends at once, since what it has for keys is another environment's.
func (s *Step) askRoutes(ctx context.Context, d *diagnosis, pythonErr error) (real bool, err error) {
	open := s.OpenDjango
	if open == nil {
		if pythonErr != nil {
			return false, pythonErr
		}
		open = openProbe
	}
	django, err := open(ctx, d.run, d.project)
	if err != nil {
		return false, err
	}
	f := django.Facts()
	d.project.Facts = f
	// SECRET_KEY of a .env that lies here is that of development.
	if lent := d.run.Lent(); lent == nil || !d.project.Inside() && (f.SecretKey.Source == "file" || !f.SecretKey.Set) {
		return false, django.Close()
	}
	d.run.Django = django
	d.run.OnClose(func() { _ = django.Close() })
	return true, nil
}
