package ui

import (
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
)

// The first page says how long the steps take, as far as the look at the project shows it.
func TestHowLongTheStepsTake(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		looked time.Duration
		skip   []steps.Name
		other  bool // another way of restarting, or another environment
		want   string
	}{
		{looked: 300 * time.Millisecond, want: "keysplit fixes this in a few seconds:"},
		{looked: 4500 * time.Millisecond, want: "keysplit fixes this in a few seconds:"},
		{looked: 4600 * time.Millisecond, want: "keysplit fixes this in about 20 seconds:"},
		{looked: 20 * time.Second, want: "keysplit fixes this in about 50 seconds:"},
		{looked: 20 * time.Second, skip: []steps.Name{steps.SmokeTest}, want: "keysplit fixes this in about 30 seconds:"},
		{looked: 20 * time.Second, skip: []steps.Name{steps.SmokeTest, steps.Restart}, want: "keysplit fixes this in a few seconds:"},
		{looked: 30 * time.Second, want: "keysplit fixes this, one step after the other:"},
		{looked: time.Second, other: true, want: "keysplit fixes this, one step after the other:"},
	} {
		st := newStage(t, plainLight).open()
		st.w.looked, st.w.facts.reloads = c.looked, !c.other
		st.w.facts.skip = map[steps.Name]bool{}
		for _, n := range c.skip {
			st.w.facts.skip[n] = true
		}
		if v := st.w.View(); !strings.Contains(v, c.want) {
			t.Errorf("%+v: the page does not say %q:\n%s", c, c.want, v)
		}
	}
}

// The plan says what the restart will do, wherever it names the step.
func TestThePlanNamesTheRestartAsItIs(t *testing.T) {
	t.Parallel()
	st := newStage(t, plainLight)
	st.fakes[steps.Restart].task = "leave the restart to you"
	if v := st.open().w.View(); !strings.Contains(v, "4 leave the restart to you") || strings.Contains(v, "restart the backend") {
		t.Errorf("the plan says otherwise:\n%s", v)
	}
	if v := st.to(steps.Restart).w.View(); !strings.Contains(v, "Step 4 of 5: leave the restart to you") {
		t.Errorf("the step says otherwise:\n%s", v)
	}
}

// The time of the look is that of the job, and only the server of development reloads.
func TestWhatTheTimeIsKnownOf(t *testing.T) {
	t.Parallel()
	st := newStage(t, plainLight)
	st.hold = true
	st.open()
	began := st.w.started
	st.w.now = func() time.Time { return began.Add(4 * time.Second) }
	st.send(resultMsg{id: st.w.lastJob, kind: jobApply, step: steps.Preflight, facts: look(st.e)})
	if st.w.looked != 4*time.Second || !st.w.facts.reloads {
		t.Errorf("the look took %v, reloads %t", st.w.looked, st.w.facts.reloads)
	}
	for name, change := range map[string]func(*steps.Options){
		"another environment": func(o *steps.Options) { o.Environment = "staging" },
		"containers":          func(o *steps.Options) { o.Contained = &steps.Contained{} },
		"production":          func(o *steps.Options) { o.Production = true },
		"workers":             func(o *steps.Options) { o.Also = []steps.Way{nil} },
	} {
		st := newStage(t, plainLight)
		if change(&st.e.Run.Options); reloads(st.e.Run) {
			t.Errorf("%s: it is taken for a server that reloads", name)
		}
	}
}
