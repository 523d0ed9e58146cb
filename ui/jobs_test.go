package ui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/stepstest"
)

// enter leads from the smoke test to the nine items; to stop there is no loop.
func TestTheChecklistBeginsAtOnce(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.SmokeTest).press("enter")
	st.want(steps.Checklist, done)
	for _, want := range []string{"9. Team notified of change", "7 of 9 done", "2 left", "Sign an item off"} {
		if v := st.w.View(); !strings.Contains(v, want) {
			t.Errorf("%q is not shown:\n%s", want, v)
		}
	}
	if n := st.fakes[steps.Checklist].applied; n != 1 {
		t.Errorf("it ran %d times", n)
	}
	st.hold = true
	st.press("r")
	st.send(resultMsg{id: st.w.lastJob, kind: jobApply, step: steps.Checklist, err: steps.ErrCancelled, facts: st.w.facts})
	if st.want(steps.Checklist, failed); st.w.job != nil {
		t.Error("it began again by itself")
	}
}

// After a login that was rejected the same password is not sent again.
func TestARejectedPasswordIsForgotten(t *testing.T) {
	st := newStage(t, plainLight)
	apply := st.fakes[steps.SmokeTest].apply
	st.fakes[steps.SmokeTest].apply = func(_ context.Context, _ *steps.Run, emit steps.Emit) error {
		emit.Check("login", steps.MarkFailed, "log in as ada", "401")
		return steps.Fail(finding.New("login-rejected", ""))
	}
	st.open().to(steps.SmokeTest)
	st.pickRow(ownAccount)
	st.typed("ada").press("enter").typed("wrong").press("enter")
	st.want(steps.SmokeTest, failed)
	if st.e.Run.Answers.Password.Set() {
		t.Error("the password is kept")
	}
	st.pick("Another account")
	v := st.w.View()
	if !strings.Contains(v, "User name: ada") || !strings.Contains(v, "Password: _") {
		t.Fatalf("the form is not open, with the name in it:\n%s", v)
	}
	if st.press("enter"); st.fakes[steps.SmokeTest].applied != 1 {
		t.Error("enter sent an empty password")
	}
	st.fakes[steps.SmokeTest].apply = apply
	st.typed("right").press("enter")
	st.want(steps.Checklist, done)
	if o := st.e.Run.Answers; o.Username != "ada" || o.Password.Reveal() != "right" || o.TempUser {
		t.Errorf("it logged in as %q, throwaway %v", o.Username, o.TempUser)
	}
}

// pickRow moves to an option of a list and takes it.
func (st *stage) pickRow(label string) {
	st.t.Helper()
	for range 5 {
		if p := st.w.prompt(); p.options[st.w.selected].label == label {
			st.press("enter")
			return
		}
		st.press("down")
	}
	st.t.Fatalf("%q is not offered:\n%s", label, st.w.View())
}

// A line of proof is in the log once, as it came out.
func TestTheLogHasALineOfProofOnce(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.SmokeTest)
	var events []steps.Event
	for n := range 20 {
		events = append(events, steps.Event{Kind: steps.EventCheck, ID: "new-key", Mark: steps.MarkRunning, Text: prose.Say("signs"), Detail: prose.Of(fmt.Sprintf("%d of 20", n))})
	}
	st.during("enter", steps.SmokeTest, events...).press("l")
	if v := st.w.View(); strings.Count(v, "signs") != 1 || !strings.Contains(v, "19 of 20") {
		t.Errorf("while it runs the log has\n%s", v)
	}
	st.send(eventMsg{st.w.job.id, steps.Event{Step: steps.SmokeTest, Kind: steps.EventCheck, ID: "new-key", Mark: steps.MarkOK, Text: prose.Say("signs"), Detail: prose.Say("20 of 20")}})
	st.send(eventMsg{st.w.job.id, steps.Event{Step: steps.SmokeTest, Kind: steps.EventCheck, ID: "login", Mark: steps.MarkRunning, Text: prose.Say("logs in")}})
	st.send(resultMsg{id: st.w.lastJob, kind: jobApply, step: steps.SmokeTest, err: errors.New("no"), facts: st.w.facts})
	if v := st.w.View(); strings.Count(v, "signs") != 1 || strings.Contains(v, "running") {
		t.Errorf("at the end the log has\n%s", v)
	}
}

// A line that was running when its step ended spins no more.
func TestALineThatDidNotFinish(t *testing.T) {
	for want, err := range map[string]error{"✗ kubernetes:x/y": errors.New("no access"), "○ kubernetes:x/y": steps.ErrCancelled} {
		st := newStage(t, plainLight)
		st.hold = true
		st.open()
		st.send(eventMsg{st.w.job.id, steps.Event{Step: steps.Preflight, Kind: steps.EventCheck, ID: "a", Mark: steps.MarkRunning, Text: prose.Say("kubernetes:x/y")}})
		st.send(resultMsg{id: st.w.lastJob, kind: jobApply, step: steps.Preflight, err: err, facts: st.w.facts})
		if v := st.w.View(); !strings.Contains(v, want) || strings.Contains(v, st.w.spin.View()) {
			t.Errorf("%q is not shown after %v:\n%s", want, err, v)
		}
	}
}

// Before the project is known there is no message, and after that its is the checklist's.
func TestTheMessageIsThatOfTheProject(t *testing.T) {
	st := newStage(t, plainLight).open().press("m")
	const none = "The project is not known yet."
	if st.w.message != none {
		t.Errorf("%q", st.w.message)
	}
	run, err := st.e.Run, error(nil)
	run.Project = &steps.Project{Root: t.TempDir()}
	if run.Journal, err = stepstest.State(t).Open(run.Project.Root, run.Options.Environment); err != nil {
		t.Fatal(err)
	}
	if st.press("esc", "m"); st.w.message == none || st.w.message == "" {
		t.Errorf("%q", st.w.message)
	}
}

// The message can be read to its end, and c copies all of it.
func TestTheMessageIsCopiedWhole(t *testing.T) {
	st := newStage(t, plainLight).open()
	st.hold = true
	st.press("m")
	text := strings.Repeat("A line of the message.\n", 40) + "The last line.\n"
	st.send(messageMsg(text))
	st.hold = false
	st.size(80, 24)
	for range 5 {
		st.press("pgdown")
	}
	if v := st.w.View(); !strings.Contains(v, "The last line.") {
		t.Errorf("the end is not in sight:\n%s", v)
	}
	if st.press("c"); len(st.copied) != 1 || st.copied[0] != text {
		t.Errorf("copied %q", st.copied)
	}
}

func TestQuitWhileWriting(t *testing.T) {
	t.Attr("part", "ends of the wizard inside the process")
	for _, tc := range []struct {
		name  string
		step  steps.Name
		keys  []string
		asks  bool
		going bool // it goes on
	}{
		{"q asks", steps.Write, []string{"q"}, true, true},
		{"ctrl+c asks", steps.Write, []string{"ctrl+c"}, true, true},
		{"no keeps going", steps.Write, []string{"q", "enter"}, false, true},
		{"yes stops", steps.Write, []string{"q", "right", "enter"}, false, false},
		{"a second ctrl+c stops", steps.Write, []string{"ctrl+c", "ctrl+c"}, false, false},
		{"a second q does not", steps.Write, []string{"q", "q"}, true, true},
		{"restart asks too", steps.Restart, []string{"q"}, true, true},
		{"a look does not ask", steps.Distinct, []string{"q"}, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			st := newStage(t, plainLight).open()
			if tc.step == steps.Distinct { // which has a plan to look at only where one comes back to it
				st.proof(tc.step).press("r")
			}
			st.to(tc.step)
			before := st.fakes[tc.step].applied
			st.during("enter", tc.step)
			st.press(tc.keys...)
			if (st.w.question != nil) != tc.asks {
				t.Errorf("a question is on the screen: %v", !tc.asks)
			}
			if st.w.leaving == tc.going {
				t.Errorf("leaving is %v", st.w.leaving)
			}
			if st.quit {
				t.Error("it quit before the step had stopped")
			}
			st.release()
			if st.quit == tc.going {
				t.Errorf("after the step ended, quit is %v", st.quit)
			}
			// A job that was told to stop before its turn does nothing.
			if ran := st.fakes[tc.step].applied == before+1; ran != tc.going {
				t.Errorf("the step ran: %v", ran)
			}
		})
	}
}

// Stopping a step leads back to its plan, and nothing else.
func TestStop(t *testing.T) {
	t.Attr("part", "ends of the wizard inside the process")
	st := newStage(t, plainLight).open().to(steps.SmokeTest)
	release := make(chan struct{})
	st.fakes[steps.SmokeTest].apply = func(ctx context.Context, _ *steps.Run, _ steps.Emit) error {
		close(release)
		<-ctx.Done()
		return ctx.Err()
	}
	st.hold = true
	st.press("enter")
	out := make(chan tea.Msg, 1)
	batch, _ := st.held[0]().(tea.BatchMsg)
	go func() { out <- batch[0]() }()
	<-release
	st.press("x")
	st.held, st.hold = nil, false
	select {
	case msg := <-out:
		st.msgs = nil
		st.send(msg)
	case <-time.After(5 * time.Second):
		t.Fatal("the step was not told to stop")
	}
	st.want(steps.SmokeTest, ready)
	if !strings.Contains(st.w.View(), "Stopped.") {
		t.Errorf("it does not say so:\n%s", st.w.View())
	}
}

// A checklist that cannot be planned or gone through has failed, and shows no items.
func TestAChecklistThatCannotBeGoneThrough(t *testing.T) {
	broken := errors.New("the disk is gone")
	for name, f := range map[string]*fakeStep{
		"plan":  {name: steps.Checklist, plan: func(*steps.Run) (steps.Plan, error) { return steps.Plan{}, broken }},
		"apply": {name: steps.Checklist, apply: func(context.Context, *steps.Run, steps.Emit) error { return broken }},
	} {
		e := steps.NewEngine(&steps.Run{}, f)
		for _, a := range []steps.Action{steps.ActPlan, steps.ActStart, steps.ActSucceed} {
			e.Machine, _ = e.Machine.Do(steps.Preflight, a)
		}
		for _, n := range steps.Order()[1:] {
			if n != steps.Checklist {
				e.Machine, _ = e.Machine.Do(n, steps.ActSkip)
			}
		}
		var r report
		if err := goThrough(t.Context(), e, nil, &r); !errors.Is(err, broken) || name == "plan" && f.applied > 0 || len(r.items) > 0 {
			t.Errorf("%s: %v, applied %d times", name, err, f.applied)
		}
	}
}

// Once the wizard has ended, no job begins.
func TestNoJobBeginsAfterTheEnd(t *testing.T) {
	t.Parallel()
	r := newRunner(t.Context(), newStage(t, plainLight).e)
	if !r.wait(time.Second) {
		t.Error("the engine is not free")
	}
	msg := r.command(t.Context(), &job{}, func(context.Context, *steps.Engine, steps.Emit, *report) error {
		t.Error("a job ran")
		return nil
	})()
	if res, ok := msg.(resultMsg); !ok || !errors.Is(res.err, steps.ErrCancelled) {
		t.Errorf("%+v", msg)
	}
}
