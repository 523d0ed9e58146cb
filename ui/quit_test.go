package ui

import (
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/stepstest"
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
		if v := stepstest.OneLine(st.w.View()); !strings.Contains(v, c.want) {
			t.Errorf("it does not ask %q:\n%s", c.want, st.w.View())
		}
		if st.press("n"); st.w.leaving || st.w.question != nil {
			t.Errorf("n does not keep it going:\n%s", st.w.View())
		}
	}
}

// What was only looked for and was there at once leaves no line; what took a while says so.
func TestAWaitThatCameAtOnceLeavesNoLine(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for after, want := range map[time.Duration]int{200 * time.Millisecond: 1, 3 * time.Second: 2} {
		p := &page{}
		wait := steps.Event{Kind: steps.EventProgress, Text: prose.Say("Waiting for it"), Limit: time.Minute, Watches: true, Time: began}
		p.take(wait)
		if len(p.lines) != 1 {
			t.Error("while it waits nothing is said")
		}
		p.take(steps.Event{Kind: steps.EventCheck, ID: "answers", Mark: steps.MarkOK, Time: began.Add(after)})
		if len(p.lines) != want || want == 2 && p.lines[0].Detail.Rendered() != "3 s" {
			t.Errorf("after %v: %+v", after, p.lines)
		}
	}
}
