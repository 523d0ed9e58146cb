package ui

import (
	"errors"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// foreseen asks for a rollback whose plan is this one.
func (st *stage) foreseen(p steps.Plan) *stage {
	st.t.Helper()
	st.hold = true
	st.pick("Roll back")
	if st.w.backPhase() != backPlanning {
		st.t.Fatalf("no plan is made:\n%s", st.w.View())
	}
	st.hold = false
	st.held = nil
	st.send(resultMsg{id: st.w.lastJob, kind: jobForesee, report: report{plan: p}, facts: st.w.facts})
	return st
}

// planOfBack is the plan of a rollback in development.
func planOfBack() steps.Plan {
	return steps.Plan{
		Summary:  prose.Say("Undo what was changed on 2026-01-02 03:04 UTC:"),
		Details:  []prose.Text{prose.Labelled("backend/.env", "content, mode and owner as before"), prose.Labelled("Then", "the development server reads its settings again")},
		Effects:  []prose.Text{prose.Say("Anyone who logged in since then has to log in again.")},
		Question: prose.Say("Undo this?"),
	}
}

// A rollback has a page of its own: its plan and what users notice, then a question whose
// first answer changes nothing, and which leads back to where one was.
func TestTheRollbackAsksOnAPageOfItsOwn(t *testing.T) {
	for name, no := range map[string][]string{"enter": {"enter"}, "n": {"n"}, "esc": {"esc"}} {
		st := newStage(t, plainLight).open().to("end").foreseen(planOfBack())
		for _, want := range []string{"Undo what was changed", "content, mode and owner as before", "Anyone who logged in since then", "Undo this?", "[ Back ]    Roll back"} {
			if v := st.w.View(); !strings.Contains(v, want) {
				t.Errorf("%q is not shown:\n%s", want, v)
			}
		}
		if st.press(no...); st.w.asksBack() || st.w.restoring.verdict != nil {
			t.Errorf("%s is no no", name)
		}
		st.want(steps.Checklist, done)
	}
	st := newStage(t, plainLight).open().to("end").foreseen(planOfBack())
	if st.press("q"); !st.w.finished || st.w.restoring.verdict != nil {
		t.Error("q at the question of the last page does not finish, or restores")
	}
}

// A plan that could not be made is no question.
func TestARollbackWithoutAPlanAsksNothing(t *testing.T) {
	st := newStage(t, plainLight).open().to("end")
	st.hold = true
	st.pick("Roll back")
	st.hold, st.held = false, nil
	st.send(resultMsg{id: st.w.lastJob, kind: jobForesee, err: errors.New("cut short"), facts: st.w.facts})
	if st.w.asksBack() || st.w.backPhase() != 0 {
		t.Errorf("it asks:\n%s", st.w.View())
	}
	st.want(steps.Checklist, done)
}

// In production it takes nothing but the name.
func TestTheRollbackWantsTheNameOfProduction(t *testing.T) {
	plan := planOfBack()
	plan.Question, plan.Confirm = prose.Say("This is production. Undo this there?"), "shop-prod"
	st := newStage(t, plainLight).open().to("end").foreseen(plan)
	if st.press("y"); st.w.backPhase() != backAsked || len(st.fields()) > 0 {
		t.Fatalf("y is enough in production:\n%s", st.w.View())
	}
	st.press("right", "enter").typed("shop").press("enter")
	if v := st.w.View(); st.w.backPhase() != backAsked || !strings.Contains(v, "Undo this there? Type shop-prod to go on.") || !strings.Contains(v, "Type shop-prod: shop_") {
		t.Fatalf("a part of the name is enough, or it is not said what to type:\n%s", v)
	}
	st.typed("-prod").press("enter")
	if st.w.backPhase() != backDone || st.e.Run.Confirm("shop-prod") != "" {
		t.Errorf("it was not restored with the name:\n%s", st.w.View())
	}
}

// While it runs, the steps go back with it.
func TestTheStepperGoesBackWithTheRollback(t *testing.T) {
	st := newStage(t, plainLight).open().to("end").foreseen(planOfBack())
	st.during("y", steps.Write, steps.Event{Kind: steps.EventStarted}, steps.Event{Kind: steps.EventUndone})
	st.send(eventMsg{st.w.job.id, steps.Event{Step: steps.Restart, Kind: steps.EventStarted}})
	if v := st.w.View(); !strings.Contains(v, "✓ Key ──── ○ Write ──── ○ Verify ──── ● Restart ──── ○ Login") {
		t.Errorf("the steps are\n%s", v)
	}
}

// A restart that the rollback lacks is named on its page, which then finishes it; what the
// attempt before found is gone.
func TestTheRollbackTakesAnotherRestart(t *testing.T) {
	st := newStage(t, plainLight).open().to("end")
	lacks := finding.New(finding.RestartFailed, "The backend was not restarted.").WithFix(finding.Do("To finish the rollback, give the command: `keysplit rollback --restart command:VALUE`"))
	st.fakes[steps.Restart].undo = func(r *steps.Run, _ steps.Emit) error {
		if r.Options.Restart == nil {
			return steps.Fail(lacks)
		}
		return nil
	}
	st.foreseen(planOfBack()).press("y")
	if v := st.w.View(); st.w.backPhase() != backFailed || !strings.Contains(v, "give the command: Another restart") || !strings.Contains(v, "[ Another restart ]    Retry    Finish") {
		t.Fatalf("no way on:\n%s", v)
	}
	st.press("enter").typed("command:true").press("enter")
	if v := st.w.View(); st.w.backPhase() != backDone || strings.Contains(v, "was not restarted") || st.e.Run.Options.Restart == nil {
		t.Errorf("not finished:\n%s", v)
	}
}

// What a try found that failed is no longer said beside the good end of the next one.
func TestARollbackThatIsTriedAgain(t *testing.T) {
	st := newStage(t, plainLight).open().to("end").foreseen(planOfBack())
	st.fakes[steps.Restart].undo = func(*steps.Run, steps.Emit) error {
		return steps.Fail(finding.New(finding.ServerStaleKey, "The server still uses the key that was undone.").
			WithFix(finding.Do("Start it again, then run: `keysplit rollback --restart command:true`")))
	}
	if st.press("y"); st.w.backPhase() != backFailed || !strings.Contains(st.w.View(), "still uses the key") || !strings.Contains(st.w.View(), "then run: Retry") {
		t.Fatalf("it is not said why it failed:\n%s", st.w.View())
	}
	st.fakes[steps.Restart].undo = nil
	if st.pick("Retry"); st.w.backPhase() != backDone || strings.Contains(st.w.View(), "still uses the key") {
		t.Errorf("it ended well, and is said to have failed:\n%s", st.w.View())
	}
}
