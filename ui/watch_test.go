package ui

import (
	"context"
	"errors"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/checklist"
	"dj/keysplit/steps/prose"
)

// watcher is a restart that finds no server until it is looked for often enough.
type watcher struct {
	*fakeStep
	looks, after int
	err          error
}

func (f *watcher) Seen(context.Context, *steps.Run) (bool, error) {
	f.looks++
	return f.looks > f.after, f.err
}

// alone is a stage whose restart starts a server of keysplit's own, until there is one
// of the project's.
func alone(t *testing.T) (*stage, *watcher) {
	st := newStage(t, plainLight)
	f := &watcher{fakeStep: st.fakes[steps.Restart], after: 3}
	f.plan = nil
	f.apply = func(_ context.Context, run *steps.Run, emit steps.Emit) error {
		run.OwnServer = f.looks <= f.after
		emit.Check(steps.LineAnswers, steps.MarkOK, "server answers", "")
		return nil
	}
	var all []steps.Step
	for _, n := range steps.Order() {
		if n == steps.Restart {
			all = append(all, f)
		} else {
			all = append(all, st.fakes[n])
		}
	}
	now := st.e.Now
	*st.e = *steps.NewEngine(st.e.Run, all...)
	st.e.Now = now
	return st, f
}

// The last page waits for the server that the person is told to start, and tests it
// when it answers.
func TestTheLastPageWaitsForTheServer(t *testing.T) {
	st, f := alone(t)
	st.open().to(steps.SmokeTest)
	st.holdAtEnd = true
	st.press("enter")
	if !strings.Contains(st.w.View(), "Waiting for your server") || strings.Contains(st.w.View(), "Done. The backend has a JWT key of its own.") {
		t.Fatalf("the last page does not wait:\n%s", st.w.View())
	}
	tested := st.fakes[steps.SmokeTest].applied
	st.release()
	if f.looks != f.after+1 || f.applied != 2 || st.fakes[steps.SmokeTest].applied != tested+1 {
		t.Errorf("%d looks; restarted %d times, tested %d times more", f.looks, f.applied, st.fakes[steps.SmokeTest].applied-tested)
	}
	if view := st.w.View(); strings.Contains(view, "Waiting") || !strings.Contains(view, "The backend has a JWT key of its own") {
		t.Errorf("the server that came is not ticked:\n%s", view)
	}
}

// An item that waits for the server says what the page says, not another command.
func TestAnItemWaitsForTheServerAsThePageDoes(t *testing.T) {
	st, _ := alone(t)
	st.open().to(steps.SmokeTest)
	st.holdAtEnd = true
	st.press("enter")
	screen := st.w.page(steps.Checklist).screen.(*checklistScreen)
	for awaits, want := range map[bool]string{true: "It is tested as soon as it answers.", false: "the steps again (esc goes back to them)"} {
		screen.items = map[string]checklist.Item{"item-4": {Number: 4, Awaits: awaits, Todo: prose.Say("Start your server, then run `keysplit upgrade`.")}}
		s := newSheet(st.w.styles, 70, "")
		screen.details(st.w, s, steps.Event{ID: "item-4", Mark: steps.MarkWarn, Detail: prose.Say("open")})
		if got := strings.Join(s.rows, " "); !strings.Contains(got, want) {
			t.Errorf("an item that awaits a server (%v) says %q, want %q", awaits, got, want)
		}
	}
	st.release()
}

// A server that is not as it should be leads to the page that says so, and one that
// cannot be looked for ends the waiting.
func TestTheServerThatCame(t *testing.T) {
	st, f := alone(t)
	f.after = 0
	times := 0
	st.fakes[steps.SmokeTest].apply = func(_ context.Context, _ *steps.Run, emit steps.Emit) error {
		if times++; times > 1 {
			emit.Check(steps.LineFresh, steps.MarkRunning, "the server has the new key", "")
			return errors.New("it signs with another key")
		}
		emit.Check(steps.LineLogin, steps.MarkOK, "of the first proof", "")
		return nil
	}
	st.open().to(steps.SmokeTest).press("enter")
	st.want(steps.SmokeTest, failed)
	if v := st.w.View(); !strings.Contains(v, "✗ the server has the new key") || strings.Contains(v, "of the first proof") {
		t.Errorf("the second proof is not what the page shows:\n%s", v)
	}

	st, f = alone(t)
	f.err = errors.New("no list")
	st.open().to(steps.SmokeTest).press("enter")
	if f.looks != 1 || !st.w.atEnd() {
		t.Errorf("%d looks", f.looks)
	}

	st, f = alone(t)
	f.after = 0
	f.plan = func(*steps.Run) (steps.Plan, error) {
		return steps.Plan{Summary: prose.Say("Restart."), Question: prose.Say("Restart the server now?")}, nil
	}
	st.open().to(steps.SmokeTest).press("enter")
	st.want(steps.Restart, ready)
}
