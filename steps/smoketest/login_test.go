package smoketest

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

var allLines = append([]string{steps.LineLogin, steps.LineToken, steps.LineProtected, steps.LineRefresh}, proofLines...)

func TestHealthyLogin(t *testing.T) {
	for name, change := range map[string]func(*bench){
		"tokens in the body":     func(*bench) {},
		"cookies and CSRF":       func(b *bench) { b.cookies = true; b.verify = false },
		"cookies, no other sign": func(b *bench) { b.cookies = true; b.verify = false; b.cookieID = true },
		"no facts":               func(b *bench) { b.run.Project.Facts = nil },
		"no facts, other claims": func(b *bench) {
			// Tokens for nobody are refused for their claims here, so the
			// account's own claims have to settle it.
			b.run.Project.Facts = nil
			b.verify = false
			b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
				text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
				if ok && strings.Contains(payload(text), nobody) {
					b.note(text)
					b.deny(w, "token_not_valid")
					return true
				}
				return false
			}
		},
		"verify says 200 to everything, header alike, and a person said yes": func(b *bench) {
			b.cookies, b.cookieID = true, true
			b.run.Answers.LoginAnyway = b.server.URL
			b.intercept = func(_ http.ResponseWriter, r *http.Request) bool { return r.URL.Path == "/api/v1/auth/token/verify/" }
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t).account()
			change(b)
			b.wantPass(allLines...)
			if b.logins != 1 {
				t.Errorf("%d logins", b.logins)
			}
		})
	}
}

func payload(token string) string {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return ""
	}
	raw, _ := base64.RawURLEncoding.DecodeString(parts[1])
	return string(raw)
}

// The login's token is proof enough of the key that signs, though the other
// lines stay open.
func TestLoginTokenAloneProves(t *testing.T) {
	b := newBench(t).account()
	b.run.Project.Facts.Routes = steps.Routes{Login: "/api/v1/auth/login/"}
	b.wantPass(steps.LineLogin, steps.LineToken)
	b.wantLine(steps.LineFresh, steps.MarkWarn, "same answer for every key")
	b.wantLine(steps.LineSecret, steps.MarkWarn, "same answer for every key")
	b.wantLine(steps.LineProtected, steps.MarkSkipped, "")
	b.wantLine(steps.LineRefresh, steps.MarkSkipped, "")
}

func TestOwnClaimsFindAnOpenDoor(t *testing.T) {
	for code, key := range map[finding.Code]func(*bench) string{
		"server-accepts-secret-key-token": func(b *bench) string { return b.secret },
		"server-accepts-old-token":        func(b *bench) string { return b.previous },
	} {
		b := newBench(t).account()
		b.cookies, b.verify, b.cookieID = true, false, true
		b.takes = func(int) []string { return []string{b.key, key(b)} }
		b.wantFail(code)
	}
}

func TestLoginRefused(t *testing.T) {
	status := func(code int, header, body string) func(*bench) {
		return func(b *bench) {
			b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != "/api/v1/auth/login/" || r.Method != http.MethodPost {
					return false
				}
				b.logins++
				if name, value, ok := strings.Cut(header, ": "); ok {
					w.Header().Set(name, value)
				}
				w.WriteHeader(code)
				fmt.Fprint(w, body)
				return true
			}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*bench)
		code   finding.Code
		words  string
	}{
		{"wrong password", func(b *bench) { b.run.Answers.Password = b.run.Secret(newKey()) }, "login-rejected", "401"},
		{"bad request", status(400, "", `{"detail":"no"}`), "login-rejected", "400"},
		{"forbidden", status(403, "", "no"), "login-rejected", "403"},
		{"server error", status(500, "", "csrf locked throttled"), "login-rejected", "500"},
		{"CSRF", status(403, "", "<h1>CSRF verification failed.</h1>"), "login-csrf", ""},
		{"no CSRF cookie to be had", func(b *bench) {
			b.cookies = true
			b.intercept = func(_ http.ResponseWriter, r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/csrf/") }
		}, "login-csrf", ""},
		{"throttled", status(429, "Retry-After: 900", "slow down"), "login-throttled", "15m0s"},
		{"throttled until a date", status(429, "Retry-After: "+time.Now().Add(150*time.Minute).UTC().Format(http.TimeFormat), ""), "login-throttled", "Wait for 2h"},
		{"forbidden", status(403, "", "no"), "login-rejected", "forbids"},
		{"forbidden for a while", status(403, "Retry-After: 900", "no"), "login-rejected", "Wait for 15m0s"},
		{"locked for a while", status(423, "Retry-After: 60", ""), "login-locked", "Wait for 1m0s"},
		{"away for a while", status(503, "Retry-After: 30", ""), "login-rejected", "Wait for 30s"},
		{"throttled with nonsense", status(429, "Retry-After: never", ""), "login-throttled", "Wait for the time"},
		{"locked", status(403, "", "Account locked: too many login attempts."), "login-locked", ""},
		{"locked, axes", status(429, "", `{"detail":"Account locked: too many login attempts."}`), "login-locked", ""},
		{"423", status(423, "", ""), "login-locked", ""},
		{"no such route", status(404, "", ""), "login-no-token", "404"},
		{"no token", status(200, "", `{"ok":true}`), "login-no-token", "200"},
		{"redirect", status(302, "Location: https://elsewhere.invalid/", ""), "login-no-token", "redirect"},
		{"opaque token", status(200, "", `{"token":"0123456789abcdef"}`), "login-no-token", ""},
		{"junk tokens", status(200, "", `{"access":"a.b.c","refresh":"..","x":[[[[[["e30.e30."]]]]]],"n":null}`), "login-no-token", ""},
		{"no JSON", status(200, "", "\x00\xff{{{{"), "login-no-token", ""},
		{"a body without end", status(200, "", strings.Repeat("[", 2<<20)), "login-no-token", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t).account()
			c.change(b)
			b.wantFail(c.code, c.words)
			mark := steps.MarkFailed
			if c.code == finding.LoginThrottled || c.code == finding.LoginLocked {
				mark = steps.MarkWarn // nobody looked at the password
			}
			b.wantLine(steps.LineLogin, mark, "")
			b.wantLine(steps.LineFresh, steps.MarkOK, "")
			if b.logins > 1 {
				t.Errorf("%d logins", b.logins)
			}
		})
	}
}

func TestLoginToken(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	signed := func(method jwt.SigningMethod, key any) func(string) any {
		return func(kind string) any {
			text, err := jwt.NewWithClaims(method, jwt.MapClaims{"token_type": kind, "user_id": "7", "jti": "j", "exp": time.Now().Add(time.Hour).Unix()}).SignedString(key)
			if err != nil {
				t.Error(err)
			}
			return text
		}
	}
	for _, c := range []struct {
		name   string
		change func(b *bench)
		code   finding.Code
		words  string
	}{
		{"alg none", func(b *bench) { b.forge = signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType) }, "token-algorithm", "none"},
		{"alg RS256", func(b *bench) { b.forge = signed(jwt.SigningMethodRS256, rsaKey) }, "token-algorithm", "RS256"},
		{"hostile alg", func(b *bench) {
			h := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"\u001b[31m` + strings.Repeat("x", 500) + `"}`))
			b.forge = func(string) any { return h + ".e30.eA" }
		}, "token-algorithm", ""},
		{"signed with SECRET_KEY", func(b *bench) { b.forge = signed(jwt.SigningMethodHS256, []byte(b.secret)) }, "server-signs-with-secret-key", ""},
		{"signed with the previous key", func(b *bench) { b.forge = signed(jwt.SigningMethodHS256, []byte(b.previous)) }, "server-stale-key", "previous"},
		{"signed with another key", func(b *bench) { b.forge = signed(jwt.SigningMethodHS256, []byte(newKey())) }, "server-stale-key", "does not know"},
		{"signature cut off", func(b *bench) {
			f := signed(jwt.SigningMethodHS256, []byte(b.key))
			b.forge = func(kind string) any { text := f(kind).(string); return text[:len(text)-4] }
		}, "server-stale-key", "does not know"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t).account()
			c.change(b)
			b.wantFail(c.code, c.words)
			b.wantLine(steps.LineToken, steps.MarkFailed, "")
		})
	}
}

func TestProtectedRouteAndRefresh(t *testing.T) {
	on := func(path string, code int, body string) func(*bench) {
		return func(b *bench) {
			b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path != path || b.logins == 0 {
					return false
				}
				w.WriteHeader(code)
				fmt.Fprint(w, body)
				return true
			}
		}
	}
	const me, refresh = "/api/v1/auth/user/", "/api/v1/auth/token/refresh/"
	for _, c := range []struct {
		name   string
		change func(*bench)
		code   finding.Code
		line   string
		mark   steps.Mark
	}{
		{"refuses the token", on(me, 401, ""), "server-stale-key", steps.LineProtected, steps.MarkFailed},
		{"refuses it with a status of its own", on(me, 200, "token_not_valid"), "server-stale-key", steps.LineProtected, steps.MarkFailed},
		{"opens for the session beside the token only", func(b *bench) {
			b.cookies = true
			b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
				if r.URL.Path == "/api/v1/auth/login/" && r.Method == http.MethodPost {
					http.SetCookie(w, &http.Cookie{Name: "sessionid", Value: newKey()})
				}
				if _, err := r.Cookie("sessionid"); r.URL.Path != me || b.logins == 0 || err == nil {
					return r.URL.Path == me && b.logins > 0
				}
				w.WriteHeader(http.StatusUnauthorized)
				return true
			}
		}, "server-stale-key", steps.LineProtected, steps.MarkFailed},
		{"account may not", on(me, 403, ""), "", steps.LineProtected, steps.MarkWarn},
		{"limited", on(me, 429, ""), "", steps.LineProtected, steps.MarkWarn},
		{"refresh refused", on(refresh, 401, ""), "login-no-token", steps.LineRefresh, steps.MarkFailed},
		{"refresh without CSRF", on(refresh, 403, "CSRF Failed"), "login-csrf", steps.LineRefresh, steps.MarkFailed},
		{"refresh gives nothing", on(refresh, 200, "{}"), "login-no-token", steps.LineRefresh, steps.MarkFailed},
		{"refresh limited", on(refresh, 429, ""), "", steps.LineRefresh, steps.MarkWarn},
		{"refresh by a stale process", func(b *bench) {
			n := 0
			b.forge = func(kind string) any {
				if n++; n == 3 {
					b.signs = newKey()
				}
				return nil
			}
		}, "server-stale-key", steps.LineRefresh, steps.MarkFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t).account()
			c.change(b)
			if c.code == "" {
				b.wantPass(steps.LineLogin, steps.LineToken)
			} else {
				b.wantFail(c.code)
			}
			b.wantLine(c.line, c.mark, "")
		})
	}
}

func TestThrowawayAccount(t *testing.T) {
	prepare := func() (*bench, *django) {
		b := newBench(t)
		d := &django{secret: b.secret, account: steps.Account{Field: "username", Username: b.user, Password: b.run.Prints.Secret(b.password)}}
		b.run.Django, b.run.Answers.TempUser = d, true
		return b, d
	}
	b, d := prepare()
	b.wantPass(allLines...)
	left := func(b *bench) bool {
		return slices.ContainsFunc(b.events, func(e steps.Event) bool {
			return strings.Contains(e.Text.Rendered(), "could not be deleted. Delete it by hand")
		})
	}
	if d.made != 1 || d.deleted != 1 || left(b) {
		t.Errorf("made %d, deleted %d, said to be left: %t", d.made, d.deleted, left(b))
	}
	b, d = prepare()
	d.stays = errors.New("the database is locked")
	if b.wantPass(allLines...); !left(b) {
		t.Error("nothing is said of an account that stays")
	}
	b, d = prepare() // also after a failure
	b.password = newKey()
	b.wantFail("login-rejected")
	if d.deleted != 1 {
		t.Error("the account is left behind after a failed login")
	}
	b, d = prepare() // also when the user stops
	ctx, cancel := context.WithCancel(context.Background())
	b.intercept = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/api/v1/auth/login/" {
			cancel()
		}
		return false
	}
	if err := b.step.Apply(ctx, b.run, func(steps.Event) {}); !errors.Is(err, context.Canceled) || d.deleted != 1 {
		t.Errorf("error %v, deleted %d", err, d.deleted)
	}
	b, d = prepare()
	d.fail = errors.New("no such table " + b.key)
	b.wantFail("login-rejected", "could not be made")
	b, _ = prepare() // not anywhere but in development, and not without Django
	b.run.Options.Environment = "staging"
	if _, err := b.apply(); !errors.Is(err, steps.ErrUsage) || b.requests != 0 {
		t.Errorf("staging: %v after %d requests", err, b.requests)
	}
	b, _ = prepare()
	b.run.Django = nil
	if _, err := b.apply(); !errors.Is(err, steps.ErrUsage) || b.requests != 0 {
		t.Errorf("no Django: %v after %d requests", err, b.requests)
	}
}

func TestAnAccountWithoutPasswordIsNotTried(t *testing.T) {
	b := newBench(t)
	b.run.Answers.Username = b.user
	b.wantPass(proofLines...)
	b.wantLine(steps.LineLogin, steps.MarkSkipped, "")
}

func TestPlanNamesTheLogin(t *testing.T) {
	b := newBench(t).account()
	with, err := b.step.Plan(context.Background(), b.run)
	if err != nil || !strings.Contains(with.Summary.Rendered(), "log in once as testuser") || len(with.Effects) == 0 {
		t.Errorf("%+v, %v", with, err)
	}
	b.run.Answers.Username = ""
	without, err := b.step.Plan(context.Background(), b.run)
	if err != nil || strings.Contains(without.Summary.Rendered(), "log in") {
		t.Errorf("%+v, %v", without, err)
	}
	if b.requests != 0 {
		t.Error("the plan asked the server")
	}
}

// An account that this run cannot make is refused before anything is asked or written.
func TestAnAccountThatCannotBeAskedFor(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(b *bench){
		"no Django":   func(b *bench) { b.run.Django = nil },
		"in staging":  func(b *bench) { b.run.Options.Environment = "staging" },
		"the control": func(b *bench) { b.run.Answers.TempUser = false },
	} {
		b := newBench(t)
		b.run.Django, b.run.Answers.TempUser = &django{}, true
		spoil(b)
		_, err := b.step.Plan(t.Context(), b.run)
		if warned := b.step.Forewarn(t.Context(), b.run); errors.Is(err, steps.ErrUsage) != (name != "the control") || errors.Is(warned, steps.ErrUsage) != (name != "the control") {
			t.Errorf("%s: %v, %v", name, err, warned)
		}
	}
}

// A secure request says where it comes from, which Django's CSRF check wants to know.
func TestASecureRequestSaysWhereItComesFrom(t *testing.T) {
	t.Parallel()
	var got http.Header
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	base, err := parseBase(server.URL)
	if err == nil {
		_, err = newClient(base, roots, time.Minute).do(t.Context(), request{method: http.MethodGet, path: "/"})
	}
	if err != nil || got.Get("Origin") != server.URL || got.Get("Referer") != server.URL+"/" {
		t.Errorf("%q, %v", got, err)
	}
}
