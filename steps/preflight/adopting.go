package preflight

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"dj/keysplit/steps"
	"dj/keysplit/steps/adopt"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// The questions that are asked before settings get a key of their own.
const (
	adoptQuestion   = "This project signs with SECRET_KEY. Require a key of its own? Teammates and pipelines then need it too."
	literalQuestion = "The key of this project is in its code. Require one that is not? Teammates and pipelines then need it too."
)

// adopts are the packages whose settings keysplit edits.
var adopts = []string{"simplejwt", "ninja-jwt"}

// adopt says of settings that were not upgraded how they can be, and, once that is asked
// for, makes the edit, tries it, and looks at the project as it will be with it. The edit
// is part of the plan that the step Write makes.
func (s *Step) adopt(ctx context.Context, run *steps.Run, emit steps.Emit) error {
	p := run.Project
	at := slices.IndexFunc(p.Findings, isAdoptable)
	switch {
	case at < 0:
		return nil
	case run.Elsewhere() != "":
		p.Findings[at] = p.Findings[at].NotFixable().WithFix(finding.Do("Make the change in development, with %s, commit it and deploy it. Then run `keysplit` again.", finding.Command(run.CommandIn("upgrade", "--env", steps.DefaultEnvironment, "--adopt"))))
		return nil
	case run.Django != nil && p.Facts.Package == "":
		p.Findings[at] = p.Findings[at].NotFixable().WithFix(finding.Do("Let the settings read JWT_SECRET_KEY, and give it to what signs: SIMPLE_JWT = {\"SIGNING_KEY\": JWT_SECRET_KEY}. Then run `keysplit` again."))
		return nil
	case run.Django == nil || !p.Facts.Tokens.Shared() || !slices.Contains(adopts, p.Facts.Package):
		p.Findings[at] = p.Findings[at].NotFixable()
		return nil
	case !run.Answers.Adopt:
		var refused *steps.Failure
		if err := adopt.Refused(ctx, run); errors.As(err, &refused) {
			first := p.Findings[at].NotFixable().WithFix(refused.Findings[0].Fix)
			p.Findings = slices.Insert(slices.Delete(p.Findings, at, at+1), 0, first)
			return nil
		} else if err != nil {
			return err
		}
		// It comes first: what is said of the key counts only after it.
		first := offered(p.Findings[at])
		p.Findings = slices.Insert(slices.Delete(p.Findings, at, at+1), 0, first)
		for i, f := range p.Findings {
			if f.Code == finding.JWTKeyMissing && !f.Fixable {
				p.Findings[i] = f.WithFix(finding.Do("The same command makes one, where the settings will read it: `keysplit upgrade --adopt`."))
			}
		}
		return nil
	}
	made, err := adopt.Draft(ctx, run)
	if err != nil {
		p.Findings = slices.Delete(p.Findings, at, at+1)
		return err
	}
	seen := p.Findings[at]
	if err := run.Django.Close(); err != nil {
		return fmt.Errorf("end the earlier session: %w", err)
	}
	run.Django, run.Adopted = nil, made
	emit.Check("adopt", steps.MarkOK, "a key of its own", "the edit of "+p.Rel(made.File)+" was tried: it refuses to start without the key, and signs with a new one")
	if err := s.look(ctx, run, func(steps.Event) {}); err != nil {
		return err
	}
	seen.Message = prose.Say("The settings do not require a key of their own. The edit of %s changes that.", p.Rel(made.File))
	seen = seen.At(p.Rel(made.File), made.Line)
	run.Project.Findings = append([]finding.Finding{seen.Needed()}, slices.DeleteFunc(run.Project.Findings, isAdoptable)...)
	return nil
}

// with is the overlay with the edit of the settings that is not written yet.
func (o overlay) with(a *steps.Adopted) overlay {
	if a != nil {
		files := map[string][]byte{a.File: a.Is}
		maps.Copy(files, o.Files)
		o.Files = files
	}
	return o
}

func isAdoptable(f finding.Finding) bool { return steps.Adopts(f.Code) }

// offered is the finding of settings that keysplit can edit on request.
func offered(f finding.Finding) finding.Finding {
	const run = "Run: `keysplit upgrade --adopt`. It makes the change, shows it first, and proves it."
	if f.Code == finding.SigningKeyInCode {
		return f.WithFix(finding.Do(run+" Or by hand: %s", f.Fix)).Asking(literalQuestion)
	}
	return f.WithFix(finding.Do(run)).Asking(adoptQuestion)
}
