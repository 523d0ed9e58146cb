package ui

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"dj/keysplit/steps"
)

// The enter key alone takes a healthy upgrade from start to finish.
func TestEnterAloneFinishes(t *testing.T) {
	st := newStage(t, plainLight).open()
	for n := 0; !st.quit; n++ {
		if n > 20 {
			t.Fatalf("enter alone does not finish:\n%s", st.w.View())
		}
		st.press("enter")
	}
	o, err := st.w.outcome(st.e, true, nil)
	if err != nil || o.Cancelled || o.Failed != nil || !o.Changed {
		t.Errorf("outcome %+v, error %v", o, err)
	}
	for n, s := range o.Statuses {
		if s != steps.Done {
			t.Errorf("%s is %s", n, s)
		}
	}
	if !st.e.Run.Options.TempUser {
		t.Error("in development the account is not a throwaway one")
	}
	for _, f := range o.Findings {
		if f.Code == "jwt-key-missing" {
			t.Error("a finding that was mended is still open")
		}
	}
}

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
			r.Options.Username, r.Options.Password = "ada", r.Secret("a password")
		}, ownAccount, false},
	} {
		t.Run(name, func(t *testing.T) {
			st := newStage(t, plainLight)
			tc.set(st.e.Run)
			st.open().to(steps.SmokeTest)
			if got := st.w.prompt().options[st.w.selected].label; got != tc.want {
				t.Errorf("the default is %q, want %q", got, tc.want)
			}
			if st.e.Run.Options.TempUser != tc.temp {
				t.Errorf("TempUser is %v", st.e.Run.Options.TempUser)
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
		{"enter applies", nil, []string{"enter", "enter"}, steps.Generate, done, false},
		{"esc goes back", nil, []string{"enter", "enter", "esc"}, steps.Preflight, done, false},
		{"esc does not quit", nil, []string{"esc", "esc", "esc"}, steps.Preflight, done, false},
		{"back and on keeps what is done", nil, []string{"enter", "enter", "enter", "esc", "enter"}, steps.Write, ready, false},
		{"the Back button", to(steps.Write), []string{"right", "enter"}, steps.Generate, done, false},
		{"tab goes round", to(steps.Write), []string{"tab", "tab", "enter"}, steps.Write, done, false},
		{"shift+tab goes round", to(steps.Write), []string{"shift+tab", "enter"}, steps.Generate, done, false},
		{"r does a step again", to(steps.Write), []string{"enter", "r"}, steps.Write, ready, false},
		{"q quits", nil, []string{"q"}, steps.Preflight, done, true},
		{"ctrl+c quits", nil, []string{"ctrl+c"}, steps.Preflight, done, true},
		{"help covers and uncovers", nil, []string{"?", "?", "enter"}, steps.Generate, ready, false},
		{"enter closes a text", nil, []string{"w", "enter"}, steps.Preflight, done, false},
		{"esc closes the log first", to(steps.Write), []string{"l", "esc"}, steps.Write, ready, false},
		{"quit from a text", nil, []string{"l", "q"}, steps.Preflight, done, true},
		{"esc leaves a finding, then the list", nil, []string{"t", "enter", "esc", "esc", "enter"}, steps.Generate, ready, false},
		{"unknown keys do nothing", nil, []string{"z", "5", "ctrl+u"}, steps.Preflight, done, false},
		{"no to a question", to(steps.Generate), []string{"enter", "right", "enter", "enter"}, steps.Generate, done, false},
		{"esc to a question", to(steps.Generate), []string{"enter", "right", "enter", "esc", "enter"}, steps.Write, ready, false},
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
	if st.press("enter"); st.fakes[steps.Distinct].applied != 1 {
		t.Error("distinct ran without enter")
	}
	st.want(steps.Distinct, ready)
}

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
		st.pick("Skip")
		st.want("end", done)
		if s := st.w.facts.machine.Status(steps.SmokeTest); s != steps.Skipped {
			t.Errorf("the step counts as %s", s)
		}
		if !strings.Contains(st.w.View(), "left out") || strings.Contains(st.w.View(), "Done. The backend") {
			t.Errorf("the end does not say what was left out:\n%s", st.w.View())
		}
	})
	t.Run("fix a refused import", func(t *testing.T) {
		st := newStage(t, plainLight)
		refuse(st)
		st.open().to(steps.Generate).press("down", "enter").typed("short").press("enter", "enter")
		st.want(steps.Generate, failed)
		st.fakes[steps.Generate].apply = fakeSteps()[steps.Generate].apply
		st.pick("Fix it")
		st.want(steps.Generate, ready)
		if st.e.Run.Options.Import.Set() {
			t.Error("the refused key is still to be imported")
		}
		st.press("enter")
		st.want(steps.Generate, done)
	})
	t.Run("a refused import can be typed again", func(t *testing.T) {
		st := newStage(t, plainLight)
		refuse(st)
		st.open().to(steps.Generate).press("down", "enter").typed("short").press("enter", "enter")
		st.pick("Retry")
		st.press("down", "enter")
		if fields, _ := st.w.openFields(); len(fields) != 1 || !fields[0].empty() {
			t.Error("no empty field is open")
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
		stale(st)
		st.open().to(steps.SmokeTest).press("enter")
		st.pick("Roll back")
		if st.w.question == nil || st.w.rolledBack {
			t.Fatal("it did not ask")
		}
		st.press("right", "enter")
		o, _ := st.w.outcome(st.e, true, nil)
		if !o.RolledBack || o.Statuses[steps.Write] != steps.Undone || o.Failed != nil {
			t.Errorf("outcome %+v", o)
		}
	})
	t.Run("a rollback that fails", func(t *testing.T) {
		st := newStage(t, plainLight)
		st.fakes[steps.Write].undo = func(*steps.Run, steps.Emit) error { return errors.New("the disk is gone") }
		st.open().to("end")
		st.pick("Roll back")
		st.press("right", "enter")
		if o, _ := st.w.outcome(st.e, true, nil); o.RolledBack {
			t.Error("counts as rolled back")
		}
		if !strings.Contains(st.w.View(), "the disk is gone") {
			t.Errorf("the reason is missing:\n%s", st.w.View())
		}
	})
	t.Run("a plan that fails", func(t *testing.T) {
		st := newStage(t, plainLight)
		st.fakes[steps.Write].plan = func(*steps.Run) (steps.Plan, error) {
			return steps.Plan{}, steps.Fail(steps.NewFinding("env-file-changed", ""))
		}
		st.open().press("enter", "enter", "enter")
		st.want(steps.Write, failed)
		if !strings.Contains(st.w.View(), "changed by someone else") {
			t.Errorf("the reason is missing:\n%s", st.w.View())
		}
		o, _ := st.w.outcome(st.e, true, nil)
		if o.Failed == nil || !o.Cancelled {
			t.Errorf("outcome %+v", o)
		}
	})
	t.Run("preflight offers no skip", func(t *testing.T) {
		st := newStage(t, plainLight)
		st.fakes[steps.Preflight].apply = func(context.Context, *steps.Run, steps.Emit) error { return errors.New("no") }
		st.open()
		st.want(steps.Preflight, failed)
		for _, o := range st.w.prompt().options {
			if o.label != "Retry" && o.label != "Quit" {
				t.Errorf("it offers %q", o.label)
			}
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

func TestQuitWhileWriting(t *testing.T) {
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
			st := newStage(t, plainLight).open().to(tc.step).during("enter", tc.step)
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
			if ran := st.fakes[tc.step].applied == 1; ran != tc.going {
				t.Errorf("the step ran: %v", ran)
			}
		})
	}
}

// Stopping a step leads back to its plan, and nothing else.
func TestStop(t *testing.T) {
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

// Messages of a job that was given up change nothing.
func TestStaleMessagesAreDropped(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.Write)
	before := st.w.View()
	old := st.w.lastJob - 1
	st.send(eventMsg{old, steps.Event{Step: steps.Write, Kind: steps.EventCheck, ID: "x", Text: "from the past"}})
	st.send(resultMsg{id: old, kind: jobApply, step: steps.Write, err: errors.New("from the past")})
	if got := st.w.View(); got != before {
		t.Errorf("the view changed:\n%s", got)
	}
	// The same messages count for the job that runs.
	st.during("enter", steps.Write, steps.Event{Kind: steps.EventCheck, ID: "x", Text: "from now"})
	if !strings.Contains(st.w.View(), "from now") {
		t.Errorf("an event of the running job is missing:\n%s", st.w.View())
	}
	st.send(resultMsg{id: st.w.lastJob, kind: jobApply, step: steps.Write, err: errors.New("from now"), facts: st.w.facts})
	st.want(steps.Write, failed)
}

// Leaving a page while its plan is made drops the plan.
func TestBackWhilePlanning(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.Generate).press("enter")
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

// fresh makes a value that must not turn up anywhere.
func fresh() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// What is typed into a masked field is in no frame and in no printed form of
// the model, neither while it is typed nor afterwards.
func TestTypedSecretsStayOutOfSight(t *testing.T) {
	for _, paste := range []bool{false, true} {
		st := newStage(t, plainLight).open().to(steps.SmokeTest)
		password := fresh()
		looks := func(when string) {
			t.Helper()
			for _, form := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
				printed := fmt.Sprintf(form, *st.w) + fmt.Sprintf(form, *st.w.current()) +
					fmt.Sprintf(form, st.w.current().screen) + fmt.Sprintf(form, *st.w.page(steps.SmokeTest).screen.(*smokeTestScreen).password)
				if leaks(printed, password) || leaks(printed, fmt.Sprintf("%x", password)) || leaks(printed, strings.Trim(fmt.Sprint([]rune(password)), "[]")) {
					t.Errorf("%s: %s of the model shows the password", when, form)
				}
			}
			if leaks(st.w.View(), password) {
				t.Errorf("%s: the view shows the password", when)
			}
		}
		st.press("down", "enter").typed("ada").press("enter")
		if paste {
			st.paste(password + "\n")
		} else {
			st.typed(password)
		}
		looks("while typing")
		if !strings.Contains(st.w.View(), "••••••••") {
			t.Errorf("no dots are shown:\n%s", st.w.View())
		}
		st.press("enter")
		looks("after enter")
		if got := st.e.Run.Options; got.Username != "ada" || got.Password.Reveal() != password || got.TempUser {
			t.Errorf("the run got user %q and a password of %d characters", got.Username, got.Password.Len())
		}
		st.press("enter")
		st.want(steps.SmokeTest, done)
		looks("at the end")
	}
	if !leaks("see "+strings.Repeat("a", 20), strings.Repeat("a", 12)) {
		t.Fatal("leaks finds nothing")
	}
}

func leaks(text, value string) bool {
	for i := 0; i+12 <= len(value); i++ {
		if strings.Contains(text, value[i:i+12]) {
			return true
		}
	}
	return false
}

// The key is shown and copied only after a question, and is gone with the next
// key.
func TestTheKeyIsShownOnlyOnRequest(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.Generate).press("enter")
	shown := func() bool { return leaks(strings.ReplaceAll(st.w.View(), "\n   ", ""), goodKey) }
	if shown() {
		t.Fatal("the key is on the screen without a question")
	}
	st.pick("Show")
	if shown() {
		t.Error("the key is on the screen before the answer")
	}
	st.press("right", "enter")
	if !shown() {
		t.Errorf("the key is not shown after yes:\n%s", st.w.View())
	}
	st.press("enter")
	if shown() {
		t.Error("the key stays on the screen")
	}
	st.want(steps.Generate, done)
	st.press("c")
	if len(st.copied) > 0 {
		t.Errorf("c copied the key without a question")
	}
	st.pick("Copy")
	st.press("right", "enter")
	if len(st.copied) != 1 || st.copied[0] != goodKey {
		t.Errorf("%d texts were copied", len(st.copied))
	}
}

// c copies the command of a plan, and the fix of a failure.
func TestCopy(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.Restart).press("c")
	if len(st.copied) != 1 || st.copied[0] != "python manage.py runserver" {
		t.Errorf("copied %q", st.copied)
	}
	if !strings.Contains(st.w.View(), "Sent to the clipboard") {
		t.Error("it does not say so")
	}
	for fix, want := range map[string]string{
		"Run: keysplit upgrade --rotate":                            "keysplit upgrade --rotate",
		"Run: keysplit upgrade. It keeps the one that counts.":      "keysplit upgrade",
		"Go to the folder, or name it: keysplit --project DIR.":     "keysplit --project DIR",
		"Run: chmod 600 on the file, or 640 where others read it.":  "chmod 600 on the file",
		"Wait for the time that the server names.":                  "Wait for the time that the server names.",
		"In this shell: unset JWT_SECRET_KEY. Then take it out of.": "unset JWT_SECRET_KEY",
	} {
		if got := command(fix); got != want {
			t.Errorf("command(%q) = %q, want %q", fix, got, want)
		}
	}
}

// In a field, letters type; a paste elsewhere is no command.
func TestTypingAndPasting(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.SmokeTest).press("down", "enter").typed("quit wl?x")
	if st.quit || st.w.over != nil || !strings.Contains(st.w.View(), "quit wl?x_") {
		t.Errorf("letters did not type:\n%s", st.w.View())
	}
	st.press("esc")
	st.want(steps.SmokeTest, ready)
	if fields, _ := st.w.openFields(); len(fields) > 0 {
		t.Error("esc does not close the form")
	}
	st.paste("q").paste("qqq\n")
	if st.quit {
		t.Error("a paste quit the wizard")
	}
}

func TestField(t *testing.T) {
	for _, tc := range []struct {
		keys []string
		want string
	}{
		{[]string{"a", "b", "left", "c"}, "acb"},
		{[]string{"a", "b", "backspace"}, "a"},
		{[]string{"backspace", "a"}, "a"},
		{[]string{"a", "b", "home", "c", "end", "d"}, "cabd"},
		{[]string{"a", "ctrl+u", "b"}, "b"},
		{[]string{" ", "a", " "}, "a"},
		{[]string{"a\x1b\u200b\nb"}, "ab"},
		{[]string{strings.Repeat("x", maxField), "y"}, strings.Repeat("x", maxField)},
	} {
		f := newField("Key", true)
		for _, k := range tc.keys {
			f.key(key(k))
		}
		if got := f.take(); got != tc.want {
			t.Errorf("%q types %q, want %q", tc.keys, got, tc.want)
		}
		if !f.empty() {
			t.Error("take leaves the text")
		}
	}
}

// Preflight's options of the command line reach the first plan.
func TestRotateFromTheCommandLine(t *testing.T) {
	st := newStage(t, plainLight)
	plan := st.fakes[steps.Generate].plan
	st.fakes[steps.Generate].plan = func(r *steps.Run) (steps.Plan, error) {
		if r.Options.Rotate {
			return plan(r)
		}
		return steps.Plan{Summary: "The key in the file is good. It stays.", Nothing: true}, nil
	}
	st.e.Run.Options.Rotate = true
	st.open().to(steps.Generate)
	if got := st.w.prompt().options[st.w.selected].label; got != makeKey {
		t.Errorf("the default is %q", got)
	}
	st.press("up")
	if got := st.w.prompt().options[st.w.selected].label; got != keepKey || st.e.Run.Options.Rotate {
		t.Errorf("%q has the focus, rotate is %v", got, st.e.Run.Options.Rotate)
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
