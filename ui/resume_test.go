package ui

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/stepstest"
)

// What was begun is said with its time, and with its day when that is another one.
func TestWhatWasBegun(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 18, 0, 0, 0, time.UTC)
	for want, b := range map[string]Begun{
		"You began at 10:07. The key ba0476 is written; no server was seen to use it yet.":                          {at: now.Add(-(7*60 + 53) * time.Minute), key: "ba0476", left: steps.Restart},
		"You began on 2026-01-01 at 23:59. A part of its places has the new key; no server was seen to use it yet.": {at: now.Add(-(18*60 + 1) * time.Minute), key: "ba0476", left: steps.Write},
	} {
		if got := b.said(now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// The first page ticks what is done, and offers to go on with what is left, to choose
// again and to undo.
func TestWhatWasBegunIsTakenUp(t *testing.T) {
	for left, want := range map[steps.Name][]string{
		steps.Restart:   {"✓ Key ──── ✓ Write ──── ○ Verify", "The key ba0476 is written", "✓ write the key", "○ restart the backend", "[ Go on: restart ]    Start over    Undo"},
		steps.SmokeTest: {"✓ Key ──── ✓ Write ──── ○ Verify", "The key ba0476 is written", "○ smoke-test the login", "[ Go on: login ]"},
		steps.Write:     {"✓ Key ──── ○ Write ──── ○ Verify", "A part of its places has the new key", "○ write the key", "[ Go on: write ]    Start over    Undo"},
	} {
		st := newStage(t, plainLight).open()
		st.w.begun = &Begun{at: st.w.now(), key: "ba0476", left: left}
		for _, text := range want {
			if v := st.w.View(); !strings.Contains(v, text) {
				t.Errorf("%q is not on the first page:\n%s", text, v)
			}
		}
		if v := st.w.View(); left == steps.SmokeTest && strings.Contains(v, "restart the backend") {
			t.Errorf("there is nothing to restart:\n%s", v)
		}
		st.pick("Undo")
		if st.w.backPhase() != backAsked {
			t.Errorf("it does not ask:\n%s", st.w.View())
		}
		st.press("n").want(steps.Preflight, done)
		st.pick("Start over")
		st.want(steps.Generate, ready)
	}
}

// The button that goes on names what is next: not the restart, where that one has nothing
// to ask, or is left out.
func TestWhatIsLeftAfterTheWrite(t *testing.T) {
	t.Parallel()
	asks, none := steps.Plan{Question: prose.Say("Restart the server now?")}, steps.Plan{Nothing: true, Question: prose.Say("?")}
	for name, c := range map[string]struct {
		plan steps.Plan
		err  error
		warn error // what the restart says before the write
		skip []steps.Name
		want string
	}{
		"a server runs":             {plan: asks, want: "Go on: restart"},
		"production":                {plan: steps.Plan{Confirm: "shop"}, want: "Go on: restart"},
		"it cannot be told":         {err: errors.New("no cluster"), want: "Go on: restart"},
		"its command is not known":  {plan: none, warn: errors.New("give the command again"), want: "Go on: restart"},
		"none runs":                 {plan: steps.Plan{}, want: "Go on: login"},
		"nothing to restart":        {plan: none, want: "Go on: login"},
		"the restart is left out":   {plan: asks, skip: []steps.Name{steps.Restart}, want: "Go on: login"},
		"the login is left out":     {plan: none, skip: []steps.Name{steps.SmokeTest}, want: "Go on: checklist"},
		"the restart alone is left": {plan: asks, skip: []steps.Name{steps.SmokeTest}, want: "Go on: restart"},
	} {
		st := newStage(t, plainLight)
		st.fakes[steps.Restart].plan = func(*steps.Run) (steps.Plan, error) { return c.plan, c.err }
		st.fakes[steps.Restart].forewarn = c.warn
		st.e.Run.Options.Skip = map[steps.Name]bool{}
		for _, n := range c.skip {
			st.e.Run.Options.Skip[n] = true
		}
		b := &Begun{left: leftAfterWrite(t.Context(), st.e)}
		if got := b.Ways()[0].Label; got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if got := st.e.Machine.Status(steps.Restart); got != steps.Pending {
			t.Errorf("%s: the restart is %s", name, got)
		}
	}
}

// A failure of a run that goes on offers to undo what was begun, where it wrote nothing
// itself.
func TestAFailureAfterAResumeCanBeUndone(t *testing.T) {
	t.Parallel()
	st := newStage(t, plainLight)
	st.open().to(steps.Restart)
	st.w.facts.wrote, st.w.begun = false, &Begun{at: st.w.now(), key: "ba0476", left: steps.Restart}
	st.w.page(steps.Restart).failure = errors.New("no cluster")
	st.pick("Roll back")
	if st.w.backPhase() != backAsked {
		t.Errorf("it does not ask:\n%s", st.w.View())
	}
}

// While one is asked whether to undo what was begun, it is still in force.
func TestTheQuestionOfUndoKeepsTheTicks(t *testing.T) {
	t.Parallel()
	st := newStage(t, plainLight).open()
	st.w.begun = &Begun{at: st.w.now(), key: "ba0476", left: steps.Restart}
	if o, _ := st.w.outcome(st.e, true, nil); !strings.Contains(o.Begun, "The key ba0476 is written") {
		t.Errorf("who quits here is told %q", o.Begun)
	}
	st.pick("Undo")
	if v := st.w.View(); st.w.backPhase() != backAsked || !strings.Contains(v, "✓ Key ──── ✓ Write ──── ○ Verify") {
		t.Errorf("the stepper says otherwise:\n%s", v)
	}
}

// The key that an interrupted run chose is not chosen once more: the way to the next step
// leads past its page, and back there no other key is offered.
func TestAChosenKeyIsNotChosenAgain(t *testing.T) {
	t.Parallel()
	st := newStage(t, plainLight)
	st.fakes[steps.Generate].plan = func(*steps.Run) (steps.Plan, error) {
		return steps.Plan{Summary: prose.Say("Go on with the key that the interrupted run chose.")}, nil
	}
	st.open().press("enter")
	st.want(steps.Write, ready)
	st.press("esc", "r")
	if v := st.want(steps.Generate, ready).w.View(); !strings.Contains(v, "[ Go on ]") || strings.Contains(v, "Make a new key") {
		t.Errorf("the page offers something else:\n%s", v)
	}
}

// A login that an earlier run did not come to the end of is taken up, unless another key is
// asked for, or the login is skipped.
func TestALoginThatIsLeftIsTakenUp(t *testing.T) {
	t.Parallel()
	st := newStage(t, plainLight)
	run := stepstest.NewRun(t, "", nil)
	st.e.Run.Journal, st.e.Run.Options.Skip = run.Journal, map[steps.Name]bool{}
	key := run.Secret(stepstest.Key())
	note := func(n steps.Name, s steps.Status) {
		if err := run.Journal.SetStatus(string(n), string(s)); err != nil {
			t.Fatal(err)
		}
	}
	if loginLeft(st.e, key) {
		t.Error("nothing was begun")
	}
	if err := run.Journal.Bring(key); err != nil {
		t.Fatal(err)
	}
	note(steps.Restart, steps.Done)
	note(steps.SmokeTest, steps.Failed)
	if !loginLeft(st.e, key) {
		t.Error("its login is left")
	}
	st.e.Run.Answers.Rotate = true
	if loginLeft(st.e, key) {
		t.Error("another key is asked for")
	}
	st.e.Run.Answers.Rotate, st.e.Run.Options.Skip[steps.SmokeTest] = false, true
	if loginLeft(st.e, key) {
		t.Error("the login is skipped")
	}
	st.e.Run.Options.Skip[steps.SmokeTest] = false
	note(steps.SmokeTest, steps.Done)
	if loginLeft(st.e, key) {
		t.Error("its login came to its end")
	}
}

// A project that cannot be fixed still offers to undo what was begun on it.
func TestWhatWasBegunCanBeUndoneWhereNothingCanBeFixed(t *testing.T) {
	t.Parallel()
	st := newStage(t, plainLight)
	apply := st.fakes[steps.Preflight].apply
	st.fakes[steps.Preflight].apply = func(ctx context.Context, r *steps.Run, emit steps.Emit) error {
		emit.Find(finding.New(finding.DjangoNotRunnable, ""))
		if apply != nil {
			return apply(ctx, r, emit)
		}
		return nil
	}
	st.open()
	st.w.begun = &Begun{at: st.w.now(), key: "ba0476", left: steps.Restart}
	st.pick("Undo")
	if st.w.backPhase() != backAsked {
		t.Errorf("it does not ask:\n%s", st.w.View())
	}
}
