//go:build unix

package restart

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// A server of the user is restarted after a yes; the one that keysplit started for the
// test is nobody's but its own.
func TestAYesIsAskedForTheUsersServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(w.server(2, 1, w.old, backend(t)))
	for pid, asks := range map[int]bool{0: true, 3: true, 2: false} {
		w.step.own.pid = pid
		p, err := w.step.Plan(t.Context(), w.run)
		if err != nil || p.Nothing || p.Question.Empty() == asks || strings.Contains(p.Summary.Rendered(), "that keysplit started") == asks {
			t.Errorf("its own is process %d: %+v, %v", pid, p, err)
		}
	}
}

// What the step will do is said as it is, before the write too.
func TestTheTaskIsWhatWillHappen(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*world){
		"leave the restart to you":       func(w *world) { w.run.Options.Restart = nothing },
		"start the backend for the test": func(w *world) { w.set() },
		"restart the backend":            func(w *world) { w.set(w.server(2, 1, w.old, "")) },
	} {
		w := newWorld(t)
		change(w)
		if got := w.step.Task(t.Context(), w.run); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	w := newWorld(t)
	w.set()
	w.run.Options.URL = "https://shop.example"
	if got := w.step.Task(t.Context(), w.run); got != steps.About(steps.Restart).Task {
		t.Errorf("with an address: %q", got)
	}
}

// A wait that is stopped ends with that, and chooses no address.
func TestAWaitForServersThatIsStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.set(w.server(2, 1, w.old, ""), w.server(4, 3, w.old, backend(t)))
	ctx, stop := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, stop)
	w.run.Options.Timeout = time.Minute
	if err := (runserver{w.step}).settle(ctx, w.run, func(steps.Event) {}); !errors.Is(err, context.Canceled) || w.run.URL != "" {
		t.Errorf("%v, %q", err, w.run.URL)
	}
}

// Several services are recreated by one command after the other, which can be copied.
func TestTheCommandOfSeveralServices(t *testing.T) {
	t.Parallel()
	w := managedWorld(t, "compose:web,worker")
	stepstest.NewTool(t, "docker", dockerUp)
	p, err := w.step.Plan(t.Context(), w.run)
	if err != nil {
		t.Fatal(err)
	}
	one, other, both := strings.Cut(p.Command, " && ")
	if !both || !strings.HasPrefix(one, "docker compose ") || !strings.HasSuffix(one, " web") || !strings.HasPrefix(other, "docker compose ") || !strings.HasSuffix(other, " worker") {
		t.Errorf("%s", p.Command)
	}
}
