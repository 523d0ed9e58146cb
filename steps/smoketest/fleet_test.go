package smoketest

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/internal/canary"
)

// second starts another server of the same backend beside the bench's own.
func (b *bench) second(signs string) *fake {
	b.t.Helper()
	other := &fake{t: b.t, signs: signs, verify: true, user: b.user, password: b.password}
	server := httptest.NewServer(other)
	b.t.Cleanup(server.Close)
	b.run.Options.URLs = []string{b.server.URL, server.URL}
	return other
}

func TestEveryAddressOfTheBackendIsAsked(t *testing.T) {
	b := newBench(t).account()
	other := b.second(b.key)
	found, err := b.apply()
	if err != nil || len(found) > 0 {
		t.Fatalf("error %v, findings %v", err, found)
	}
	proved := map[string]steps.Mark{}
	for _, ev := range b.events {
		if ev.Kind == steps.EventCheck {
			proved[ev.ID] = ev.Mark
		}
	}
	if proved[steps.LineFresh] != steps.MarkOK || proved[steps.LineFresh+" 2"] != steps.MarkOK || proved[steps.LineLogin] != steps.MarkOK {
		t.Errorf("proved: %v", proved)
	}
	if _, twice := proved[steps.LineLogin+" 2"]; twice || other.logins > 0 {
		t.Error("the account was logged in more than once")
	}
}

func TestTheAddressThatWasNotRestartedIsNamed(t *testing.T) {
	b := newBench(t)
	b.second(b.previous)
	stale := b.run.Options.URLs[1]
	found, err := b.apply()
	if err == nil || !finding.Has(found, "server-stale-key") {
		t.Fatalf("error %v, findings %v", err, found)
	}
	for _, f := range found {
		if !strings.HasPrefix(f.Message.Rendered(), host(stale)+": ") {
			t.Errorf("the finding does not name %s: %s", stale, f.Message)
		}
	}
}

// Of several servers that run here every one must sign with the new key, without
// being named.
func TestEveryServerThatRunsHereIsAsked(t *testing.T) {
	for name, c := range map[string]struct {
		signs  func(b *bench) string
		ended  bool
		serves http.HandlerFunc // instead of the backend
		code   finding.Code
		mark   steps.Mark
	}{
		"restarted":          {func(b *bench) string { return b.key }, false, nil, "", steps.MarkOK},
		"not restarted":      {func(b *bench) string { return b.previous }, false, nil, "server-stale-key", steps.MarkFailed},
		"ended meanwhile":    {func(b *bench) string { return b.key }, true, nil, "", ""},
		"knows no route":     {func(b *bench) string { return b.key }, false, http.NotFound, "server-unreachable", ""},
		"answers no more":    {func(b *bench) string { return b.key }, false, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "server-unreachable", ""},
		"breaks off answers": {func(b *bench) string { return b.key }, false, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "server-unreachable", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.run.Options.Timeout = 2 * time.Second
			var handler http.Handler = &fake{t: t, signs: c.signs(b), verify: true}
			if c.serves != nil {
				handler = c.serves
			}
			other := httptest.NewServer(handler)
			defer other.Close()
			if c.ended {
				other.Close()
			}
			b.run.Servers = []steps.Server{{URL: b.server.URL}, {URL: other.URL}, {}}
			found, err := b.apply()
			if (err != nil) != (c.code != "") || c.code != "" && !finding.Has(found, c.code) {
				t.Errorf("error %v, findings %v", err, found)
			}
			if mark, _ := b.line(steps.LineFresh + " 2"); c.mark != "" && mark != c.mark {
				t.Errorf("the other server's line is %q, want %q", mark, c.mark)
			}
			if mark, _ := b.line(steps.LineAnswers + " 2"); c.ended != (mark == steps.MarkSkipped) {
				t.Errorf("that it ended is %q", mark)
			}
		})
	}
}

// A worker that was not restarted is named, where its answers tell who it is.
func TestAStaleWorkerIsNamed(t *testing.T) {
	for name, named := range map[string]bool{"by a header": true, "no header": false, "by a secret": false} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			stale := func(n int) bool { return n > 2 && n%7 == 0 }
			b.takes = func(n int) []string {
				if stale(n) {
					return []string{b.previous}
				}
				return []string{b.key}
			}
			b.intercept = func(w http.ResponseWriter, _ *http.Request) bool {
				b.mu.Lock()
				defer b.mu.Unlock()
				if named {
					w.Header().Set("X-Pod-Name", map[bool]string{true: "backend-old\u202e", false: "backend-new"}[stale(b.tokens+1)])
				}
				if name == "by a secret" && stale(b.tokens+1) { // that the server has, and that it should not say
					w.Header().Set("X-Pod-Name", b.previous[3:40])
				}
				return false
			}
			b.run.Redactor.Add(b.run.Secret(b.previous))
			found, err := b.apply()
			if err == nil || !finding.Has(found, "server-stale-key") {
				t.Fatalf("error %v, findings %v", err, found)
			}
			if got := strings.Contains(found[0].Message.Rendered(), "It answers with X-Pod-Name: backend-old."); got != named || strings.Contains(found[0].Message.Rendered(), "backend-new") || canary.Leaks(found[0].Message.Rendered(), b.previous) {
				t.Errorf("%s", found[0].Message)
			}
		})
	}
}

// A server that looks at no token, whatever the key, is told by what it answers; not where
// one of its routes does look.
func TestAServerThatLooksAtNoTokenIsToldByItsStatus(t *testing.T) {
	t.Parallel()
	for status, says := range map[int]string{
		500: "with an error (500)", 502: "a proxy that does not reach", 503: "a proxy that does not reach", 400: "ALLOWED_HOSTS", 302: "redirects",
	} {
		b := newBench(t)
		b.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/accounts/login/")
			w.WriteHeader(status)
		})
		b.wantFail("server-unreachable", says)
		b.wantLine(steps.LineFresh, steps.MarkWarn, "the server answers "+strconv.Itoa(status))
		b.run.Project.Facts.Routes.Verify, b.run.Project.Facts.Routes.Protected = "/verify/", "/protected/"
		b.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/verify/" {
				w.WriteHeader(status)
				return
			}
			w.WriteHeader(http.StatusForbidden)
		})
		b.wantFail("proof-inconclusive", "same for every key")
	}
	b := newBench(t) // as where the database is not there: the user is looked for once the signature is good
	b.verify, b.refuse = false, func(code string) (int, string) {
		if code == "user_not_found" {
			return 500, ""
		}
		return 401, code
	}
	b.wantFail("server-unreachable", "answers test tokens with an error (500)")
	b.wantLine(steps.LineFresh, steps.MarkWarn, "the server answers 500")
}
