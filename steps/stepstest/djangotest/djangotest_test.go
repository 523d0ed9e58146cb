package djangotest

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os/exec"
	"strings"
	"testing"
	"time"

	"dj/keysplit/steps/stepstest"
)

func each(t *testing.T, f func(t *testing.T, o Options)) {
	for _, g := range Generations() {
		for _, flavour := range Flavours() {
			t.Run(string(g)+"-"+string(flavour), func(t *testing.T) { f(t, Options{Generation: g, Flavour: flavour}) })
		}
	}
}

// session logs in and asks who it is, as a browser or an API client would.
type session struct {
	t      *testing.T
	client *http.Client
	url    string
}

func newSession(t *testing.T, url string) *session {
	jar, err := cookiejar.New(nil)
	must(t, err)
	return &session{t, &http.Client{Jar: jar, Timeout: 20 * time.Second}, url + "/api/v1/auth/"}
}

func (s *session) do(method, path, body string, header ...string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	must(s.t, err)
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := s.client.Do(req)
	must(s.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	must(s.t, err)
	return res.StatusCode, string(text)
}

func (s *session) cookie(name string) string {
	req, err := http.NewRequest("GET", s.url, nil)
	must(s.t, err)
	for _, c := range s.client.Jar.Cookies(req.URL) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

func TestLogin(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	each(t, func(t *testing.T, o Options) {
		p := New(t, o)
		name, password := p.CreateUser(t)
		s := newSession(t, p.Start(t, ServerOptions{}).URL)
		body := func(password string) string {
			data, err := json.Marshal(map[string]string{"username": name, "password": password})
			must(t, err)
			return string(data)
		}
		if status, _ := s.do("GET", "user/", ""); status != 401 {
			t.Fatalf("user without a token: %d", status)
		}
		if o.Flavour == Tokens {
			loginForTokens(t, s, name, body(password), body("wrong"))
		} else {
			loginForCookies(t, s, name, body(password), body("wrong"))
		}
	})
}

func loginForTokens(t *testing.T, s *session, name, good, bad string) {
	if status, _ := s.do("POST", "login/", bad); status != 401 {
		t.Fatalf("login with a wrong password: %d", status)
	}
	status, text := s.do("POST", "login/", good)
	var tokens struct{ Access, Refresh string }
	must(t, json.Unmarshal([]byte(text), &tokens))
	if status != 200 || tokens.Access == "" {
		t.Fatalf("login: %d", status)
	}
	if status, text = s.do("GET", "user/", "", "Authorization", "Bearer "+tokens.Access); status != 200 || !strings.Contains(text, name) {
		t.Fatalf("user: %d %s", status, text)
	}
	if status, text = s.do("GET", "user/", "", "Authorization", "Bearer "+tokens.Access+"x"); status != 401 || !strings.Contains(text, `"token_not_valid"`) {
		t.Fatalf("user with a broken token: %d %s", status, text)
	}
	if status, _ = s.do("POST", "token/verify/", `{"token":"`+tokens.Access+`"}`); status != 200 {
		t.Fatalf("verify: %d", status)
	}
	refresh := `{"refresh":"` + tokens.Refresh + `"}`
	if status, _ = s.do("POST", "token/refresh/", refresh); status != 200 {
		t.Fatalf("refresh: %d", status)
	}
	if status, _ = s.do("POST", "token/refresh/", refresh); status != 401 {
		t.Fatalf("refresh with a blacklisted token: %d", status)
	}
}

func loginForCookies(t *testing.T, s *session, name, good, bad string) {
	if status, _ := s.do("POST", "login/", good); status != 403 {
		t.Fatalf("login without CSRF: %d", status)
	}
	s.do("GET", "csrf/", "")
	csrf := s.cookie("csrftoken")
	if status, _ := s.do("POST", "login/", bad, "X-CSRFToken", csrf); status != 401 && status != 403 {
		t.Fatalf("login with a wrong password: %d", status)
	}
	if status, text := s.do("POST", "login/", good, "X-CSRFToken", csrf); status != 200 || s.cookie("access_token") == "" || strings.Contains(text, s.cookie("access_token")) {
		t.Fatalf("login: %d", status)
	}
	if status, text := s.do("GET", "user/", ""); status != 200 || !strings.Contains(text, name) {
		t.Fatalf("user: %d %s", status, text)
	}
	if status, _ := s.do("POST", "token/refresh/", "{}", "X-CSRFToken", s.cookie("csrftoken")); status != 200 {
		t.Fatalf("refresh: %d", status)
	}
	if status, _ := s.do("POST", "token/verify/", "{}"); status != 404 {
		t.Fatalf("there is no verify route, yet: %d", status)
	}
	s.client.Jar = nil
	if status, text := s.do("GET", "user/", "", "Authorization", "Bearer x.y.z"); status != 401 || !strings.Contains(text, `"type":"token_not_valid"`) {
		t.Fatalf("user with a broken header: %d %s", status, text)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, env, want string }{
		{"missing", "SECRET_KEY={SECRET_KEY}\n", "JWT_SECRET_KEY environment variable is required."},
		{"equal", "SECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={SECRET_KEY}\n", "JWT_SECRET_KEY must be different from SECRET_KEY."},
		{"short", "SECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY=" + NewKey()[:32] + "\n", "JWT_SECRET_KEY must be at least 50 characters"},
		{"good", "SECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n", ""},
	}
	for _, g := range Generations() {
		p := New(t, Options{Generation: g})
		for _, c := range cases {
			p.WriteEnv(t, c.env)
			text, err := p.Manage(t, nil, "check")
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(text, "ImproperlyConfigured: "+c.want)) {
				t.Errorf("%s %s: %v: %s", g, c.name, err, tail(text, 400))
			}
		}
	}
}

func TestReaders(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	for _, reader := range []string{"decouple", "dotenv", "environ"} {
		p := New(t, Options{Reader: reader})
		if text, err := p.Manage(t, nil, "check"); err != nil {
			t.Errorf("%s: %v: %s", reader, err, tail(text, 400))
		}
		p.WriteEnv(t, "SECRET_KEY={SECRET_KEY}\n")
		if _, err := p.Manage(t, nil, "check"); err == nil {
			t.Errorf("%s: starts without the key", reader)
		}
	}
}

func TestBefore(t *testing.T) {
	t.Parallel()
	p := New(t, Options{Before: true, Flavour: Cookies, Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n", Git: true, Venv: true})
	text, err := p.Manage(t, nil, "check")
	if err != nil || !strings.Contains(text, "[SETTINGS]") {
		t.Errorf("%v: %s", err, tail(text, 400))
	}
	if !strings.Contains(p.Python, ".venv") {
		t.Errorf("interpreter is %s", p.Python)
	}
	status := exec.Command("git", "status", "--porcelain")
	status.Dir = p.Dir
	if out, err := status.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("git status: %v: %s", err, out)
	}
}

// A reload reads the .env again; a changed .env alone is not noticed; and a
// server that reloads into settings that refuse ends altogether.
func TestReload(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	p := New(t, Options{})
	s := p.Start(t, ServerOptions{Reload: true})
	starts := func() int { return strings.Count(s.Output(), "Starting development server") }
	before := starts()
	p.WriteEnv(t, "DEBUG=True\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY="+NewKey()+"\n")
	if until(2*time.Second, func() bool { return starts() > before }) {
		t.Fatal("a changed .env alone made the server reload")
	}
	p.Touch(t)
	if !until(startLimit, func() bool { return starts() > before }) || !s.Answers(startLimit) {
		t.Fatalf("no reload; it said: %s", tail(s.Output(), 1000))
	}
	time.Sleep(settle)
	p.WriteEnv(t, "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n")
	p.Touch(t)
	if !until(startLimit, s.Ended) || !strings.Contains(s.Output(), "JWT_SECRET_KEY environment variable is required") {
		t.Fatalf("no refusal; it said: %s", tail(s.Output(), 1000))
	}
}

func TestStopEndsTheFamily(t *testing.T) {
	stepstest.OnlyLong(t)
	t.Parallel()
	s := New(t, Options{}).Start(t, ServerOptions{Reload: true})
	s.Stop()
	if s.Answers(0) {
		t.Error("a child is left behind and answers")
	}
}
