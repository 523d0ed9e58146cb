package smoketest

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/stepstest"
)

// dies counts the requests, and has the server answer none from the nth on.
func (b *bench) dies(n int64, then func()) *atomic.Int64 {
	var count atomic.Int64
	b.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if at := count.Add(1); n > 0 && at >= n {
			then()
			panic(http.ErrAbortHandler) // the connection is closed
		}
		b.fake.ServeHTTP(w, r)
	})
	return &count
}

// A server that goes away, and a user who does not wait, end the test in the middle: it is
// no success, and no line is left as if something still went on there.
func TestATestThatIsCutShortSaysSo(t *testing.T) {
	t.Parallel()
	b := newBench(t).account()
	all := b.dies(0, nil)
	if _, err := b.apply(); err != nil {
		t.Fatal(err)
	}
	var at []int64
	for n := range all.Load() {
		at = append(at, n+1)
	}
	// The first ones and the last ones are one of a kind, and those between them alike.
	tried := append(at[:min(5, len(at))], stepstest.Every(4, at[5:max(5, len(at)-8)])...)
	for _, n := range append(tried, at[max(5, len(at)-8):]...) {
		for _, stops := range []bool{false, true} {
			b := newBench(t).account()
			ctx, stop := context.WithCancel(t.Context())
			b.dies(n, func() {
				if stops {
					stop()
				}
			})
			lines := map[string]steps.Mark{}
			err := b.step.Apply(ctx, b.run, func(e steps.Event) {
				if e.Kind == steps.EventCheck {
					lines[e.ID] = e.Mark
				}
			})
			stop()
			if err == nil || stops && !errors.Is(err, context.Canceled) && !errors.Is(err, steps.ErrCancelled) {
				t.Errorf("from request %d of %d on, stopped %t: %v", n, len(at), stops, err)
			}
			for id, mark := range lines {
				if mark == steps.MarkRunning && !stops && id != steps.LineFresh { // the proof itself ends with the error
					t.Errorf("from request %d of %d on: %s goes on", n, len(at), id)
				}
			}
		}
	}
}

// So does a server that goes away while one of several, or a rollback, is asked for: it does
// not count as one that takes the key.
func TestAServerThatGoesAwayProvesNothing(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{1, 2, 4, 6} {
		for name, ask := range map[string]func(b *bench, emit steps.Emit) error{
			"one of several": func(b *bench, emit steps.Emit) error { return b.step.Alone(t.Context(), b.run, b.server.URL, emit) },
			"a rollback": func(b *bench, emit steps.Emit) error {
				return b.step.restored(t.Context(), b.run, b.run.Previous, b.server.URL, emit)
			},
		} {
			b := newBench(t)
			b.dies(n, func() {})
			err := ask(b, func(e steps.Event) {
				if e.Mark == steps.MarkOK && e.ID != steps.LineAnswers {
					t.Errorf("%s, from request %d on: %s", name, n, e.Text.Rendered())
				}
			})
			if err == nil {
				t.Errorf("%s, from request %d on: no error", name, n)
			}
		}
	}
}
