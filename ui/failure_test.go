package ui

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/prose"
)

func TestFailures(t *testing.T) {
	t.Run("retry", func(t *testing.T) {
		st := newStage(t, plainLight)
		stale(st)
		st.open().to(steps.SmokeTest).press("enter")
		st.want(steps.SmokeTest, failed)
		st.fakes[steps.SmokeTest].apply = nil
		st.press("enter")
		st.want(steps.SmokeTest, ready)
		st.press("enter")
		st.want(steps.SmokeTest, done)
	})
	t.Run("skip", func(t *testing.T) {
		st := newStage(t, plainLight)
		stale(st)
		st.open().to(steps.SmokeTest).press("enter")
		st.pick("Skip Login")
		st.want(steps.Checklist, done)
		st.to("end")
		if s := st.w.facts.machine.Status(steps.SmokeTest); s != steps.Skipped {
			t.Errorf("the step counts as %s", s)
		}
		if !strings.Contains(st.w.View(), "Skipped: Login.") || strings.Contains(st.w.View(), "Done. The backend") {
			t.Errorf("the end does not say what was left out:\n%s", st.w.View())
		}
	})
	t.Run("what cannot work later is said before the write", func(t *testing.T) {
		st := newStage(t, plainLight)
		st.fakes[steps.Restart].forewarn = steps.Fail(finding.New(finding.ToolMissing, ""))
		st.open().to(steps.Generate).press("enter")
		st.want(steps.Write, failed)
		if st.fakes[steps.Write].applied > 0 {
			t.Error("it was written all the same")
		}
		st.fakes[steps.Restart].forewarn = nil
		st.press("enter")
		st.want(steps.Write, ready)
	})
	t.Run("fix a refused import", func(t *testing.T) {
		st := newStage(t, plainLight)
		refuse(st)
		st.open().to(steps.Generate).press("down", "enter").typed(goodKey).press("enter")
		st.want(steps.Generate, failed)
		st.fakes[steps.Generate].apply = fakeSteps()[steps.Generate].apply
		st.pick("Make a key instead")
		st.want(steps.Generate, ready)
		if st.e.Run.Answers.Import.Set() {
			t.Error("the refused key is still to be imported")
		}
		st.press("enter")
		st.want(steps.Write, ready)
	})
	t.Run("a refused import can be typed again", func(t *testing.T) {
		st := newStage(t, plainLight)
		refuse(st)
		st.open().to(steps.Generate).press("down", "enter").typed(goodKey).press("enter")
		st.pick("Enter another key")
		if fields := st.fields(); len(fields) != 1 || !fields[0].empty() {
			t.Error("no empty field is open")
		}
	})
	t.Run("what a person may overrule", func(t *testing.T) {
		st := newStage(t, plainLight)
		const address, question = "https://a.example.com", "Send it the password all the same?"
		st.fakes[steps.SmokeTest].apply = func(_ context.Context, run *steps.Run, _ steps.Emit) error {
			if run.Answers.LoginAnyway != address {
				return steps.Fail(finding.New("login-withheld", "").At(address, 0).Asking(question))
			}
			return nil
		}
		st.open().to(steps.SmokeTest).press("enter")
		st.want(steps.SmokeTest, failed)
		st.pick("Go on anyway")
		if !strings.Contains(st.w.View(), question) || !strings.Contains(st.w.View(), "[ Back ]") {
			t.Errorf("it is not asked, or not with a no first:\n%s", st.w.View())
		}
		st.press("enter")
		st.want(steps.SmokeTest, failed)
		if st.e.Run.Answers.LoginAnyway != "" {
			t.Error("enter alone was a yes")
		}
		st.pick("Go on anyway")
		st.press("tab", "enter")
		st.want(steps.SmokeTest, ready)
		st.press("enter")
		st.want(steps.Checklist, done)
		if s := st.w.facts.machine.Status(steps.SmokeTest); s != steps.Done {
			t.Errorf("the step counts as %s", s)
		}
	})
	t.Run("start over", func(t *testing.T) {
		st := newStage(t, plainLight)
		stale(st)
		st.open().to(steps.SmokeTest).press("enter")
		st.pick("Start over")
		st.want(steps.Preflight, done)
		if n := st.fakes[steps.Preflight].applied; n != 2 {
			t.Errorf("the project was looked at %d times", n)
		}
	})
	t.Run("roll back", func(t *testing.T) {
		st := newStage(t, plainLight)
		st.fakes[steps.Restart].undo = func(_ *steps.Run, emit steps.Emit) error {
			emit.Find(finding.New("server-unreachable", "runserver ended when it read its settings again."))
			return nil
		}
		stale(st)
		st.open().to(steps.SmokeTest).press("enter")
		st.pick("Roll back")
		if !st.w.asksBack() || st.w.restoring.verdict != nil {
			t.Fatal("it did not ask")
		}
		st.press("right", "enter")
		o, _ := st.w.outcome(st.e, true, nil)
		if !strings.Contains(st.w.View(), "it read its settings again") {
			t.Errorf("what the rollback found is not shown:\n%s", st.w.View())
		}
		if o.Back == nil || o.Back.Err == nil || o.Statuses[steps.Write] != steps.Undone || o.Failed != nil { // the server is down
			t.Errorf("outcome %+v", o)
		}
	})
	t.Run("a rollback that fails", func(t *testing.T) {
		st := newStage(t, plainLight)
		st.fakes[steps.Write].undo = func(*steps.Run, steps.Emit) error { return errors.New("the disk is gone") }
		st.open().to("end")
		st.pick("Roll back")
		st.press("right", "enter")
		if o, _ := st.w.outcome(st.e, true, nil); o.Back == nil || o.Back.Err == nil {
			t.Error("counts as rolled back")
		}
		if !strings.Contains(st.w.View(), "the disk is gone") {
			t.Errorf("the reason is missing:\n%s", st.w.View())
		}
	})
	t.Run("a rollback whose restart fails", func(t *testing.T) {
		st := newStage(t, plainLight)
		st.fakes[steps.Restart].undo = func(_ *steps.Run, emit steps.Emit) error {
			emit.Find(finding.New("restart-failed", "").WithSeverity(finding.Warning))
			return nil
		}
		st.open().to("end")
		st.pick("Roll back")
		st.press("right", "enter")
		if view := st.w.View(); strings.Contains(view, "as it was before") || !strings.Contains(view, "the server still has to restart") {
			t.Errorf("%s", view)
		}
	})
	t.Run("a rollback that a person ends", func(t *testing.T) {
		st := newStage(t, plainLight)
		st.e.Run.Left = []prose.Text{prose.Say("Everyone has to log in again.")} // of the upgrade
		st.fakes[steps.Write].undo = func(r *steps.Run, _ steps.Emit) error {
			r.Left = append(r.Left, prose.Say("By hand: set it back in the vault."))
			return nil
		}
		st.open().to("end")
		st.pick("Roll back")
		st.press("right", "enter")
		if view := st.w.View(); strings.Contains(view, "as it was before") || strings.Contains(view, "Everyone has to log in") || !strings.Contains(view, "By hand: set it back in the vault.") {
			t.Errorf("%s", view)
		}
	})
	t.Run("a plan that fails", func(t *testing.T) {
		st := newStage(t, plainLight)
		st.fakes[steps.Write].plan = func(*steps.Run) (steps.Plan, error) {
			return steps.Plan{}, steps.Fail(finding.New("env-file-changed", ""))
		}
		st.open().press("enter", "enter")
		st.want(steps.Write, failed)
		if !strings.Contains(st.w.View(), "changed while keysplit was running") {
			t.Errorf("the reason is missing:\n%s", st.w.View())
		}
		o, _ := st.w.outcome(st.e, true, nil)
		if o.Failed == nil || !o.Cancelled {
			t.Errorf("outcome %+v", o)
		}
	})
	t.Run("a changed file means starting over", func(t *testing.T) {
		st := newStage(t, plainLight)
		st.fakes[steps.Write].apply = func(context.Context, *steps.Run, steps.Emit) error {
			return steps.Fail(finding.New("env-file-changed", ""))
		}
		st.open().to(steps.Write).press("enter")
		st.want(steps.Write, failed)
		st.press("enter")
		st.want(steps.Preflight, done)
	})
	t.Run("what no step fixes is not passed over by enter", func(t *testing.T) {
		st := newStage(t, plainLight)
		shadow(st)
		st.open().press("enter", "enter", "enter")
		st.want(steps.Preflight, done)
		if n := st.fakes[steps.Preflight].applied; n != 4 {
			t.Errorf("the project was looked at %d times", n)
		}
		st.pick("Go on anyway")
		st.want(steps.Generate, ready)
	})
	t.Run("a project that signs with SECRET_KEY is asked about", func(t *testing.T) {
		st := newStage(t, plainLight)
		apply := st.fakes[steps.Preflight].apply
		st.fakes[steps.Preflight].apply = func(ctx context.Context, r *steps.Run, emit steps.Emit) error {
			err := apply(ctx, r, emit)
			emit.Find(finding.New(finding.SettingsNotUpgraded, "").Asking("Require a key of its own?"))
			emit.Find(finding.New(finding.EnvFileUnread, "").WithFix(finding.Do("Set it elsewhere.")).NotFixable())
			return err
		}
		st.open()
		st.want(steps.Preflight, done)
		if view := st.w.View(); !strings.Contains(view, "Require a key of its own?") || strings.Contains(view, "Set it elsewhere") /* what is so only before the answer */ || strings.Contains(view, "--adopt") || strings.Contains(view, "cannot fix") {
			t.Errorf("it shows\n%s", view)
		}
		st.press("y")
		if n := st.fakes[steps.Preflight].applied; n != 2 {
			t.Errorf("the project was looked at %d times", n)
		}
	})
	t.Run("preflight offers no skip", func(t *testing.T) {
		st := newStage(t, plainLight)
		st.fakes[steps.Preflight].apply = func(context.Context, *steps.Run, steps.Emit) error { return errors.New("no") }
		st.open()
		st.want(steps.Preflight, failed)
		var offered []string
		for _, o := range st.w.prompt().options {
			offered = append(offered, o.label)
		}
		if !slices.Equal(offered, []string{"Retry", "Quit"}) {
			t.Errorf("it offers %q", offered)
		}
	})
}

// pick moves to an option and takes it.
func (st *stage) pick(label string) {
	st.t.Helper()
	p := st.w.prompt()
	if p == nil {
		st.t.Fatalf("there is no prompt:\n%s", st.w.View())
	}
	for i, o := range p.options {
		if o.label == label {
			for st.w.selected < i {
				st.press("right")
			}
			st.press("enter")
			return
		}
	}
	st.t.Fatalf("%q is not offered:\n%s", label, st.w.View())
}

// Messages of a job that was given up change nothing.
func TestStaleMessagesAreDropped(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.Write)
	before := st.w.View()
	old := st.w.lastJob - 1
	st.send(eventMsg{old, steps.Event{Step: steps.Write, Kind: steps.EventCheck, ID: "x", Text: prose.Say("from the past")}})
	st.send(resultMsg{id: old, kind: jobApply, step: steps.Write, err: errors.New("from the past")})
	if got := st.w.View(); got != before {
		t.Errorf("the view changed:\n%s", got)
	}
	// The same messages count for the job that runs.
	st.during("enter", steps.Write, steps.Event{Kind: steps.EventCheck, ID: "x", Text: prose.Say("from now")})
	st.send(eventMsg{old, steps.Event{Step: steps.Write, Kind: steps.EventCheck, ID: "y", Text: prose.Say("from the past")}})
	if strings.Contains(st.w.View(), "from the past") {
		t.Errorf("an event of another job is shown:\n%s", st.w.View())
	}
	if !strings.Contains(st.w.View(), "from now") {
		t.Errorf("an event of the running job is missing:\n%s", st.w.View())
	}
	st.send(resultMsg{id: st.w.lastJob, kind: jobApply, step: steps.Write, err: errors.New("from now"), facts: st.w.facts})
	st.want(steps.Write, failed)
}

// Leaving a page while its plan is made drops the plan.
func TestBackWhilePlanning(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.Write).press("esc")
	st.hold = true
	st.press("enter")
	st.want(steps.Write, planning)
	st.press("esc")
	st.want(steps.Generate, done)
	st.release()
	st.want(steps.Generate, done)
	st.press("enter")
	st.want(steps.Write, ready)
}

// A panic in a step ends the wizard with an error that names it, secrets masked.
func TestPanicInAStep(t *testing.T) {
	t.Attr("part", "panics in Update, View, a command, a step")
	st := newStage(t, plainLight)
	secret := fresh()
	st.fakes[steps.Write].apply = func(_ context.Context, r *steps.Run, _ steps.Emit) error {
		panic("lost " + r.Secret(secret).Reveal())
	}
	st.open().to(steps.Write).press("enter")
	err := ended(context.Background(), st.w, nil, true, false)
	if !st.quit || err == nil || !strings.Contains(err.Error(), "lost ****") {
		t.Errorf("quit %v, error %v", st.quit, err)
	}
}

// What was written and is not read can be taken away on the page that says so.
func TestWhatNothingReadsIsTakenAway(t *testing.T) {
	t.Parallel()
	st := newStage(t, plainLight)
	st.fakes[steps.Distinct].apply = func(context.Context, *steps.Run, steps.Emit) error {
		return steps.Fail(finding.New(finding.KeyUnread, "The settings have another JWT_SECRET_KEY than the one in the file."))
	}
	st.open().to(steps.Write).press("enter")
	var offered []string
	for _, o := range st.w.prompt().options {
		offered = append(offered, o.label)
	}
	if !slices.Equal(offered, []string{"Retry", "Remove what was written", "Skip Verify", "Quit"}) {
		t.Errorf("it offers %q", offered)
	}
	st.pick("Remove what was written")
	st.press("right", "enter")
	if o, _ := st.w.outcome(st.e, true, nil); o.Back == nil || o.Back.Err != nil || o.Statuses[steps.Write] != steps.Undone {
		t.Errorf("outcome %+v", o)
	}
}

// What one thing mends is advised once, below the first of what it mends.
func TestTheSameAdviceIsGivenOnce(t *testing.T) {
	t.Parallel()
	st := newStage(t, plainLight)
	fix := finding.Do("Take the variable out.")
	st.fakes[steps.Write].apply = func(context.Context, *steps.Run, steps.Emit) error {
		return steps.Fail(finding.New(finding.JWTKeyWeak, "").WithFix(fix).NotFixable(), finding.New(finding.JWTKeyTooShort, "").WithFix(fix).NotFixable(),
			finding.New(finding.DiskFull, ""), finding.New(finding.ServerStaleKey, "One is old."), finding.New(finding.ServerStaleKey, "Another is old."))
	}
	st.open().to(steps.Write).press("enter")
	if v := st.size(80, 60); strings.Count(v, "Take the variable out.") != 1 || strings.Count(v, "Do ") != 3 || strings.Count(v, "It was not restarted") != 1 {
		t.Errorf("it is advised more than once:\n%s", v)
	}
}

// What a failed write says of the places that have the key names the page's buttons.
func TestAFailureNamesItsButtonsForCommands(t *testing.T) {
	st := newStage(t, plainLight)
	st.fakes[steps.Write].apply = func(_ context.Context, _ *steps.Run, emit steps.Emit) error {
		emit.Tell(prose.Say("To continue with the others: `keysplit upgrade --target dotenv:b` (it takes the same key). To go back: `keysplit rollback --env staging`"))
		return errors.New("no space left on device")
	}
	st.open().to(steps.Write).press("enter")
	if v := strings.Join(strings.Fields(st.w.View()), " "); !strings.Contains(v, "others: Retry (it takes the same key). To go back: Roll back") || strings.Contains(v, "keysplit rollback") {
		t.Errorf("a command beside the buttons:\n%s", st.w.View())
	}
}

// A state folder that lies where it must not does so at a retry, too.
func TestAMisplacedStateFolderIsNotRetried(t *testing.T) {
	st := newStage(t, plainLight)
	st.fakes[steps.Preflight].apply = func(context.Context, *steps.Run, steps.Emit) error {
		return &journal.PlaceError{Problem: "Set HOME"}
	}
	st.open()
	if v := st.w.View(); !strings.Contains(v, "Quit, do that, and start keysplit again.") || strings.Contains(v, "Do   Retry") {
		t.Errorf("what to do:\n%s", v)
	}
}
