package ui

import (
	"context"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/stepstest"
)

// rotatable is a project whose key is good, and whose steps play both stages of a rotation.
func (st *stage) rotatable() *stage {
	look := st.fakes[steps.Preflight].apply
	st.fakes[steps.Preflight].apply = func(ctx context.Context, r *steps.Run, emit steps.Emit) error {
		err := look(ctx, r, emit)
		r.Project.Facts = &steps.Facts{Tokens: steps.TokenFacts{AccessSeconds: 3600, RefreshSeconds: 7 * 24 * 3600}}
		return err
	}
	key := st.fakes[steps.Generate]
	key.plan = func(r *steps.Run) (steps.Plan, error) {
		switch {
		case r.Answers.Grace:
			return steps.Plan{Summary: prose.Say("First stage: every process accepts a new key, while the current one signs."), Question: prose.Say("Begin the rotation?")}, nil
		case r.Answers.Rotate:
			return steps.Plan{Summary: prose.Say("Make a new key."), Question: prose.Say("Make the key?")}, nil
		}
		return steps.Plan{Summary: prose.Say("The key in the file is good, so it stays."), Nothing: true, Keeps: true}, nil
	}
	key.apply = func(_ context.Context, r *steps.Run, _ steps.Emit) error {
		if r.Stage = steps.NoStage; r.Answers.Grace {
			r.Stage = steps.Accepting
		}
		return nil
	}
	return st
}

// atChoice is the page of the key with its list.
func (st *stage) atChoice() *stage {
	st.t.Helper()
	st.rotatable().open().pick("Another key")
	return st.want(steps.Generate, ready)
}

// Where the key is good one may keep it, rotate in stages, replace it at once, or bring
// another; what a rotation in stages costs is said before it is chosen.
func TestAGoodKeyCanBeRotatedInStages(t *testing.T) {
	st := newStage(t, plainLight).atChoice()
	for _, want := range []string{"● Keep the current key", "Rotate with a grace period    nobody is logged out", "Make a new key                everyone logs in again", "Use your own key"} {
		if v := st.w.View(); !strings.Contains(v, want) {
			t.Errorf("%q is not on the page:\n%s", want, v)
		}
	}
	applied := st.fakes[steps.Generate].applied
	st.press("r")
	if v := st.w.View(); !strings.Contains(v, "in two stages") || !strings.Contains(v, "Nobody is logged out: tokens of the previous key are accepted for 7 days") || st.fakes[steps.Generate].applied != applied {
		t.Errorf("the choice is not explained, or was taken already:\n%s", v)
	}
	st.press("enter", "enter").want(steps.Write, ready)
	if a := st.e.Run.Answers; !a.Grace || a.Rotate || st.e.Run.Stage != steps.Accepting {
		t.Errorf("it is no rotation in stages: %+v", a)
	}
	// No account is asked for in the first stage, whose end leads to the first page, and
	// not to the checklist.
	st.press("enter", "enter").want(steps.Preflight, done)
	if st.fakes[steps.SmokeTest].applied != 1 || st.fakes[steps.Checklist].applied != 0 {
		t.Error("the first stage was not proved, or was taken for the whole upgrade")
	}
}

// Another choice after that of the rotation is that choice alone.
func TestAnotherChoiceThanTheRotation(t *testing.T) {
	for label, rotates := range map[string]bool{"k": false, "m": true} {
		st := newStage(t, plainLight).atChoice().press("r", "enter", "enter", "esc", "r").want(steps.Generate, ready)
		st.press(label, "enter")
		if a := st.e.Run.Answers; a.Grace || a.Rotate != rotates || st.e.Run.Stage != steps.NoStage {
			t.Errorf("%s: %+v", label, a)
		}
	}
}

// A rotation that is refused leads back to the choice.
func TestARefusedRotationLeadsBackToTheChoice(t *testing.T) {
	st := newStage(t, plainLight).rotatable()
	plan := st.fakes[steps.Generate].plan
	st.fakes[steps.Generate].plan = func(r *steps.Run) (steps.Plan, error) {
		if r.Answers.Grace {
			return steps.Plan{}, steps.Fail(finding.New(finding.GraceNotMapped, ""))
		}
		return plan(r)
	}
	st.open().pick("Another key")
	st.press("r", "enter").want(steps.Generate, failed).pick("Choose again")
	st.want(steps.Generate, ready)
	if st.e.Run.Answers.Grace || !strings.Contains(st.w.View(), "● Keep the current key") {
		t.Errorf("the refused choice is still taken:\n%s", st.w.View())
	}
}

// Between its stages a rotation goes on, or is undone: no other key can be chosen, and
// nobody has to log in again.
func TestARotationBetweenItsStagesIsTakenUp(t *testing.T) {
	for accepted, want := range map[bool]string{true: "every process accepts the new key. Next, they sign with it.", false: "is not finished."} {
		st := newStage(t, plainLight).open()
		st.w.begun = &Begun{at: st.w.now(), rests: true, accepted: accepted}
		v := stepstest.OneLine(st.w.View())
		if !strings.Contains(v, want) || !strings.Contains(v, "[ Go on ] Undo") || strings.Contains(v, "Start over") || strings.Contains(v, "everyone will have to log in") {
			t.Errorf("accepted %t:\n%s", accepted, st.w.View())
		}
	}
}

// Before the restart of the key that an earlier run has written, no other key can be chosen.
func TestStartingOverKeepsTheKeyThatIsWritten(t *testing.T) {
	t.Parallel()
	st := newStage(t, plainLight).rotatable().open()
	st.w.begun = &Begun{at: st.w.now(), key: "ba0476", left: steps.Restart}
	if v := stepstest.OneLine(st.w.View()); !strings.Contains(v, "To choose another key, undo first.") {
		t.Errorf("it is not said:\n%s", st.w.View())
	}
	st.pick("Start over")
	if v := st.want(steps.Generate, ready).w.View(); !strings.Contains(v, "[ Go on ]") || strings.Contains(v, "Make a new key") || strings.Contains(v, "grace period") {
		t.Errorf("another key is offered:\n%s", v)
	}
}

// Where the server does not accept two keys, the way to have nothing of it stay written is
// offered.
func TestAServerThatDoesNotAcceptTwoKeys(t *testing.T) {
	st := newStage(t, plainLight).rotatable()
	st.fakes[steps.SmokeTest].apply = func(context.Context, *steps.Run, steps.Emit) error {
		return steps.Fail(finding.New(finding.GraceNotInForce, ""))
	}
	st.open().pick("Another key")
	st.press("r", "enter", "enter", "enter", "enter").want(steps.SmokeTest, failed)
	if st.pick("Remove what was written"); st.w.backPhase() != backAsked {
		t.Errorf("it does not lead to the rollback:\n%s", st.w.View())
	}
}
