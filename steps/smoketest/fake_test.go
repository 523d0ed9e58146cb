package smoketest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
	"dj/keysplit/steps/secret"
)

func newKey() string { return fmt.Sprintf("%x", randomBytes(43)) }

// fake is a backend whose every habit can be changed.
type fake struct {
	t *testing.T

	mu       sync.Mutex
	requests int
	secrets  []string // every token and cookie value that passed by
	logins   int

	signs     string                // the key it signs with
	takes     func(n int) []string  // the keys it verifies with, for the n-th request for a token
	method    jwt.SigningMethod     // of the tokens that it gives out
	forge     func(kind string) any // replaces a token that it gives out
	verify    bool                  // has a token-verify route
	cookies   bool                  // hands tokens out as cookies and wants CSRF
	cookieID  bool                  // takes the token from the cookie only, same 401 for every header
	refuse    func(code string) (int, string)
	intercept func(w http.ResponseWriter, r *http.Request) bool // true when it has answered
	clock     time.Duration
	user      string
	password  string
	tokens    int // requests that carried a token to judge
}

func (f *fake) note(values ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.secrets = append(f.secrets, values...)
}

func (f *fake) token(kind string) string {
	if f.forge != nil {
		if v := f.forge(kind); v != nil {
			text := fmt.Sprint(v)
			f.note(text)
			return text
		}
	}
	method := f.method
	if method == nil {
		method = jwt.SigningMethodHS256
	}
	now := time.Now().Add(f.clock)
	text, err := jwt.NewWithClaims(method, jwt.MapClaims{
		"token_type": kind, "user_id": "7", "jti": newKey(), "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}).SignedString([]byte(f.signs))
	if err != nil {
		f.t.Error(err)
	}
	f.note(text)
	return text
}

// check says whether a token is good, and for whom.
func (f *fake) check(text, kind string) (user string, ok bool) {
	f.note(text)
	f.mu.Lock()
	f.tokens++
	n := f.tokens
	f.mu.Unlock()
	keys := []string{f.signs}
	if f.takes != nil {
		keys = f.takes(n)
	}
	for _, key := range keys {
		claims := jwt.MapClaims{}
		_, err := jwt.ParseWithClaims(text, claims, func(*jwt.Token) (any, error) { return []byte(key), nil },
			jwt.WithTimeFunc(func() time.Time { return time.Now().Add(f.clock) }), jwt.WithIssuedAt(), jwt.WithExpirationRequired())
		if err == nil && claims["token_type"] == kind && claims["jti"] != nil {
			return fmt.Sprint(claims["user_id"]), true
		}
	}
	return "", false
}

func (f *fake) deny(w http.ResponseWriter, code string) {
	status, body := http.StatusUnauthorized, `{"detail":"no","code":"`+code+`"}`
	if f.refuse != nil {
		status, body = f.refuse(code)
	}
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests++
	f.mu.Unlock()
	for _, c := range r.Cookies() {
		f.note(c.Value)
	}
	w.Header().Set("Date", time.Now().Add(f.clock).UTC().Format(http.TimeFormat))
	if f.intercept != nil && f.intercept(w, r) {
		return
	}
	var body map[string]string
	_ = json.NewDecoder(r.Body).Decode(&body)
	switch {
	case r.URL.Path == "/api/v1/auth/csrf/" && f.cookies:
		http.SetCookie(w, &http.Cookie{Name: "csrftoken", Value: newKey()})
	case r.URL.Path == "/api/v1/auth/login/" && r.Method == http.MethodPost:
		f.login(w, r, body)
	case r.URL.Path == "/api/v1/auth/token/verify/" && f.verify:
		if _, ok := f.check(body["token"], "access"); !ok {
			f.deny(w, "token_not_valid")
			return
		}
		fmt.Fprint(w, "{}")
	case r.URL.Path == "/api/v1/auth/token/refresh/":
		text := body["refresh"]
		if c, err := r.Cookie("refresh_token"); f.cookies && err == nil {
			text = c.Value
		}
		if _, ok := f.check(text, "refresh"); !ok || f.cookies && !csrfMatches(r) {
			f.deny(w, "token_not_valid")
			return
		}
		f.give(w, "access")
	case r.URL.Path == "/api/v1/auth/user/":
		f.me(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (f *fake) me(w http.ResponseWriter, r *http.Request) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if f.cookieID {
		ok = false
	}
	if c, err := r.Cookie("access_token"); f.cookies && err == nil {
		text, ok = c.Value, true
	}
	if !ok {
		f.deny(w, "not_authenticated")
		return
	}
	switch user, ok := f.check(text, "access"); {
	case !ok:
		f.deny(w, "token_not_valid")
	case user != "7":
		f.deny(w, "user_not_found")
	default:
		fmt.Fprint(w, `{"id":7}`)
	}
}

func csrfMatches(r *http.Request) bool {
	c, err := r.Cookie("csrftoken")
	return err == nil && c.Value != "" && r.Header.Get("X-CSRFToken") == c.Value
}

func (f *fake) login(w http.ResponseWriter, r *http.Request, body map[string]string) {
	f.mu.Lock()
	f.logins++
	f.mu.Unlock()
	switch {
	case f.cookies && !csrfMatches(r):
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"detail":"CSRF Failed: CSRF cookie not set."}`)
	case body["username"] != f.user || body["password"] != f.password:
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"detail":"no such account: %s %s"}`, body["username"], body["password"])
	default:
		f.give(w, "access", "refresh")
	}
}

func (f *fake) give(w http.ResponseWriter, kinds ...string) {
	out := map[string]string{}
	for _, kind := range kinds {
		if f.cookies {
			http.SetCookie(w, &http.Cookie{Name: kind + "_token", Value: f.token(kind), HttpOnly: true, Secure: true, Path: "/"})
			continue
		}
		out[kind] = f.token(kind)
	}
	_ = json.NewEncoder(w).Encode(out)
}

// case of a test: a fake, and a run that looks at it.
type bench struct {
	*fake
	step     Step
	run      *steps.Run
	server   *httptest.Server
	key      string
	secret   string
	previous string

	events []steps.Event
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{key: newKey(), secret: newKey(), previous: newKey()}
	b.fake = &fake{t: t, signs: b.key, verify: true, user: "testuser", password: newKey()}
	b.server = httptest.NewServer(b.fake)
	t.Cleanup(b.server.Close)
	env := filepath.Join(t.TempDir(), ".env")
	if err := os.WriteFile(env, []byte("SECRET_KEY="+b.secret+"\nJWT_SECRET_KEY="+b.key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.run = &steps.Run{
		Options: steps.Options{Timeout: 3 * time.Second},
		Prints:  secret.NewFingerprinter(nil),
		Environ: func(string) (string, bool) { return "", false },
		Served:  steps.Served{URL: b.server.URL},
		Found: steps.Found{Project: &steps.Project{
			EnvFile: steps.EnvFile{Path: env, Readers: []envfile.Dialect{envfile.Decouple}},
			Facts: &steps.Facts{
				Tokens: steps.TokenFacts{Algorithm: "HS256", UserIDClaim: "user_id", TypeClaim: "token_type", IDClaim: "jti",
					HeaderTypes: []string{"Bearer"}, HeaderName: "HTTP_AUTHORIZATION"},
				Routes: routes(nil), LoginField: "username",
			},
		}},
	}
	b.run.Key = b.run.Secret(b.key)
	b.run.Previous = b.run.Secret(b.previous)
	return b
}

// account gives the run the account that the fake knows.
func (b *bench) account() *bench {
	b.run.Answers.Username = b.user
	b.run.Answers.Password = b.run.Secret(b.password)
	return b
}

// apply runs the step and searches everything it says for secrets.
func (b *bench) apply() ([]finding.Finding, error) {
	b.events = nil
	var findings []finding.Finding
	err := b.step.Apply(context.Background(), b.run, func(e steps.Event) {
		b.events = append(b.events, e)
		if e.Finding != nil {
			findings = append(findings, *e.Finding)
		}
	})
	var failure *steps.Failure
	if errors.As(err, &failure) {
		findings = append(findings, failure.Findings...)
	}
	said, _ := json.Marshal([]any{b.events, findings, fmt.Sprint(err)})
	for _, canary := range append([]string{b.key, b.secret, b.previous, b.password}, b.secrets...) {
		if len(canary) > 3 && strings.Contains(string(said), canary) {
			b.t.Error("a secret is in an event or an error")
		}
	}
	return findings, err
}

// line is the last state of a line of the proof.
func (b *bench) line(id string) (steps.Mark, string) {
	var mark steps.Mark
	detail := "(no such line)"
	for _, e := range b.events {
		if e.Kind == steps.EventCheck && e.ID == id {
			mark, detail = e.Mark, e.Detail.Rendered()
		}
	}
	return mark, detail
}

func (b *bench) wantLine(id string, mark steps.Mark, part string) {
	b.t.Helper()
	if m, d := b.line(id); m != mark || !strings.Contains(d, part) {
		b.t.Errorf("line %s is %q %q, want %q with %q", id, m, d, mark, part)
	}
}

// wantPass applies and wants every line given to be ok.
func (b *bench) wantPass(ids ...string) {
	b.t.Helper()
	findings, err := b.apply()
	if err != nil || len(findings) != 0 {
		b.t.Fatalf("error %v, findings %+v", err, findings)
	}
	for _, id := range ids {
		b.wantLine(id, steps.MarkOK, "")
	}
}

// wantFail applies and wants that code first, with the words in its message.
func (b *bench) wantFail(code finding.Code, words ...string) {
	b.t.Helper()
	findings, err := b.apply()
	var failure *steps.Failure
	if !errors.As(err, &failure) || failure.Findings[0].Code != code || failure.Findings[0].Severity != finding.Error {
		b.t.Fatalf("error %v, findings %+v; want %s", err, findings, code)
	}
	for _, w := range words {
		if all := failure.Findings[0].Message.Rendered() + " " + failure.Findings[0].Fix.Rendered(); !strings.Contains(all, w) {
			b.t.Errorf("%q does not say %q", all, w)
		}
	}
}
