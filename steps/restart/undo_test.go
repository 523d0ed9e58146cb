package restart

import (
	"context"
	"errors"
	"testing"

	"dj/keysplit/steps"
)

// A rollback's restart that did not come about is an error of the rollback, and not
// only one that is explained by a finding.
func TestTheRestartOfARollbackThatFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	// fails has one look fail.
	fails := func(after int, find func(context.Context, string) ([]steps.Server, error)) func(context.Context, string) ([]steps.Server, error) {
		n := 0
		return func(ctx context.Context, root string) ([]steps.Server, error) {
			if n++; n == after+1 {
				return nil, broken
			}
			return find(ctx, root)
		}
	}
	for name, after := range map[string]int{"no look": 0, "none while it reloads": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.set(w.server(2, 1, w.old, backend(t)))
			w.step.Find = fails(after, w.find)
			if _, _, err := do(w.step.Undo, w.run); !errors.Is(err, broken) {
				t.Errorf("error %v", err)
			}
		})
	}
	t.Run("none once it has", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		url := backend(t)
		w.set(w.server(2, 1, w.old, url))
		reloaded := 0
		w.onTouch = func(w *world) { w.servers = []steps.Server{w.server(3, 1, w.old.Add(1), url)} }
		w.step.Find = func(ctx context.Context, root string) ([]steps.Server, error) {
			found, err := w.find(ctx, root)
			if len(found) == 1 && found[0].PID == 3 {
				if reloaded++; reloaded > 1 {
					return nil, broken
				}
			}
			return found, err
		}
		if _, _, err := do(w.step.Undo, w.run); !errors.Is(err, broken) {
			t.Errorf("error %v after %d looks", err, reloaded)
		}
	})
	t.Run("it is stopped", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t)
		w.set(w.server(2, 0, w.old, backend(t)))
		ctx, cancel := context.WithCancel(t.Context())
		if err := w.step.Undo(ctx, w.run, func(steps.Event) { cancel() }); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

// A rollback that restarts nothing leaves the address of the server that runs to the proof.
func TestARollbackThatRestartsNothingFindsTheServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	url := backend(t)
	w.set(w.server(2, 1, w.old, url))
	w.run.Options.Restart = by(t, "none")
	if _, _, err := do(w.step.Undo, w.run); err != nil || w.run.URL != url {
		t.Errorf("%q, %v", w.run.URL, err)
	}
}
