package demo

import (
	"bufio"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"dj/keysplit/steps/sys/guard"
)

// backend is the server of the demo: login with a CSRF cookie and header,
// tokens in httpOnly cookies, answers in the words of Django REST framework and
// simplejwt.
type backend struct {
	tokens tokens

	mu    sync.Mutex
	users []user
}

// serve is the server process. It ends with its input.
func serve(stdin io.Reader, stdout, stderr io.Writer) int {
	started := time.Now()
	in := bufio.NewScanner(stdin)
	in.Buffer(nil, 1<<20)
	var start workerStart
	if !in.Scan() || json.Unmarshal(in.Bytes(), &start) != nil {
		return 1
	}
	s, refused := evaluate(start.Root)
	if start.Old {
		s, refused = read(start.Root)
	}
	if refused != nil {
		fmt.Fprint(stderr, refused.traceback(start.Root))
		return 1
	}
	l, err := listen(start.Addr)
	if err != nil {
		fmt.Fprintln(stderr, "Error: That port is already in use.")
		return 1
	}
	b := &backend{tokens: tokens{key: []byte(s.signingKey())}, users: start.Users}
	server := &http.Server{Handler: b.handler(), ReadHeaderTimeout: 5 * time.Second, MaxHeaderBytes: 64 << 10}
	guard.Go(func() { _ = server.Serve(l) }, func(err error) { // ends with the process
		fmt.Fprintln(stderr, err)
		_ = l.Close()
	})

	out := json.NewEncoder(stdout)
	if out.Encode(workerReady{l.Addr().String(), started}) != nil {
		return 0
	}
	for in.Scan() {
		var users []user
		if json.Unmarshal(in.Bytes(), &users) != nil {
			continue
		}
		b.mu.Lock()
		b.users = users
		b.mu.Unlock()
		if out.Encode(len(users)) != nil {
			return 0
		}
	}
	return 0
}

// listen opens the address of the server before; its port may need a moment to
// be free again.
func listen(addr string) (net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	var err error
	for range 40 {
		var l net.Listener
		if l, err = net.Listen("tcp", addr); err == nil {
			return l, nil
		}
		time.Sleep(pollEvery)
	}
	return nil, err
}

const (
	cookieSuffix = "_token" // of access_token and refresh_token
	csrfCookie   = "csrftoken"
	csrfHeader   = "X-CSRFToken"
	maxBody      = 64 << 10 // bytes
)

func (b *backend) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", home)
	mux.HandleFunc("GET "+routes.CSRF, b.csrf)
	mux.HandleFunc("POST "+routes.Login, b.login)
	mux.HandleFunc("GET "+routes.Protected, b.currentUser)
	mux.HandleFunc("POST "+routes.Refresh, b.refresh)
	mux.HandleFunc("POST "+routes.Verify, b.verify)
	return mux
}

// home is what a person who opens the address of the demo sees.
func home(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, homePage, routes.CSRF, routes.Login, routes.Protected, routes.Refresh, routes.Verify) // fails when the client has gone
}

const homePage = `<!doctype html>
<html lang="en">
<meta name="viewport" content="width=device-width">
<title>keysplit demo</title>
<style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; color-scheme: light dark }</style>
<h1>The backend of the keysplit demo</h1>
<p>It stands in for a Django backend that signs its tokens with JWT_SECRET_KEY, and it ends with the demo.
<p>keysplit uses these routes:
<ul>
<li>GET %s
<li>POST %s
<li>GET %s
<li>POST %s
<li>POST %s
</ul>
`

func (b *backend) csrf(w http.ResponseWriter, _ *http.Request) {
	// #nosec G124 -- a script of the page reads it, as Django's; plain http on this machine only
	http.SetCookie(w, &http.Cookie{Name: csrfCookie, Value: newKey()[:32], Path: "/", SameSite: http.SameSiteLaxMode})
	answer(w, http.StatusOK, body{"detail": "CSRF cookie set"})
}

func (b *backend) login(w http.ResponseWriter, r *http.Request) {
	cookie, err := r.Cookie(csrfCookie)
	switch {
	case err != nil:
		answer(w, http.StatusForbidden, body{"detail": "CSRF Failed: CSRF cookie not set."})
		return
	case cookie.Value == "" || !same(cookie.Value, r.Header.Get(csrfHeader)):
		answer(w, http.StatusForbidden, body{"detail": "CSRF Failed: CSRF token missing or incorrect."})
		return
	}
	var in struct{ Username, Password string }
	if !parse(w, r, &in) {
		return
	}
	u, ok := b.find(func(u user) bool { return u.Name == in.Username && same(u.Password, in.Password) })
	if !ok {
		unauthorized(w, body{"detail": "No active account found with the given credentials", "code": "no_active_account"})
		return
	}
	for _, kind := range []string{refresh, access} {
		b.tokens.setCookie(w, kind, u.ID)
	}
	answer(w, http.StatusOK, body{"user": body{"id": u.ID, "username": u.Name}})
}

// currentUser takes the cookie first and is silent about what is wrong with it,
// then the Authorization header.
func (b *backend) currentUser(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(access + cookieSuffix); err == nil {
		if id, err := b.tokens.check(c.Value, access); err == nil {
			if u, ok := b.find(func(u user) bool { return u.ID == id }); ok {
				answer(w, http.StatusOK, body{"id": u.ID, "username": u.Name})
				return
			}
		}
	}
	token, ok := bearer(r)
	if !ok {
		unauthorized(w, body{"detail": "Authentication credentials were not provided."})
		return
	}
	id, err := b.tokens.check(token, access)
	if err != nil {
		unauthorized(w, body{
			"detail":   "Given token not valid for any token type",
			"code":     "token_not_valid",
			"messages": []body{{"token_class": "AccessToken", "token_type": "access", "message": "Token is invalid"}},
		})
		return
	}
	u, ok := b.find(func(u user) bool { return u.ID == id })
	if !ok {
		unauthorized(w, body{"detail": "User not found", "code": "user_not_found"})
		return
	}
	answer(w, http.StatusOK, body{"id": u.ID, "username": u.Name})
}

func (b *backend) refresh(w http.ResponseWriter, r *http.Request) {
	var in struct{ Refresh string }
	if !parse(w, r, &in) {
		return
	}
	if c, err := r.Cookie(refresh + cookieSuffix); err == nil && in.Refresh == "" {
		in.Refresh = c.Value
	}
	id, err := b.tokens.check(in.Refresh, refresh)
	if err != nil {
		unauthorized(w, body{"detail": "Token is invalid or expired", "code": "token_not_valid"})
		return
	}
	b.tokens.setCookie(w, access, id)
	answer(w, http.StatusOK, body{"detail": "Token refreshed"})
}

func (b *backend) verify(w http.ResponseWriter, r *http.Request) {
	var in struct{ Token string }
	if !parse(w, r, &in) {
		return
	}
	if _, err := b.tokens.check(in.Token, ""); err != nil {
		unauthorized(w, body{"detail": "Token is invalid or expired", "code": "token_not_valid"})
		return
	}
	answer(w, http.StatusOK, body{})
}

func (b *backend) find(match func(user) bool) (user, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, u := range b.users {
		if match(u) {
			return u, true
		}
	}
	return user{}, false
}

type body map[string]any

func answer(w http.ResponseWriter, status int, b body) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(b) // fails when the client has gone
}

func unauthorized(w http.ResponseWriter, b body) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="api"`)
	answer(w, http.StatusUnauthorized, b)
}

// parse reads a JSON body; an empty one is no error.
func parse(w http.ResponseWriter, r *http.Request, into any) bool {
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(into)
	if err != nil && err != io.EOF {
		answer(w, http.StatusBadRequest, body{"detail": "JSON parse error"})
		return false
	}
	return true
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
