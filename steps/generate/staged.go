package generate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/secret"
)

// staged is the choice of a rotation that logs nobody out, or of the end of its grace
// period: which of its stages comes next, and with which keys.
func (s *Step) staged(run *steps.Run, c choice) (choice, error) {
	refuse := func(message string, fix finding.Fix) error {
		return steps.Fail(finding.New(finding.GraceNotAdvised, message).WithFix(fix))
	}
	if run.Answers.EndGrace {
		c.action = "end"
		return c, unended(run)
	}
	switch {
	case run.Home().Sealed():
		return c, refuse("The current key cannot be read back, so no grace period can be made for it.",
			finding.Do("Let people log in again: keysplit cannot have a key accepted that it never saw. Make a new one at once: `keysplit upgrade --rotate`"))
	case !c.previous.Set():
		return c, refuse("There is no key yet that anyone has logged in with.", finding.Do("Set the first one: `keysplit upgrade`"))
	case run.Journal != nil:
		r, under, err := run.Journal.Rotation()
		if err != nil {
			return c, err
		}
		if under {
			return s.goesOn(run, c, r.New, r.Old, r.Accepted)
		}
	}
	if c.begun(run).Set() { // users may hold tokens of the one before it alone
		return c, steps.Fail(anotherKey(run))
	}
	if len(c.bad) > 0 {
		return c, refuse("The current key is not good: "+run.InWords(c.bad[0])+" Accepting it for longer would let anyone in.",
			finding.Do("Replace it at once, and let people log in again: `keysplit upgrade`"))
	}
	c.action, c.old = "accept", c.previous
	return c, run.Home().Takes(c.keys)
}

// goesOn is the choice of a rotation that was begun before.
func (s *Step) goesOn(run *steps.Run, c choice, next, old secret.Secret, accepted bool) (choice, error) {
	run.Redactor.Add(next)
	run.Redactor.Add(old)
	if !c.previous.Equal(next) && !c.previous.Equal(old) && !run.Journal.Rotated() {
		c.action, c.old = "accept", c.previous // nothing of that one was written
		return c, run.Home().Takes(c.keys)
	}
	if !c.previous.Equal(next) && !c.previous.Equal(old) {
		return c, steps.Fail(finding.New(finding.UpgradeUnfinished, "A rotation is not finished, and its places hold a third key by now.").
			WithFix(finding.Do("Look at who changed it. To end that rotation: %s", finding.Command(run.Command("rollback", "--force")))))
	}
	c.action, c.old, c.next = "accept", old, next
	if accepted {
		c.action = "sign"
	}
	return c, run.Home().Takes(c.keys)
}

// half refuses what would cut a rotation off in its middle.
func half(run *steps.Run) error {
	if !run.Answers.Rotate && !run.Answers.Import.Set() {
		return nil
	}
	return unended(run)
}

// unended refuses to go on where a rotation in stages is in its middle.
func unended(run *steps.Run) error {
	if run.Journal == nil || !run.Journal.Rotated() {
		return nil
	}
	return steps.Fail(finding.New(finding.UpgradeUnfinished, "A rotation with a grace period is not finished.").
		WithFix(finding.Do("To finish it: %s. To undo it: %s", finding.Command(run.Command("upgrade", "--rotate", "--grace")), finding.Command(run.Command("rollback")))))
}

// unstage forgets a rotation in stages of which nothing was written: another way was
// chosen.
func unstage(run *steps.Run) error {
	run.Stage, run.Second, run.Until = steps.NoStage, secret.Secret{}, time.Time{}
	if run.Journal == nil || run.Options.ReadOnly || run.Journal.Rotated() {
		return nil
	}
	return run.Journal.EndRotation()
}

// stagePlan is the plan of a stage. A backend that would not accept two keys is refused
// here, before anything is written.
func (s *Step) stagePlan(ctx context.Context, run *steps.Run, c choice) (steps.Plan, error) {
	if c.action == "end" {
		return steps.Plan{Summary: prose.Say("Keep the current key, and end the grace period."), Nothing: true, Details: []prose.Text{describe(c.previous)}}, nil
	}
	if s.Ready != nil {
		if err := s.Ready(ctx, run); err != nil {
			return steps.Plan{}, err
		}
	}
	if c.action == "sign" {
		return steps.Plan{
			Summary: prose.Say("Second stage: every process signs with the new key, and still accepts the previous one."),
			Details: []prose.Text{describe(c.next)}, Effects: []prose.Text{run.WhoPays()},
		}, nil
	}
	p := steps.Plan{
		Summary:  prose.Say("First stage: every process accepts a new key, while the current one signs."),
		Details:  []prose.Text{prose.Say("Nothing is signed with the new key before every process accepts it.")},
		Effects:  []prose.Text{run.WhoPays()},
		Question: prose.Say("Begin the rotation?"),
	}
	if c.next.Set() {
		p.Details, p.Question = append(p.Details, prose.Labelled("New key", "%s, chosen before", inShort(c.next))), prose.Text{}
	}
	return p, nil
}

// unsignedFor is how long the new key is accepted at least that nothing signs with yet:
// nobody has a token of it.
const unsignedFor = 24 * time.Hour

// allowance is how much longer the previous key is accepted than its tokens last: until
// the last process has restarted, they are still made. The first stage of the same run
// shows how long that takes.
func allowance(run *steps.Run) time.Duration {
	if !run.Wrote {
		return 10 * time.Minute
	}
	return min(max(2*time.Since(run.WroteAt), 5*time.Second), 30*time.Minute)
}

// applyStage settles the two keys of a stage.
func (s *Step) applyStage(run *steps.Run, c choice, emit steps.Emit) error {
	switch c.action {
	case "end":
		run.Key, run.KeyFrom, run.Stage = c.previous, "kept", steps.Closing
		run.Previous, _, _ = run.Grace(time.Now())
		emit.Check("key", steps.MarkOK, "key kept", inShort(run.Key))
		return nil
	case "accept":
		if !c.next.Set() {
			var err error
			if c.next, err = s.nextKey(run, c); err != nil {
				return err
			}
			if !run.Options.ReadOnly {
				if err := errors.Join(run.Journal.EndRotation(), run.Journal.BeginRotation(c.next, c.old)); err != nil {
					return err
				}
			}
		}
		run.Stage, run.Key, run.KeyFrom, run.Second, run.Previous = steps.Accepting, c.old, "kept", c.next, secret.Secret{}
		run.Until = time.Now().Add(max(run.GraceLength(), unsignedFor)) // the second stage sets the real one
	case "sign":
		run.Stage, run.Key, run.KeyFrom, run.Second, run.Previous = steps.Signing, c.next, "chosen before", c.old, c.old
		run.Until = time.Now().Add(run.GraceLength() + allowance(run))
	}
	run.Until = run.Until.UTC().Truncate(time.Second)
	if !run.Options.ReadOnly {
		if r, under, err := run.Journal.Rotation(); err == nil && under {
			run.Journal.GoOn(r)
		}
	}
	// A run that goes on after a kill changes nothing that is right already.
	if second, until, under := run.Grace(time.Now()); under && second.Equal(run.Second) && c.previous.Equal(run.Key) {
		run.Until = until
	}
	emit.Check("second key", steps.MarkOK, "key that is accepted as well", inShort(run.Second)+", until "+run.Until.Format("2006-01-02 15:04 MST"))
	emit.Check("key", steps.MarkOK, fmt.Sprintf("key that signs in this stage, %s", run.KeyFrom), inShort(run.Key))
	return nil
}

// nextKey is the new key of a rotation that begins.
func (s *Step) nextKey(run *steps.Run, c choice) (secret.Secret, error) {
	if key := run.Answers.Import; key.Set() {
		if codes := s.judge(run, key, c); len(codes) > 0 {
			return key, steps.Fail(refusals(run, codes)...)
		}
		run.Redactor.Add(key)
		return key, nil
	}
	return s.make(run)
}
