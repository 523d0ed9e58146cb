package ui

import (
	"context"
	"slices"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// enters is how often enter is pressed until the wizard ends.
func (st *stage) enters() int {
	st.t.Helper()
	for n := range 20 {
		if st.quit {
			return n
		}
		st.press("enter")
	}
	st.t.Fatalf("enter alone does not finish:\n%s", st.w.View())
	return 0
}

// healthy is a project of which no step has anything to change.
func (st *stage) healthy() *stage {
	for _, n := range []steps.Name{steps.Generate, steps.Write, steps.Restart} {
		st.fakes[n].plan = func(*steps.Run) (steps.Plan, error) {
			return steps.Plan{Summary: prose.Of("It is in order: " + string(n) + "."), Nothing: true}, nil
		}
	}
	return st
}

// A project that is in order has three: Start, Test and Finish. What passed by itself
// is not hidden: the page that asks says it.
func TestAHealthyProjectAsksLittle(t *testing.T) {
	st := newStage(t, plainLight).healthy().open().press("enter")
	st.want(steps.SmokeTest, ready)
	for _, want := range []string{"fingerprint 351071", "It is in order: write.", "4 checks passed", "It is in order: restart."} {
		if v := st.w.View(); !strings.Contains(v, want) {
			t.Errorf("%q is not shown:\n%s", want, v)
		}
	}
	if n := 1 + st.enters(); n != 3 {
		t.Errorf("it takes %d enters", n)
	}
}

// What passes by itself waits where a person should read it, where they come back to
// it, and where they have stopped it.
func TestWhatDoesNotPassByItself(t *testing.T) {
	warns := func(_ context.Context, _ *steps.Run, emit steps.Emit) error {
		emit.Check("order", steps.MarkWarn, "one thing", "could not be seen")
		return nil
	}
	finds := func(_ context.Context, _ *steps.Run, emit steps.Emit) error {
		emit.Find(finding.New("env-file-not-ignored", "").At(".gitignore", 0))
		return nil
	}
	for name, apply := range map[string]func(context.Context, *steps.Run, steps.Emit) error{"a warning": warns, "a finding": finds} {
		st := newStage(t, plainLight)
		st.fakes[steps.Distinct].apply = apply
		t.Log(name)
		st.open().to(steps.Write).press("enter").want(steps.Distinct, done).press("enter").want(steps.Restart, ready)
	}
	st := newStage(t, plainLight).healthy().open().press("enter")
	st.press("esc", "r").want(steps.Restart, ready)
	if v := st.w.View(); !strings.Contains(v, "Nothing to do here. Continue?") {
		t.Errorf("it does not ask:\n%s", v)
	}
	st.press("enter").want(steps.Restart, done)

	st = newStage(t, plainLight).open().to(steps.Write)
	st.fakes[steps.Distinct].apply = func(ctx context.Context, _ *steps.Run, _ steps.Emit) error {
		st.w.stop()
		return ctx.Err()
	}
	st.press("enter").want(steps.Distinct, ready)
}

// Who goes back does not wait for what the page was looking for: that ends at once.
func TestGoingBackStopsTheLook(t *testing.T) {
	for name, st := range map[string]*stage{
		"a page":     newStage(t, plainLight).open().to(steps.Write).during("r", steps.Write),
		"a rollback": newStage(t, plainLight).open().to("end"),
	} {
		stopped := false
		if name == "a rollback" {
			st.hold = true
			st.pick("Roll back")
		}
		if st.w.job == nil {
			t.Fatalf("%s: nothing is looked for", name)
		}
		st.w.job.cancel = func() { stopped = true }
		if st.press("esc"); !stopped || st.w.job != nil {
			t.Errorf("%s: stopped %t, still awaited %t", name, stopped, st.w.job != nil)
		}
	}
}

// What covers a page stays while the steps below it go on.
func TestAnOverlayStaysWhileTheStepsPass(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.Write).during("enter", steps.Write).press("l")
	st.w.scroll = 2
	st.release()
	if st.w.over == nil || st.w.scroll != 2 {
		t.Errorf("it was closed, or is at row %d", st.w.scroll)
	}
	st.press("esc").want(steps.Restart, ready)
}

// The enter key alone takes an upgrade from start to finish: Start, Make, Write,
// Restart, Test, Finish.
func TestEnterAloneFinishes(t *testing.T) {
	st := newStage(t, plainLight).open()
	if n := st.enters(); n != 6 {
		t.Errorf("it takes %d enters", n)
	}
	o, err := st.w.outcome(st.e, true, nil)
	if err != nil || o.Cancelled || o.Failed != nil || !o.Changed {
		t.Errorf("outcome %+v, error %v", o, err)
	}
	if o.Open != 2 {
		t.Errorf("%d items of the checklist are open, want 2", o.Open)
	}
	for n, s := range o.Statuses {
		if s != steps.Done {
			t.Errorf("%s is %s", n, s)
		}
	}
	if !st.e.Run.Answers.TempUser {
		t.Error("in development the account is not a throwaway one")
	}
	for _, f := range o.Findings {
		if f.Code == "jwt-key-missing" {
			t.Error("a finding that was fixed is still open")
		}
	}
}

// What is left to do is said once, also where a finding and the ending say the same.
func TestTheLastPageNamesAFixOnce(t *testing.T) {
	for _, skip := range []bool{false, true} {
		st := newStage(t, plainLight)
		if st.e.Run.Options.Skip = map[steps.Name]bool{steps.Checklist: skip}; skip {
			st.w.facts = look(st.e)
		}
		st.open().to("end")
		if v := st.size(120, 60); strings.Count(v, "Add it to .gitignore,") != 1 {
			t.Errorf("the checklist skipped %t:\n%s", skip, v)
		}
	}
}

// y and n answer a question, space is as good as enter, and a list is chosen from by a
// digit or a first letter.
func TestAnswersAsPeopleTypeThem(t *testing.T) {
	st := newStage(t, plainLight).open().press(" ")
	st.want(steps.Generate, ready)
	focus := func(want string) {
		t.Helper()
		if p := st.w.prompt(); p.options[st.w.selected].label != want {
			t.Errorf("%q has the focus, want %q", p.options[st.w.selected].label, want)
		}
	}
	st.press("2")
	focus(importKey)
	st.press("1")
	focus(makeKey)
	st.press("u")
	focus(importKey)
	st.press("m")
	focus(makeKey)
	if st.press("9"); st.w.over != nil {
		t.Error("a letter of the list opened something")
	}
	st.press(" ").want(steps.Write, ready)
	st.press("n").want(steps.Generate, done)
	st.press("enter").want(steps.Write, ready)
	st.press("y").want(steps.Restart, ready)
	st.press("y").want(steps.SmokeTest, ready)
	st.press("a")
	focus(ownAccount)
	st.press("a")
	focus(tempAccount)
	st.press("enter").want(steps.Checklist, done)
	st.pick("Roll back")
	if st.press("n"); st.w.asksBack() || st.w.restoring.verdict != nil {
		t.Error("n is no no")
	}
	st.pick("Roll back")
	if st.press("y"); st.w.restoring.verdict == nil {
		t.Error("y is no yes")
	}
}

// One text leads to another, and esc to the page.
func TestOverlaysSwitch(t *testing.T) {
	st := newStage(t, plainLight).open().press("?")
	for _, to := range [][2]string{{"w", "Why"}, {"l", "Log"}, {"t", "Findings"}, {"m", "Message for the team"}, {"b", "Emergency: revert the code change"}, {"?", "Help"}} {
		if st.press(to[0]); st.w.over == nil || st.w.over.title != to[1] {
			t.Fatalf("%s leads to %+v", to[0], st.w.over)
		}
	}
	if st.press("esc"); st.w.over != nil {
		t.Errorf("esc leads to %+v", st.w.over)
	}
	st.press("t", "enter", "esc")
	if st.w.over == nil || st.w.over.list == nil {
		t.Error("esc does not lead from a finding to the list")
	}
}

// The help page names the key of each page over the others.
func TestTheHelpNamesEveryPageOverTheOthers(t *testing.T) {
	help := newSheet(newStage(t, plainLight).w.styles, 200, "")
	helpOverlay().draw(newStage(t, plainLight).open().w, help)
	opened := 0
	for key := '!'; key <= '~'; key++ {
		st := newStage(t, plainLight).open().press(string(key))
		if st.w.over == nil || key == '?' { // which the footer of every page names
			continue
		}
		opened++
		if !slices.ContainsFunc(help.rows, func(row string) bool { return strings.HasPrefix(row, string(key)+" ") }) {
			t.Errorf("the help does not name %c, which opens %q", key, st.w.over.title)
		}
	}
	if opened < 5 {
		t.Errorf("%d keys open a page: this looked at little", opened)
	}
}

// A question is on the screen with its answers, however short the terminal.
func TestTheQuestionStays(t *testing.T) {
	for _, sc := range scenes {
		st := newStage(t, plainLight)
		sc.play(st)
		p := st.w.prompt()
		fields := st.fields()
		if p == nil || p.question == "" || st.w.over != nil || len(fields) > 0 {
			continue
		}
		first := strings.Fields(p.question[strings.LastIndex(p.question, "\n")+1:])[0]
		for _, size := range [][2]int{{20, 5}, {30, 6}, {60, 8}, {80, 11}} {
			if v := st.size(size[0], size[1]); !strings.Contains(v, "┃ "+first) {
				t.Errorf("%s at %v does not ask:\n%s", sc.name, size, v)
			}
		}
	}
}
