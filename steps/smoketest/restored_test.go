package smoketest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// After a rollback the server is asked whether it runs with what was restored: what it
// takes beside that is as it was before the upgrade.
func TestTheRestoredKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(b *bench)
		code   finding.Code // "" for a good end
	}{
		"it signs":                  {func(b *bench) { b.signs = b.previous }, ""},
		"the routes are remembered": {func(b *bench) { b.signs = b.previous; b.run.Project.Facts = nil }, ""},
		"it was not restarted":      {func(*bench) {}, finding.ServerStaleKey},
		"nobody answers":            {func(b *bench) { b.server.Close() }, finding.ServerUnreachable},
		"its answers are all alike": {func(b *bench) { b.server.Config.Handler = http.NotFoundHandler() }, finding.ProofInconclusive},
		"one of two was not started": {func(b *bench) {
			b.signs = b.previous
			b.run.Options.URLs = []string{b.server.URL, "http://127.0.0.1:1"}
		}, finding.ServerUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := witnessed(t)
			if all := b.run.Journal.Applied(); len(all) != 1 {
				t.Fatal(all)
			} else if _, err := b.run.Journal.Revert(t.Context(), all[0], false); err != nil {
				t.Fatal(err)
			}
			b.run.Key = b.run.Secret("") // nothing is chosen after a rollback
			b.run.Chosen = steps.Chosen{}
			c.change(b)
			err := b.step.Restored(context.Background(), b.run, func(ev steps.Event) { b.events = append(b.events, ev) })
			if c.code == "" {
				b.wantLine(steps.LineFresh, steps.MarkOK, "20 of 20")
				if p := b.run.Journal.Proved(); err != nil || len(p) != 1 || p[0] != b.run.Prints.Of(b.run.Secret(b.previous)) {
					t.Errorf("%v, %d proved", err, len(p))
				}
				return
			}
			var failure *steps.Failure
			if !errors.As(err, &failure) || failure.Findings[0].Code != c.code || len(b.run.Journal.Proved()) > 0 {
				t.Errorf("%v, want %s", err, c.code)
			} else if fix := failure.Findings[0].Fix; c.code == finding.ServerStaleKey && !strings.HasPrefix(fix.Command(), "keysplit rollback") {
				t.Errorf("the rollback is finished by %q", fix.Rendered())
			}
		})
	}
}
