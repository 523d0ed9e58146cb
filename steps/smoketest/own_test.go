package smoketest

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/stepstest"
)

// secondClass makes the protected route take a token of an account, and only of one,
// that the given key signed: a second authentication class. seen gets its lifetime.
func (b *bench) secondClass(key string, seen *time.Duration) {
	b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if r.URL.Path != "/api/v1/auth/user/" || !ok {
			return false
		}
		claims := jwt.MapClaims{}
		_, err := jwt.ParseWithClaims(text, claims, func(*jwt.Token) (any, error) { return []byte(key), nil })
		if err != nil || claims["user_id"] != "7" {
			return false
		}
		b.note(text)
		if at, err := claims.GetExpirationTime(); err == nil && at != nil {
			*seen = time.Until(at.Time)
		}
		fmt.Fprint(w, `{"id":7}`)
		return true
	}
}

// A second authentication class that verifies with another key refuses a token for
// nobody, and is shown by the account's own claims.
func TestASecondAuthenticationClass(t *testing.T) {
	for name, c := range map[string]struct {
		key     func(*bench) string
		cookies bool
		code    finding.Code
	}{
		"with SECRET_KEY":                {func(b *bench) string { return b.secret }, false, "server-accepts-secret-key-token"},
		"with the previous key":          {func(b *bench) string { return b.previous }, false, "server-accepts-old-token"},
		"in a header, beside the cookie": {func(b *bench) string { return b.secret }, true, "server-accepts-secret-key-token"},
		"with the new key":               {func(b *bench) string { return b.key }, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var lifetime time.Duration
			b := newBench(t).account()
			b.cookies = c.cookies
			b.secondClass(c.key(b), &lifetime)
			if c.code == "" {
				b.wantPass(steps.LineOthers)
			} else {
				b.wantFail(c.code, "token of the account")
				b.wantLine(steps.LineOthers, steps.MarkFailed, "accepted")
			}
			if lifetime <= 0 || c.code != "" && lifetime > tokenLife {
				t.Errorf("such a token is valid for %v", lifetime)
			}
			// Only where the password went: without an account nothing of the kind is sent.
			lifetime = 0
			b.run.Answers = steps.Answers{}
			if _, err := b.apply(); err != nil || lifetime != 0 {
				t.Errorf("without an account: %v, %v", err, lifetime)
			}
		})
	}
}

// What does not tell the keys apart is a warning, and never passed.
func TestOtherKeysThatCannotBeTold(t *testing.T) {
	b := newBench(t).account()
	b.run.Project.Facts.Routes.Protected = ""
	b.wantPass()
	b.wantLine(steps.LineOthers, steps.MarkSkipped, "no protected route")

	b = newBench(t).account()
	b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/api/v1/auth/user/" {
			return false
		}
		fmt.Fprint(w, "open to all")
		return true
	}
	b.wantPass()
	b.wantLine(steps.LineOthers, steps.MarkWarn, "wants no token")
}

func TestConnectionsFollowTheWorkers(t *testing.T) {
	t.Parallel()
	for workers := 0; workers <= 64; workers++ {
		n := enough(workers)
		if n < steps.DefaultConnections || workers > 1 && math.Pow(1-1/float64(workers), float64(n)) > missed {
			t.Errorf("%d connections for %d workers", n, workers)
		}
	}
	if n := enough(16); n > 120 {
		t.Errorf("%d connections for 16 workers", n)
	}
	b := newBench(t)
	b.run.Servers = []steps.Server{{URL: b.server.URL, PID: 1, Workers: 16}}
	b.wantPass(steps.LineFresh)
	b.wantLine(steps.LineFresh, steps.MarkOK, fmt.Sprintf("%d of %d new connections", enough(16), enough(16)))
	if p, err := b.step.Plan(t.Context(), b.run); err != nil || !strings.Contains(p.Details[0].Rendered(), fmt.Sprint(enough(16))) {
		t.Errorf("%+v, %v", p, err)
	}
	b.run.Servers = nil
	b.wantPass(steps.LineFresh)
	b.wantLine(steps.LineFresh, steps.MarkOK, "process count unknown")
}

func TestNoProcessIsOlderThanTheKey(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for name, c := range map[string]struct {
		server steps.Server
		own    bool
		wrote  bool
		mark   steps.Mark // of the line, "" for none
	}{
		"younger":            {steps.Server{PID: 1, Started: now.Add(time.Second)}, false, true, steps.MarkOK},
		"older":              {steps.Server{PID: 1, Started: now.Add(-time.Minute)}, false, true, steps.MarkFailed},
		"an older worker":    {steps.Server{PID: 1, Started: now.Add(time.Second), Oldest: now.Add(-time.Minute), Workers: 4}, false, true, steps.MarkFailed},
		"an older master":    {steps.Server{PID: 1, Started: now.Add(-time.Minute), Oldest: now.Add(time.Second), Workers: 4}, false, true, steps.MarkOK},
		"no process is seen": {steps.Server{}, false, true, ""},
		"nothing written":    {steps.Server{PID: 1, Started: now.Add(-time.Minute)}, false, false, ""},
		"an earlier write":   {steps.Server{PID: 1, Started: now.Add(-time.Minute)}, false, false, steps.MarkFailed},
		"after that":         {steps.Server{PID: 1, Started: now.Add(time.Minute)}, false, false, steps.MarkOK},
		"keysplit's own":     {steps.Server{PID: 1, Started: now.Add(time.Second)}, true, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			c.server.URL = b.server.URL
			b.run.Servers, b.run.OwnServer = []steps.Server{c.server}, c.own
			if c.wrote {
				b.run.Written = steps.Written{Wrote: true, WroteAt: now}
			}
			if !c.wrote && c.mark != "" {
				j, err := stepstest.State(t).Open(t.TempDir(), "development")
				if err == nil {
					err = j.SetKey(b.run.Key)
				}
				if err != nil {
					t.Fatal(err)
				}
				b.run.Journal = j
			}
			if c.mark == steps.MarkFailed {
				b.wantFail("server-stale-key", "before the key was written")
			} else {
				b.wantPass()
			}
			if mark, detail := b.line(steps.LineAge); mark != c.mark {
				t.Errorf("the line is %q %q, want %q", mark, detail, c.mark)
			}
		})
	}
}

// The tokens of the other keys come among those of the new one in another order every time:
// a server that answers by what it was asked before does not know it.
func TestTheOrderOfTheQuestionsIsNoneThatAServerKnows(t *testing.T) {
	t.Parallel()
	orders := map[string]bool{}
	for range 5 {
		b := newBench(t)
		b.verify = false
		order := ""
		b.intercept = func(_ http.ResponseWriter, r *http.Request) bool {
			if text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
				_, err := jwt.Parse(text, func(*jwt.Token) (any, error) { return []byte(b.key), nil })
				order += map[bool]string{true: "n", false: "o"}[err == nil]
			}
			return false
		}
		if _, err := b.apply(); err != nil && !strings.Contains(order, "o") {
			t.Fatal(err)
		}
		orders[order] = true
	}
	if len(orders) < 2 {
		t.Errorf("five proofs had one order: %v", orders)
	}
}

// A server that takes no token but those that it gave out itself leaves the other lines
// open, and none of them running.
func TestAServerThatTakesItsOwnTokensAlone(t *testing.T) {
	b := newBench(t).account()
	b.verify = false
	var own []string
	b.forge = func(kind string) any {
		forge := b.forge
		b.forge = nil
		own = append(own, b.token(kind))
		b.forge = forge
		return own[len(own)-1]
	}
	b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if ok && !slices.Contains(own, text) {
			b.note(text)
			w.WriteHeader(http.StatusBadRequest)
			return true
		}
		return false
	}
	b.wantPass(steps.LineLogin, steps.LineToken)
	for _, id := range []string{steps.LineFresh, steps.LineSecret} {
		b.wantLine(id, steps.MarkWarn, "same answer for every key")
	}
}
