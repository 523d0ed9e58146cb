package ui

import (
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
)

// What is asked of who quits says what would be cut off: nothing, while keysplit only
// waits for a server.
func TestTheQuitQuestionSaysWhatIsGoingOn(t *testing.T) {
	t.Parallel()
	watch := func(text string) (ev steps.Event) {
		steps.Emit(func(e steps.Event) { ev = e }).Wait(text, steps.DefaultTimeout)
		return ev
	}
	end := func() (ev steps.Event) {
		steps.Emit(func(e steps.Event) { ev = e }).WaitForEnd(steps.DefaultTimeout)
		return ev
	}
	for _, c := range []struct {
		step   steps.Name
		events []steps.Event
		want   string
	}{
		{steps.Write, nil, "keysplit is writing. Stop at the next safe place and quit?"},
		{steps.Restart, nil, "The backend is being restarted. Stop at the next safe place and quit?"},
		{steps.Restart, []steps.Event{watch("http://127.0.0.1:8000")}, "Waiting for http://127.0.0.1:8000. Stop waiting and quit? ┃ [ Keep waiting ] Quit"},
		{steps.Restart, []steps.Event{watch("it"), {Kind: steps.EventProgress, Text: prose.Say("Rolling out.")}}, "The backend is being restarted."},
		{steps.Restart, []steps.Event{end()}, "The backend is being restarted."},
	} {
		st := newStage(t, plainLight).open().to(c.step).during("enter", c.step, c.events...)
		st.press("q")
		if v := strings.Join(strings.Fields(st.w.View()), " "); !strings.Contains(v, c.want) {
			t.Errorf("it does not ask %q:\n%s", c.want, st.w.View())
		}
		if st.press("n"); st.w.leaving || st.w.question != nil {
			t.Errorf("n does not keep it going:\n%s", st.w.View())
		}
	}
}
