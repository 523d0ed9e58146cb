// Package inspect decides what keysplit check says of an environment: what the look at
// the project found, what the committed files lack, what time has done to the key and
// to a grace period, which environments share a key, and the one sentence at the end.
// It prints nothing; with the fix that was asked for it edits committed files, and
// nothing else is changed.
package inspect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
	"dj/keysplit/steps/edits"
	"dj/keysplit/steps/emergency"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/repo"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/trust"
)

// Environment is one environment that was looked at.
type Environment struct {
	Run      *steps.Run
	Findings []finding.Finding
	Err      error // why it could not be looked at, or a finding that ended the look
	Ready    bool  // no error was found

	emit  steps.Emit
	print string // of its key under a key of this process alone, "" when it is not known
}

// Look runs the preflight of the engine. What is wrong is part of the result; err is
// what kept the look from being one: wrong usage, or the user's wish to stop. prints is
// the same for all environments that are to be compared. emit sees every finding.
func Look(ctx context.Context, e *steps.Engine, prints secret.Fingerprinter, emit steps.Emit) (*Environment, error) {
	_, err := e.Plan(ctx, steps.Preflight, emit)
	if err == nil {
		err = e.Apply(ctx, steps.Preflight, emit)
	}
	var misplaced *journal.PlaceError
	if errors.Is(err, steps.ErrCancelled) || errors.Is(err, steps.ErrUsage) || errors.As(err, &misplaced) {
		return nil, err
	}
	v := &Environment{Run: e.Run, Findings: e.Findings(), Err: err, emit: emit}
	v.Ready = err == nil && len(finding.Errors(v.Findings)) == 0
	if keys, err := v.keys(); err == nil && keys.Key.Secret.Len() > 0 && !slices.Contains(steps.JudgeKey(keys.Key.Secret), finding.JWTKeyPlaceholder) {
		v.print = prints.Of(keys.Key.Secret)
	}
	return v, nil
}

// keys are those of the environment, none when they could not be read.
func (v *Environment) keys() (steps.Keys, error) {
	if v.Run.Project == nil {
		return steps.Keys{}, steps.ErrCannotLook
	}
	return v.Run.Home().Keys()
}

// add tells more findings of the environment.
func (v *Environment) add(more ...finding.Finding) {
	for i, found := range more {
		found = v.Run.ShowFinding(found)
		more[i] = found
		if v.emit != nil {
			v.emit(steps.Event{Kind: steps.EventFinding, Text: found.Message, Finding: &found})
		}
	}
	v.Findings = append(v.Findings, more...)
	v.Ready = v.Ready && len(finding.Errors(more)) == 0
}

// Committed adds what the committed files lack. They are the same for all environments, so
// they are looked at once. With fix the plan of edits is made, but for the key, and fix
// makes what is on; it reports whether it did.
func (v *Environment) Committed(ctx context.Context, fix func([]steps.Edit) (bool, error)) error {
	report, err := checklist.Look(ctx, v.Run, time.Now())
	if err != nil {
		return err
	}
	more := report.Findings
	d, err := edits.Draw(ctx, v.Run, slices.Concat(v.Findings, more))
	if err != nil {
		return err
	}
	if fix == nil {
		for i, found := range more {
			if closes(d.Edits, found) {
				more[i] = found.OnRequest().WithFix(found.Fix.Then(finding.Do("`keysplit check --fix` does it.")))
			}
		}
		v.add(more...)
		return nil
	}
	on, err := v.permitted(ctx, d.On())
	if err != nil {
		return err
	}
	made, err := fix(on)
	var failure *steps.Failure
	switch {
	case errors.As(err, &failure):
		more = append(more, failure.Findings...)
	case err != nil:
		return err
	case made:
		v.Findings = slices.DeleteFunc(v.Findings, func(f finding.Finding) bool { return closes(on, f) })
		if report, err = checklist.Look(ctx, v.Run, time.Now()); err != nil {
			return err
		}
		more = report.Findings
	}
	// What is left of the first look was told before, but for why a file was not edited.
	var refused []finding.Finding
	v.Findings = slices.DeleteFunc(v.Findings, func(f finding.Finding) bool {
		said, is := repo.Refused(v.Run, f)
		if is {
			refused = append(refused, said)
		}
		return is
	})
	for i, f := range more {
		more[i], _ = repo.Refused(v.Run, f)
	}
	v.Ready = v.Err == nil && len(finding.Errors(v.Findings)) == 0
	v.add(append(refused, more...)...)
	return nil
}

// closes reports whether one of the edits fixes a finding.
func closes(all []steps.Edit, f finding.Finding) bool {
	return slices.ContainsFunc(all, func(e steps.Edit) bool { return slices.Contains(e.Closes, f) })
}

// permitted leaves out the edits of a .env that git tracks: it gets no secret.
func (v *Environment) permitted(ctx context.Context, on []steps.Edit) ([]steps.Edit, error) {
	if !slices.ContainsFunc(on, func(e steps.Edit) bool { return e.Secret }) {
		return on, nil
	}
	f, tracked, _ := trust.Tracked(ctx, v.Run, v.Run.Project.EnvFile.Path, true)
	if tracked && f.Severity == finding.Error {
		on = slices.DeleteFunc(on, func(e steps.Edit) bool { return e.Secret })
	}
	return on, ctx.Err()
}

// Remind adds what the journal knows about time: the age of the key, a grace period
// that is over, an emergency rollback whose fallback is still in force.
func (v *Environment) Remind(now time.Time) error {
	run := v.Run
	if run.Project == nil {
		return nil
	}
	j := run.Journal
	if j == nil {
		var err error
		if j, err = run.Options.State.Read(run.Project.Root, run.Options.Environment); err != nil {
			return err
		}
	}
	var out []finding.Finding
	if f, over := run.GraceOver(now); over {
		out = append(out, f)
	}
	// Where a key cannot be read back, the place itself tells when it was set.
	for i, h := range run.Held {
		if age := now.Sub(h.Changed); !h.Readable && h.There && !h.Changed.IsZero() && age > journal.MaxKeyAge {
			out = append(out, finding.New(finding.JWTKeyOld, fmt.Sprintf("JWT_SECRET_KEY in %s is %.0f days old.", h.Where, age.Hours()/24)).At(run.Targets[i].Spec(), 0).
				WithFix(finding.Do("Run: %s, in a quiet hour.", finding.Command(run.Command("upgrade", "--rotate")))))
		}
	}
	if j == nil {
		v.add(out...)
		return nil
	}
	if keys, err := v.keys(); err == nil {
		if since, known := j.KeySince(keys.Key.Secret); known && now.Sub(since) > journal.MaxKeyAge {
			out = append(out, finding.New(finding.JWTKeyOld, fmt.Sprintf("JWT_SECRET_KEY is %.0f days old.", now.Sub(since).Hours()/24)).
				WithFix(finding.Do("Run: %s, then %s, in a quiet hour.", finding.Command(run.Command("upgrade", "--rotate")), finding.Command(run.Command("grace")))))
		}
	}
	if f, ok := emergency.Remind(j, v.Findings, v.Ready, now); ok {
		out = append(out, f)
	}
	v.add(out...)
	return nil
}

// Compare adds a finding for each other one of all that has the same key. It reads alike
// whichever of the two it is of.
func (v *Environment) Compare(all []*Environment) {
	replace := func(name string) finding.Command {
		return finding.Command(v.Run.CommandIn("upgrade", "--rotate", "--env", name))
	}
	for _, other := range all {
		if v != other && v.print != "" && v.print == other.print {
			one, two := other.Run.Options.Environment, v.Run.Options.Environment
			if two < one {
				one, two = two, one
			}
			v.add(finding.New(finding.JWTKeyReusedAcrossEnvironments, fmt.Sprintf("%s and %s use the same JWT_SECRET_KEY.", one, two)).
				WithFix(finding.Do("Replace it in the one whose users can best log in again: %s, or %s.", replace(one), replace(two))))
		}
	}
}

// Strict makes errors of warnings, where what is committed is judged: a pipeline is
// to stop at them, and every format has to say so.
func (v *Environment) Strict() {
	for i := range v.Findings {
		if v.Run.Options.Committed && v.Findings[i].Severity == finding.Warning {
			v.Findings[i].Severity, v.Ready = finding.Error, false
		}
	}
}

// Failure is the error that the look comes to: why it could not be made, or the
// findings of one that is not ready; nil for a good end.
func (v *Environment) Failure() error {
	if v.Err == nil && !v.Ready {
		return steps.Fail(v.Findings...)
	}
	return v.Err
}

// Verdict says in one sentence how an environment stands. What could not be read is not
// claimed. next is the command that comes next, "" for none; more reports that the
// findings say what to do.
func (v *Environment) Verdict() (text, next string, more bool) {
	text, more = v.verdict()
	if v.Err == nil && slices.ContainsFunc(v.Findings, func(f finding.Finding) bool { return f.Severity == finding.Error && f.FixedBySteps() }) {
		next, more = v.Run.Command("upgrade"), false
	}
	return v.Run.Names().Fill(text), next, more
}

func (v *Environment) verdict() (text string, more bool) {
	keys, _ := v.keys()
	switch {
	case errors.Is(v.Err, steps.ErrCannotLook):
		return "keysplit could not inspect the project.", true
	case v.Ready && v.Run.Options.Committed:
		if n := v.warnings(); n > 0 {
			return "Not in order: " + steps.Plural(n, "warning") + ".", true
		}
		return "What is committed is in order. No .env was looked for.", false
	case v.Ready && v.splitsNothing():
		return "Nothing to do: no shared key signs tokens here, as far as keysplit can tell.", false
	case v.Ready && v.Run.Options.Static && !v.Run.Home().Here() && !keys.Key.Secret.Set():
		return "Nothing is known to be wrong in the files. What the places hold was not looked at: " + v.Run.Command("check"), false
	case v.Ready && !v.Run.Home().Here() && !keys.Key.Secret.Set():
		return "No problem was found, but the key cannot be read back. To prove it on the server: " + v.Run.Command("upgrade", "--rotate"), false
	case v.Ready && !v.Run.Home().Compares(keys):
		return "Ready: JWT_SECRET_KEY is set and long enough. SECRET_KEY is not in the same place, so the two were not compared.", false
	case v.Ready:
		return "Ready: JWT_SECRET_KEY is set, long enough and different from SECRET_KEY.", false
	}
	found := slices.Clone(v.Findings)
	if v.Err != nil { // an upgrade ends in the same way
		for i := range found {
			found[i] = found[i].NotFixable()
		}
	}
	return finding.Standing(found, v.Run.Project == nil || v.Run.Project.Starts()), true
}

// splitsNothing reports whether a key pair signs the tokens, or nothing makes any.
func (v *Environment) splitsNothing() bool {
	p := v.Run.Project
	return p != nil && p.SplitsNothing() && (v.Run.Home().Here() || p.Source.SplitsNothing())
}

func (v *Environment) warnings() (n int) {
	for _, f := range v.Findings {
		if f.Severity == finding.Warning {
			n++
		}
	}
	return n
}
