package ui

import (
	"errors"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/prose"
)

// Outside of development, and without Django, no account is made.
func TestAccountOfTheSmokeTest(t *testing.T) {
	for name, tc := range map[string]struct {
		set  func(*steps.Run)
		want string
		temp bool
	}{
		"development":    {func(*steps.Run) {}, tempAccount, true},
		"staging":        {func(r *steps.Run) { r.Options.Environment = "staging" }, noAccount, false},
		"without Django": {func(r *steps.Run) { r.Django = nil }, noAccount, false},
		"given": {func(r *steps.Run) {
			r.Answers.Username, r.Answers.Password = "ada", r.Secret("a password")
		}, ownAccount, false},
	} {
		t.Run(name, func(t *testing.T) {
			st := newStage(t, plainLight)
			tc.set(st.e.Run)
			st.open().to(steps.SmokeTest)
			if got := st.w.prompt().options[st.w.selected].label; got != tc.want {
				t.Errorf("the default is %q, want %q", got, tc.want)
			}
			if st.e.Run.Answers.TempUser != tc.temp {
				t.Errorf("TempUser is %v", st.e.Run.Answers.TempUser)
			}
			if !tc.temp && name != "given" && strings.Contains(st.w.View(), tempAccount) {
				t.Error("a throwaway account is offered")
			}
		})
	}
}

// Keys and where they lead.
func TestKeys(t *testing.T) {
	for _, tc := range []struct {
		name  string
		begin func(*stage) *stage
		keys  []string
		page  steps.Name
		phase phase
		quit  bool
	}{
		{"enter goes on", nil, []string{"enter"}, steps.Generate, ready, false},
		{"enter applies, and what is done passes", nil, []string{"enter", "enter"}, steps.Write, ready, false},
		{"esc goes back", nil, []string{"enter", "enter", "esc", "esc"}, steps.Preflight, done, false},
		{"esc does not quit", nil, []string{"esc", "esc", "esc"}, steps.Preflight, done, false},
		{"back and on keeps what is done", nil, []string{"enter", "enter", "esc", "esc", "enter", "enter"}, steps.Write, ready, false},
		{"the Back button", to(steps.Write), []string{"right", "enter"}, steps.Generate, done, false},
		{"tab goes round", to(steps.Write), []string{"tab", "tab", "enter"}, steps.Restart, ready, false},
		{"shift+tab goes round", to(steps.Write), []string{"shift+tab", "enter"}, steps.Generate, done, false},
		{"r does a step again", to(steps.Write), []string{"enter", "esc", "esc", "r"}, steps.Write, ready, false},
		{"and stays there", to(steps.Write), []string{"enter", "esc", "esc", "r", "enter"}, steps.Write, done, false},
		{"q quits", nil, []string{"q"}, steps.Preflight, done, true},
		{"ctrl+c quits", nil, []string{"ctrl+c"}, steps.Preflight, done, true},
		{"help covers and uncovers", nil, []string{"?", "?", "enter"}, steps.Generate, ready, false},
		{"enter closes a text", nil, []string{"w", "enter"}, steps.Preflight, done, false},
		{"esc closes the log first", to(steps.Write), []string{"l", "esc"}, steps.Write, ready, false},
		{"quit from a text", nil, []string{"l", "q"}, steps.Preflight, done, true},
		{"esc leaves a finding, then the list", nil, []string{"t", "enter", "esc", "esc", "enter"}, steps.Generate, ready, false},
		{"unknown keys do nothing", nil, []string{"z", "5", "ctrl+u"}, steps.Preflight, done, false},
		{"no to a question", to(steps.Generate), []string{"enter", "esc", "right", "enter", "enter"}, steps.Generate, done, false},
		{"esc to a question", to(steps.Generate), []string{"enter", "esc", "right", "enter", "esc", "enter"}, steps.Write, ready, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			st := newStage(t, plainLight).open()
			if tc.begin != nil {
				tc.begin(st)
			}
			st.press(tc.keys...)
			st.want(tc.page, tc.phase)
			if st.quit != tc.quit {
				t.Errorf("quit is %v", st.quit)
			}
		})
	}
}

func to(n steps.Name) func(*stage) *stage {
	return func(st *stage) *stage { return st.to(n) }
}

// Going back to look changes nothing; only again does.
func TestBackOnlyLooks(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.Restart)
	st.press("esc", "esc", "esc")
	st.want(steps.Generate, done)
	st.press("enter", "enter", "enter")
	st.want(steps.Restart, ready)
	if n := st.fakes[steps.Write].applied; n != 1 {
		t.Errorf("write ran %d times", n)
	}
	st.press("esc", "esc", "r", "enter")
	st.want(steps.Write, done)
	if s := st.w.facts.machine.Status(steps.Distinct); s != steps.Pending {
		t.Errorf("distinct is %s after write ran again", s)
	}
	if st.fakes[steps.Distinct].applied != 1 {
		t.Error("distinct ran without enter")
	}
	if st.press("enter"); st.fakes[steps.Distinct].applied != 2 {
		t.Error("what was written again was not verified again")
	}
	st.want(steps.Restart, ready)
}

// c copies the command of a plan, and the fix of a failure.
func TestCopy(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.Restart).press("c")
	if len(st.copied) != 1 || st.copied[0] != "python manage.py runserver" {
		t.Errorf("copied %q", st.copied)
	}
	if !strings.Contains(st.w.View(), "Copied") {
		t.Error("it does not say so")
	}
	for want, fix := range map[string]finding.Fix{
		"chmod 600 .env": finding.Do("Run: `chmod 600 .env`, or 640."),
		"":               finding.Do("Wait for the time that the server names, then run `keysplit --url HOST`."),
	} {
		p := st.w.current()
		p.failure, p.findings = errors.New("it failed"), []finding.Finding{finding.New(finding.RestartFailed, "").WithFix(fix)}
		if got := st.w.copyable(); got != want {
			t.Errorf("c copies %q, want %q", got, want)
		}
	}
}

// Preflight's options of the command line reach the first plan.
func TestRotateFromTheCommandLine(t *testing.T) {
	st := newStage(t, plainLight)
	plan := st.fakes[steps.Generate].plan
	st.fakes[steps.Generate].plan = func(r *steps.Run) (steps.Plan, error) {
		if r.Answers.Rotate {
			return plan(r)
		}
		return steps.Plan{Summary: prose.Say("Your key is good, so it stays."), Nothing: true}, nil
	}
	st.e.Run.Answers.Rotate = true
	st.open().to(steps.Generate)
	if got := st.w.prompt().options[st.w.selected].label; got != makeKey {
		t.Errorf("the default is %q", got)
	}
	st.press("up")
	if got := st.w.prompt().options[st.w.selected].label; got != keepKey || st.e.Run.Answers.Rotate {
		t.Errorf("%q has the focus, rotate is %v", got, st.e.Run.Answers.Rotate)
	}
}

// A key press and its frame together stay far below 16 ms.
func BenchmarkKeyPress(b *testing.B) {
	st := newStage(b, lit{profile: 0, dark: true}).open().to(steps.Write)
	st.w.Update(tea.WindowSizeMsg{Width: 120, Height: 40})
	for b.Loop() {
		_, _ = st.w.Update(key("tab"))
		_ = st.w.View()
	}
}

// A step that is registered with the engine gets its page; one that is not has
// none.
func TestAStepHasAPageWhenTheEngineHasIt(t *testing.T) {
	if st := newStage(t, plainLight).open().to("end"); !strings.Contains(st.w.View(), "9. Team notified of change") {
		t.Errorf("the last page leaves the checklist out:\n%s", st.w.View())
	}
	if st := newStage(t, plainLight, steps.Checklist).open().to("end"); strings.Contains(st.w.View(), "Checklist") {
		t.Errorf("a step that is not there is in the summary:\n%s", st.w.View())
	}
}

// Scrolling stops at the ends, so that the first key back is seen.
func TestScrolling(t *testing.T) {
	st := newStage(t, plainLight).open()
	st.send(tea.WindowSizeMsg{Width: 60, Height: 12})
	top := st.w.View()
	for range 50 {
		st.press("down")
	}
	bottom := st.w.View()
	if !strings.Contains(bottom, "press t") {
		t.Errorf("the end is not in sight:\n%s", bottom)
	}
	if st.press("up"); st.w.View() == bottom {
		t.Error("the first key back does nothing")
	}
	for range 50 {
		st.press("up")
	}
	if st.w.View() != top {
		t.Errorf("up does not lead to the top:\n%s", st.w.View())
	}
	if st.press("end"); st.w.View() != bottom {
		t.Error("end does not lead to the end")
	}
}

// In a long list the entry that has the focus is on the screen.
func TestTheListFollowsTheFocus(t *testing.T) {
	st := newStage(t, plainLight).open().press("t", "a")
	st.send(tea.WindowSizeMsg{Width: 60, Height: 10})
	for i := range st.w.over.list.n {
		if !strings.Contains(st.w.View(), "┃") {
			t.Fatalf("entry %d is out of sight:\n%s", i, st.w.View())
		}
		st.press("j")
	}
	st.press("enter")
	last := finding.Codes()[len(finding.Codes())-1]
	if !strings.Contains(st.w.View(), string(last)) {
		t.Errorf("the last entry does not open:\n%s", st.w.View())
	}
}

// Every step has a package and a screen, in the engine's order.
func TestEveryStepHasAPackageAndAScreen(t *testing.T) {
	for i, n := range steps.Order() {
		if i >= len(parts) || parts[i].step().Name() != n || parts[i].screen() == nil {
			t.Errorf("%s is not where the engine has it", n)
		}
	}
	e := NewEngine(&steps.Run{})
	for _, n := range steps.Order() {
		if !e.Has(n) {
			t.Errorf("the engine has no %s", n)
		}
	}
}

// NewEngine takes the steps that it is given in place of its own.
func TestAnEngineTakesOtherSteps(t *testing.T) {
	f := &fakeStep{name: steps.Preflight}
	e := NewEngine(&steps.Run{}, f)
	if _, err := e.Plan(t.Context(), steps.Preflight, nil); err != nil {
		t.Fatal(err)
	}
	if err := e.Apply(t.Context(), steps.Preflight, nil); err != nil || f.applied != 1 {
		t.Errorf("applied %d times, %v", f.applied, err)
	}
}

// On the last page everything is done: q is as good as Finish there, and ctrl+c
// still says that the user has stopped it.
func TestQuittingOnTheLastPage(t *testing.T) {
	t.Attr("part", "ends of the wizard inside the process")
	for key, cancelled := range map[string]bool{"q": false, "enter": false, "ctrl+c": true} {
		st := newStage(t, plainLight).open().to("end").press(key)
		if o, _ := st.w.outcome(st.e, true, nil); !st.quit || o.Cancelled != cancelled {
			t.Errorf("%s: quit %t, cancelled %t", key, st.quit, o.Cancelled)
		}
	}
	st := newStage(t, plainLight).open().to(steps.Write).press("q")
	if o, _ := st.w.outcome(st.e, true, nil); !o.Cancelled {
		t.Error("q in the middle counts as the end")
	}
}
