package ui

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

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
				printed := fmt.Sprintf(form, *st.w) + fmt.Sprintf(form, *st.w.current()) + fmt.Sprintf(form, st.w.current().screen)
				if st.w.form != nil {
					printed += fmt.Sprintf(form, *st.w.form) + fmt.Sprintf(form, *st.fields()[1])
				}
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
		if got := st.e.Run.Answers; got.Username != "ada" || got.Password.Reveal() != password || got.TempUser {
			t.Errorf("the run got user %q and a password of %d characters", got.Username, got.Password.Len())
		}
		st.want(steps.Checklist, done)
		looks("at the end")
		st.press("esc")
		st.want(steps.SmokeTest, done)
		looks("at the proof")
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
	st := newStage(t, plainLight).open().proof(steps.Generate)
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

// A shown key breaks where the row ends and nowhere else, and where the terminal is short,
// it can be scrolled to.
func TestAShownKeyIsReadable(t *testing.T) {
	st := newStage(t, plainLight).open().proof(steps.Generate)
	key := "h-" + strings.Repeat("aB3-xY7_", 10) + "wxyz"
	st.w.facts.key = prints.Secret(key)
	st.pick("Show")
	st.press("right", "enter")
	for _, width := range []int{60, 80, 100} {
		if v := st.size(width, 24); !strings.Contains(strings.ReplaceAll(v, "\n   ", ""), key) || !strings.Contains(v, key[:56]) {
			t.Errorf("the key is broken at %d columns:\n%s", width, v)
		}
	}
	st.press("x").size(20, 5)
	st.pick("Show")
	st.press("right", "enter")
	seen := st.w.View()
	for range 10 {
		seen += st.press("up").w.View()
	}
	for at := 0; at+19 <= len(key); at += 19 {
		if !strings.Contains(seen, key[at:at+19]) {
			t.Errorf("%d to %d of the key cannot be read:\n%s", at, at+19, seen)
			break
		}
	}
	if v := st.press("x").w.View(); leaks(v, key) {
		t.Errorf("it is still there:\n%s", v)
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
	if fields := st.fields(); len(fields) > 0 {
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
		f := newField("Key", true, "Type it")
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

// While a key is typed, the page says how far it is.
func TestAKeyIsJudgedWhileItIsTyped(t *testing.T) {
	st := newStage(t, plainLight).open().to(steps.Generate).press("down", "enter").typed("correct horse")
	if v := st.w.View(); !strings.Contains(v, "! 13 of at least 50 characters") {
		t.Errorf("13 characters:\n%s", v)
	}
	st.typed(strings.Repeat("x", 37))
	if v := st.w.View(); !strings.Contains(v, "! 50 characters, but easy to guess") {
		t.Errorf("a key that repeats itself:\n%s", v)
	}
	if st.press("enter").want(steps.Generate, ready); len(st.fields()) != 1 {
		t.Error("it was taken")
	}
	st.press("ctrl+u").typed(fresh() + fresh()[:7])
	if v := st.w.View(); !strings.Contains(v, "✓ 50 characters") || strings.Contains(v, "at least") {
		t.Errorf("50 characters:\n%s", v)
	}
}

// Without a project there are no steps to show.
func TestNoProjectNoSteps(t *testing.T) {
	st := newStage(t, plainLight)
	st.fakes[steps.Preflight].apply = func(context.Context, *steps.Run, steps.Emit) error {
		return steps.Fail(finding.New(finding.ProjectNotFound, ""))
	}
	if v := st.open().w.View(); strings.Contains(v, "Verify") {
		t.Errorf("the stepper is shown:\n%s", v)
	}
	st.fakes[steps.Preflight].apply = fakeSteps()[steps.Preflight].apply
	st.pick("Retry")
	if v := st.w.View(); !strings.Contains(v, "○ Verify") {
		t.Errorf("the stepper is not back:\n%s", v)
	}
}
