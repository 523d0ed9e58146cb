package restart

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/journal"
	"dj/keysplit/steps/process"
	"dj/keysplit/steps/prose"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/vendor"
)

var errLost = errors.New("the answer got lost")

// manager is one of a platform that fails where a test says.
type manager struct {
	fails    string
	plan     steps.Plan
	seen     []vendor.Sighting
	restarts int
}

func (m *manager) fail(at string) error {
	if m.fails == at {
		return errLost
	}
	return nil
}

func (m *manager) Plan(context.Context, *steps.Run) (steps.Plan, error) {
	return m.plan, m.fail("plan")
}
func (m *manager) Places(context.Context, *steps.Run) []string  { return []string{"the platform"} }
func (m *manager) MayRestart(context.Context, *steps.Run) error { return m.fail("may") }
func (m *manager) Restart(context.Context, *steps.Run, vendor.Pace, steps.Emit) error {
	m.restarts++
	return m.fail("restart")
}
func (m *manager) Seen(context.Context, *steps.Run) ([]vendor.Sighting, error) {
	return m.seen, m.fail("seen")
}

// Each failure of a manager ends the restart with it: of the backend, of one of several, of
// a worker, and of what a rollback restarts.
func TestWhatAManagerCannotDoIsAnError(t *testing.T) {
	t.Parallel()
	for _, fails := range []string{"plan", "may", "restart", "seen"} {
		w := newWorld(t)
		ctx, emit := t.Context(), func(steps.Event) {}
		m, other := &manager{fails: fails}, &manager{}
		worker := Way{spec: "worker:x", manager: m}
		w.run.Options.Also = []steps.Way{worker}
		var plan steps.Plan
		for name, try := range map[string]func() error{
			"plan of several":    func() error { _, err := several{m, other}.Plan(ctx, w.run); return err },
			"plan of workers":    func() error { return planWorkers(ctx, w.run, &plan) },
			"restart of several": func() error { return several{m, other}.Restart(ctx, w.run, w.step.Pace, emit) },
			"restart of workers": func() error { return w.step.restartWorkers(ctx, w.run, emit) },
			"may":                func() error { return mayRestart(ctx, w.run) },
			"alone":              func() error { return w.step.proveAlone(ctx, w.run, m, emit) },
		} {
			hits := map[string][]string{"plan": {"plan of several", "plan of workers"}, "may": {"may"}, "restart": {"restart of several", "restart of workers"}, "seen": {"restart of workers", "alone"}}
			want := false
			for _, hit := range hits[fails] {
				want = want || hit == name
			}
			before := other.restarts
			if err := try(); errors.Is(err, errLost) != want || want && other.restarts != before {
				t.Errorf("%s, %s fails: %v, %d restarts more", name, fails, err, other.restarts-before)
			}
		}
	}
	if w, err := Parse("fly:a,heroku:"); err == nil {
		t.Errorf("a wrong name among several: %v", w.spec)
	}
}

// Each look at the servers counts: where one fails, in the plan, the restart, the wait and
// the way back, that is the end of it.
func TestALookAtTheServersThatFails(t *testing.T) {
	t.Parallel()
	look := func(t *testing.T, n int) (*world, *int) {
		w := newWorld(t)
		base := backend(t)
		w.set(w.server(2, 1, w.old, base))
		w.run.Wrote, w.run.WroteAt = true, time.Now()
		w.onTouch = func(w *world) { w.servers = []steps.Server{w.server(3, 1, time.Now().Add(time.Second), base)} }
		calls := 0
		w.step.Find = func(ctx context.Context, root string) ([]steps.Server, error) {
			if calls++; calls == n {
				return nil, errLost
			}
			return w.find(ctx, root)
		}
		return w, &calls
	}
	for name, act := range map[string]func(w *world) error{
		"plan":  func(w *world) error { _, err := w.step.Plan(w.t.Context(), w.run); return err },
		"apply": func(w *world) error { return w.step.Apply(w.t.Context(), w.run, func(steps.Event) {}) },
		"undo":  func(w *world) error { return w.step.Undo(w.t.Context(), w.run, func(steps.Event) {}) },
		"seen":  func(w *world) error { _, err := w.step.Seen(w.t.Context(), w.run); return err },
		"renewed": func(w *world) error {
			return w.step.renewed(w.t.Context(), w.run, func(steps.Event) {})
		},
	} {
		w, calls := look(t, 0)
		if err := act(w); err != nil {
			t.Errorf("%s without a failure: %v", name, err)
		}
		for n := 1; n <= min(*calls, 6); n++ {
			w, _ := look(t, n)
			if err := act(w); !errors.Is(err, errLost) {
				t.Errorf("%s, look %d of %d: %v", name, n, *calls, err)
			}
		}
	}
}

// What is asked before several restart is what each of them asks, or the usual question; and
// where only the workers restart, they are asked about.
func TestWhatIsAskedBeforeSeveralRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := &manager{plan: steps.Plan{Summary: prose.Say("One."), Question: prose.Say("One?")}}
	two := &manager{plan: steps.Plan{Summary: prose.Say("Two."), Question: prose.Say("Two?")}}
	for want, all := range map[string]several{"One?": {one, one}, "": {one, two}} {
		if p, err := all.Plan(t.Context(), w.run); err != nil || p.Question.Rendered() != want {
			t.Errorf("%q is asked, want %q: %v", p.Question.Rendered(), want, err)
		}
	}
	w.run.Options.Also = []steps.Way{Way{spec: "worker:x", manager: two}}
	for want, p := range map[string]steps.Plan{
		"One. One?":         one.plan,
		"Two. Restart now?": {Summary: prose.Say("None."), Question: prose.Say("Go on?"), Nothing: true},
	} {
		if err := planWorkers(t.Context(), w.run, &p); err != nil || p.Nothing || p.Summary.Rendered()+" "+p.Question.Rendered() != want {
			t.Errorf("%q, %q, want %q: %v", p.Summary.Rendered(), p.Question.Rendered(), want, err)
		}
	}
}

// Only of a worker of which nothing was seen it is said that nothing of it runs.
func TestAWorkerThatDoesNotRun(t *testing.T) {
	t.Parallel()
	for said, seen := range map[string][]vendor.Sighting{"not seen: worker:x": nil, "seen: pods": {{Name: "pods", Keys: vendor.GivenRight}}} {
		var events stepstest.Events
		if err := saw(events.Emit, "worker:x", seen); err != nil || len(events) != 1 || events[0].Text.Rendered() != said {
			t.Errorf("%+v, want %q: %v", events, said, err)
		}
	}
}

// Where the processes cannot be seen, a person is told what to do, also on the way back.
func TestWhereProcessesCannotBeSeen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.step.Find = func(context.Context, string) ([]steps.Server, error) { return nil, process.ErrUnsupported }
	texts, _, err := do(w.step.Undo, w.run)
	if err != nil || !hasText(texts, "stop it and start it again") {
		t.Errorf("%v, %q", err, texts)
	}
}

// A way that the journal cannot note is not gone, and a settings file that is gone is not
// said to be marked.
func TestARestartThatCannotBeNoted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	j, err := journal.Folder(filepath.Join(t.TempDir(), "state")).Open(w.run.Project.Root, steps.DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	w.run.Journal = j
	m := &manager{}
	w.run.Options.Restart = Way{spec: "fly:x", manager: m}
	if err := os.RemoveAll(j.Dir()); err != nil {
		t.Fatal(err)
	}
	if err := w.step.Apply(t.Context(), w.run, func(steps.Event) {}); err == nil || m.restarts > 0 {
		t.Errorf("%v after %d restarts", err, m.restarts)
	}
	w.run.Project.SettingsFile = filepath.Join(w.run.Project.Root, "gone.py")
	if name, err := touch(w.run); err == nil {
		t.Errorf("marked %q", name)
	}
	if err := os.Remove(w.run.Project.EnvFile.Path); err != nil || !writePending(w.run) {
		t.Error("a file that is gone has the key")
	}
}

// A rollback whose way back cannot be read restarts nothing else instead, and one whose
// worker does not come up has not come to its end.
func TestAWayBackThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	j, err := journal.Folder(filepath.Join(t.TempDir(), "state")).Open(w.run.Project.Root, steps.DefaultEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	w.run.Journal = j
	if err := j.SetRestart("nothing:x"); err != nil {
		t.Fatal(err)
	}
	looks := 0
	w.step.Find = func(context.Context, string) ([]steps.Server, error) { looks++; return nil, nil }
	if err := w.step.Undo(t.Context(), w.run, func(steps.Event) {}); err == nil || looks > 0 {
		t.Errorf("%v after %d looks", err, looks)
	}
	if places := Places(t.Context(), w.run); places != nil {
		t.Errorf("places %q", places)
	}
	m := &manager{fails: "restart"}
	w.run.Options.Restart = Way{spec: "fly:x", manager: m}
	if err := w.step.Undo(t.Context(), w.run, func(steps.Event) {}); !errors.Is(err, errLost) {
		t.Errorf("the backend: %v", err)
	}
	m = &manager{}
	w.run.Options.Restart = Way{spec: "fly:x", manager: m}
	w.run.Options.Also = []steps.Way{Way{spec: "worker:x", manager: &manager{fails: "restart"}}}
	if err := w.step.Undo(t.Context(), w.run, func(steps.Event) {}); !errors.Is(err, errLost) || m.restarts != 1 {
		t.Errorf("the worker: %v, %d restarts of the backend", err, m.restarts)
	}
}

// Settings that cannot be marked as changed have a person restart the server.
func TestSettingsThatCannotBeMarked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(w.server(2, 1, w.old, backend(t)))
	w.run.Wrote, w.run.WroteAt = true, time.Now()
	w.run.Project.SettingsFile = filepath.Join(w.run.Project.Root, "gone.py")
	texts, _, err := do(w.step.Apply, w.run)
	if err == nil || !hasText(texts, "The file's time could not be set") || !hasText(texts, "Press ctrl+c") || hasText(texts, "Marked ") {
		t.Errorf("%v, %q", err, texts)
	}
}

// The server that keysplit starts has the settings that the run was given.
func TestTheOwnServerHasTheSettingsOfTheRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := strings.Join(ownArguments(w.run, "1"), " "); strings.Contains(got, "--settings") {
		t.Errorf("none given: %s", got)
	}
	w.run.Options.Settings = "config.prod"
	if got := strings.Join(ownArguments(w.run, "1"), " "); !strings.HasSuffix(got, " --settings config.prod") {
		t.Errorf("given: %s", got)
	}
}

// A rollback ends the server that the upgrade started: it has the key that is undone.
func TestARollbackEndsTheOwnServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ended := 0
	w.step.own.pid, w.step.own.stop = 7, func() { ended++ }
	w.run.OwnServer, w.run.URL = true, "http://127.0.0.1:1"
	if err := w.step.Undo(t.Context(), w.run, func(steps.Event) {}); err != nil || ended != 1 || w.run.OwnServer || w.run.URL != "" {
		t.Errorf("%v, ended %d times, own %t, %q", err, ended, w.run.OwnServer, w.run.URL)
	}
}

// A look that fails while a person restarts the servers ends the wait: it says nothing of
// whether they are gone.
func TestALookThatFailsWhileAPersonRestarts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old, lost := w.server(2, 1, w.old, backend(t)), errors.New("the processes cannot be listed")
	r := runserver{w.step}
	r.Find = func(context.Context, string) ([]steps.Server, error) { return nil, lost }
	if err := r.asked(t.Context(), w.run, func(steps.Event) {}, []steps.Server{old}, []staleServer{{Server: old}}); !errors.Is(err, lost) {
		t.Errorf("%v", err)
	}
}

// That the server stays silent after the restart of a rollback is for the proof to say.
func TestAServerThatStaysSilentAfterARollback(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run.Options.URL, w.run.Options.Timeout = "http://127.0.0.1:1", 20*time.Millisecond
	if err := w.step.back(t.Context(), w.run, func(steps.Event) {}); err != nil || w.run.URL != w.run.Options.URL {
		t.Errorf("%v, at %q", err, w.run.URL)
	}
}
