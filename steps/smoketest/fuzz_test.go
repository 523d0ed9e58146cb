package smoketest

import (
	"net/http"
	"testing"
	"time"

	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
)

// A server's answer to the login may be anything: what is taken for a token has
// three parts and an algorithm, and the rest is explained or passed over.
func FuzzAnswer(f *testing.F) {
	f.Add(200, []byte(`{"access":"eyJhbGciOiJub25lIn0.e30.","refresh":"eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjFlOTl9.x"}`), "csrftoken=x; Path=/", "12")
	f.Add(429, []byte(`{"detail":"\u202e"}`), "a=eyJhbGciOiJIUzI1NiJ9.e30.e30", "Thu, 01 Jan 1970 00:00:00 GMT")
	f.Add(403, []byte("CSRF \xff"), "=;=", "-1")
	f.Fuzz(func(t *testing.T, status int, body []byte, cookie, retry string) {
		run := &steps.Run{Prints: secret.NewFingerprinter(nil)}
		s := &session{run: run, now: time.Now, client: &client{}}
		res := http.Response{Header: http.Header{"Set-Cookie": {cookie}, "Retry-After": {retry}}}
		a := answer{status: status, header: res.Header, body: body, cookies: res.Cookies()}
		for _, token := range s.tokens(a) {
			if token.alg == "" || token.claims == nil {
				t.Errorf("a token without algorithm or claims")
			}
			_, _ = token.symmetric(), token.named("token_type", "access")
		}
		if found, bad := s.refusedLogin(a, "/login"); bad != (status >= 400) || bad && found.Message.Rendered() == "" {
			t.Errorf("status %d: %v, %q", status, bad, found.Message)
		}
		if value := csrfInBody(body); value != "" && csrfHeader(value) == nil {
			t.Error("a value that is no header")
		}
		j := newJar()
		for range 3 {
			j.add(a.cookies)
		}
		if h := j.header(); h != "" && !headerSafe(h[:1]) {
			t.Errorf("a cookie header of %q", h)
		}
		_ = printOf(a)
	})
}
