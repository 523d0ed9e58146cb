package smoketest

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

// In each stage of a rotation both keys must be accepted on every connection, and in the
// second one it must be seen that the new key signs.
func TestBothKeysMustBeAcceptedInAStage(t *testing.T) {
	t.Parallel()
	both := func(b *bench) func(int) []string {
		return func(int) []string { return []string{b.key, b.previous} }
	}
	for name, c := range map[string]struct {
		stage steps.Stage
		takes func(b *bench) func(int) []string
		login bool
		code  finding.Code
	}{
		"the first, both":  {steps.Accepting, both, false, ""},
		"the second, both": {steps.Signing, both, true, ""},
		"the first, one key": {steps.Accepting, func(b *bench) func(int) []string {
			return func(int) []string { return []string{b.key} }
		}, false, finding.GraceNotInForce},
		"the second, one key": {steps.Signing, func(b *bench) func(int) []string {
			return func(int) []string { return []string{b.key} }
		}, true, finding.GraceNotInForce},
		"one worker of twenty": {steps.Accepting, func(b *bench) func(int) []string {
			return func(n int) []string {
				if n%20 == 7 {
					return []string{b.key}
				}
				return []string{b.key, b.previous}
			}
		}, false, finding.GraceNotInForce},
		"SECRET_KEY as well": {steps.Accepting, func(b *bench) func(int) []string {
			return func(int) []string { return []string{b.key, b.previous, b.secret} }
		}, false, finding.ServerAcceptsSecretKeyToken},
		"neither": {steps.Accepting, func(*bench) func(int) []string {
			other := newKey()
			return func(int) []string { return []string{other} }
		}, false, finding.ServerStaleKey},
		"nothing shows which one signs": {steps.Signing, both, false, finding.ProofInconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if c.login {
				b.account()
			}
			b.run.Stage, b.run.Second, b.run.Until = c.stage, b.run.Previous, time.Now().Add(time.Hour)
			b.takes = c.takes(b)
			found, err := b.apply()
			if c.code == "" && err != nil || c.code != "" && (err == nil || !finding.Has(found, c.code)) {
				t.Errorf("%v, %+v", err, found)
			}
		})
	}
}

// One of several servers is asked before the next one is restarted: by what this run wrote,
// in a stage by both keys. One that does not tell is left to the proof of all.
func TestOneServerIsAskedAlone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stage  steps.Stage
		change func(b *bench)
		code   finding.Code
		mark   steps.Mark
	}{
		"it signs":             {steps.NoStage, func(*bench) {}, "", steps.MarkOK},
		"it was not restarted": {steps.NoStage, func(b *bench) { b.signs = b.previous }, finding.ServerStaleKey, steps.MarkFailed},
		"both":                 {steps.Signing, func(b *bench) { b.takes = func(int) []string { return []string{b.key, b.previous} } }, "", steps.MarkOK},
		"one of both":          {steps.Signing, func(*bench) {}, finding.GraceNotInForce, steps.MarkFailed},
		"nobody answers":       {steps.NoStage, func(b *bench) { b.server.Close() }, finding.ServerUnreachable, ""},
		"all alike":            {steps.NoStage, func(b *bench) { b.server.Config.Handler = http.NotFoundHandler() }, "", steps.MarkWarn},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.run.Stage, b.run.Second, b.run.Until = c.stage, b.run.Previous, time.Now().Add(time.Hour)
			c.change(b)
			err := b.step.Alone(t.Context(), b.run, b.server.URL, func(ev steps.Event) { b.events = append(b.events, ev) })
			var failure *steps.Failure
			if c.code == "" && err != nil || c.code != "" && (!errors.As(err, &failure) || failure.Findings[0].Code != c.code) {
				t.Errorf("%v, want %s", err, c.code)
			}
			if n := len(b.events); (c.mark == "") != (n == 0) || n > 0 && b.events[0].Mark != c.mark {
				t.Errorf("lines %+v", b.events)
			}
		})
	}
}
