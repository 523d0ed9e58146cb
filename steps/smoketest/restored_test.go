package smoketest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/journal"
)

// After a rollback the server is asked whether it runs with what was restored: what it
// takes beside that is as it was before the upgrade.
func TestTheRestoredKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(b *bench)
		code   finding.Code // "" for a good end
		says   string
	}{
		"it signs":                         {func(b *bench) { b.signs = b.previous }, "", ""},
		"the routes are remembered":        {func(b *bench) { b.signs = b.previous; elsewhere(b) }, "", ""},
		"it was not restarted":             {func(*bench) {}, finding.ServerStaleKey, "still uses the key that was undone"},
		"so, with routes of its own":       {elsewhere, finding.ServerStaleKey, "still uses the key that was undone"},
		"so, and it has no codes":          {wordless, finding.ServerStaleKey, "still uses the key that was undone"},
		"it signs with a third key":        {func(b *bench) { b.signs = newKey() }, finding.ServerStaleKey, "20 of 20 new connections"},
		"nobody answers":                   {func(b *bench) { b.server.Close() }, finding.ServerUnreachable, ""},
		"its answers are all alike":        {func(b *bench) { b.server.Config.Handler = http.NotFoundHandler() }, finding.ProofInconclusive, "a random one the same answer"},
		"no route is known":                {func(b *bench) { b.signs, b.run.Project.Facts.Routes = b.previous, steps.Routes{Login: "/login/"} }, finding.ProofInconclusive, "no route that wants a token is known"},
		"a third key, and it has no codes": {func(b *bench) { wordless(b); b.signs = newKey() }, finding.ProofInconclusive, "a random one the same answer"},
		"it is rate limiting": {func(b *bench) {
			b.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
		}, finding.ProofInconclusive, "rate limiting"},
		"one of two was not started": {func(b *bench) {
			b.signs = b.previous
			b.run.Options.URLs = []string{b.server.URL, "http://127.0.0.1:1"}
		}, finding.ServerUnreachable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := witnessed(t)
			if all := b.run.Journal.Applied(); len(all) != 1 {
				t.Fatal(all)
			} else if err := b.run.Journal.BeginRollback(b.run.Journal.Upgrades()[0].Run); err != nil {
				t.Fatal(err)
			} else if _, err := b.run.Journal.Revert(t.Context(), all[0], false); err != nil {
				t.Fatal(err)
			}
			b.run.Key = b.run.Secret("") // nothing is chosen after a rollback
			b.run.Chosen = steps.Chosen{}
			c.change(b)
			err := b.step.Restored(context.Background(), b.run, b.run.Secret(b.key), func(ev steps.Event) { b.events = append(b.events, ev) })
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
			} else if text := failure.Findings[0].Message.Rendered(); !strings.Contains(text, c.says) {
				t.Errorf("it says %q, want %q", text, c.says)
			} else if fix := failure.Findings[0].Fix; c.code == finding.ServerStaleKey && !strings.HasPrefix(fix.Command(), "keysplit rollback") {
				t.Errorf("the rollback is finished by %q", fix.Rendered())
			}
		})
	}
}

// Where there was no key before, a server that still accepts the one that was undone is the
// only failure: one that is down, or has another key, is as it should be.
func TestTheUndoneKeyWhereNoneWasBefore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(b *bench)
		code   finding.Code // "" for a good end
	}{
		"it was not restarted": {func(*bench) {}, finding.ServerStaleKey},
		"it is down":           {func(b *bench) { b.server.Close() }, ""},
		"it has another key":   {func(b *bench) { b.signs = newKey() }, ""},
		"it takes every token": {func(b *bench) {
			b.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") })
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := witnessed(t)
			b.run.Key, b.run.Chosen = b.run.Secret(""), steps.Chosen{}
			if err := os.WriteFile(b.run.Project.EnvFile.Path, []byte("A=1\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			c.change(b)
			err := b.step.Restored(t.Context(), b.run, b.run.Secret(b.key), func(ev steps.Event) { b.events = append(b.events, ev) })
			var failure *steps.Failure
			if errors.As(err, &failure) != (c.code != "") || failure != nil && failure.Findings[0].Code != c.code || len(b.run.Journal.Proved()) > 0 {
				t.Errorf("%v, want %q", err, c.code)
			}
			if c.code != "" {
				b.wantLine(steps.LineFresh, steps.MarkFailed, "do not")
			} else if err != nil || len(b.events) > 0 {
				t.Errorf("%v, %d events", err, len(b.events))
			}
		})
	}
}

// elsewhere gives the server routes that nobody would guess, which the upgrade has noted.
func elsewhere(b *bench) {
	const own = "/shop/x/"
	inner := b.server.Config.Handler
	b.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rest, ok := strings.CutPrefix(r.URL.Path, own)
		if !ok {
			http.NotFound(w, r)
			return
		}
		r.URL.Path = "/api/v1/auth/" + rest
		inner.ServeHTTP(w, r)
	})
	facts, err := json.Marshal(map[string]any{"tokens": b.run.Project.Facts.Tokens, "routes": steps.Routes{Verify: own + "token/verify/", Protected: own + "user/"}})
	if err == nil {
		err = b.run.Journal.Use(journal.Used{Facts: facts})
	}
	if err != nil {
		b.t.Fatal(err)
	}
	b.run.Project.Facts = nil
}

// wordless takes the codes out of the server's answers: what is left differs by the key
// that it accepts alone.
func wordless(b *bench) {
	inner := b.server.Config.Handler
	b.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said := httptest.NewRecorder()
		inner.ServeHTTP(said, r)
		w.WriteHeader(http.StatusUnauthorized)
		if bytes.Contains(said.Body.Bytes(), []byte("user_not_found")) || said.Code < 300 {
			_, _ = io.WriteString(w, "nobody")
		}
	})
}
