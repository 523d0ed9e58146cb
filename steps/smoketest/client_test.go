package smoketest

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"dj/keysplit/steps"
	"dj/keysplit/steps/finding"
)

func TestUnreachable(t *testing.T) {
	b := newBench(t)
	b.server.Close()
	b.wantFail("server-unreachable", "Nothing listens")
	b.run.URL = "http://no-such-host.invalid"
	b.wantFail("server-unreachable", "not known")
	b.run.URL = ""
	b.wantFail("server-unreachable", "--url")
}

func TestServerThatHangsOrTalksNonsense(t *testing.T) {
	t.Attr("part", "lies and failures of a server")
	for name, talk := range map[string]string{
		"silence":       "",
		"no HTTP":       "\x1b[2Jgarbage\r\n\r\n",
		"endless head":  "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 200<<10),
		"broken length": "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort",
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					_, _ = c.Write([]byte(talk))
					if talk != "" {
						_ = c.Close()
					}
				}
			}()
			b := newBench(t)
			b.run.URL = "http://" + l.Addr().String()
			b.run.Options.Timeout = 300 * time.Millisecond
			b.wantFail("server-unreachable")
		})
	}
}

// A server that repeats a token in a broken answer does not get it into an
// error: the bench searches for it.
func TestEchoInABrokenAnswer(t *testing.T) {
	t.Attr("part", "lies and failures of a server")
	b := newBench(t)
	b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		token := r.Header.Get("Authorization")
		if token == "" {
			return false
		}
		b.note(strings.TrimPrefix(token, "Bearer "))
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return true
		}
		_, _ = conn.Write([]byte(token + "\r\n\r\n"))
		_ = conn.Close()
		return true
	}
	b.verify = false
	b.wantFail("server-unreachable", "failed")
}

func TestConnectionsThatBeginToFail(t *testing.T) {
	b := newBench(t)
	b.intercept = func(w http.ResponseWriter, _ *http.Request) bool {
		if b.tokens < 6 {
			return false
		}
		if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
			_ = conn.Close()
		}
		return true
	}
	b.wantFail("server-unreachable")
	// A hijacked connection is not waited for, so its handler may still run.
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.requests > 6+1+maxFailures+2 {
		t.Errorf("%d requests to a server that is gone", b.requests)
	}
}

// A connection that fails is one less, and ends no proof.
func TestAConnectionThatFails(t *testing.T) {
	b := newBench(t)
	failed := false
	b.intercept = func(http.ResponseWriter, *http.Request) bool {
		if b.tokens < 6 || failed {
			return false
		}
		failed = true
		panic(http.ErrAbortHandler)
	}
	b.wantPass()
	if !failed {
		t.Error("no connection failed")
	}
}

// A protected route that gives no answer to the token of the login is no route that says nothing.
func TestAProtectedRouteWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	ses, err := b.step.with(b.run, b.run.Secret(b.key), b.server.URL, func(steps.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	ses.routes.Protected = "/api/"
	b.server.Close()
	var failure *steps.Failure
	if err := ses.useToken(t.Context(), &loggedIn{}); !errors.As(err, &failure) || !finding.Has(failure.Findings, "server-unreachable") {
		t.Errorf("%v", err)
	}
	if err := ses.others(t.Context(), &loggedIn{access: seenToken{claims: map[string]any{}}}, false); err == nil {
		t.Error("no other key is taken, says a server that is gone")
	}
}

// The tokens of an answer may stand in a list.
func TestTokensOfAList(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	token, err := mint(t.Context(), randomSigner(), "HS256", jwt.MapClaims{"token_type": "access"})
	if err != nil {
		t.Fatal(err)
	}
	if found := (&session{run: b.run}).tokens(answer{body: []byte(`{"data": [["` + token + `"]]}`)}); len(found) != 1 || found[0].key != "data" {
		t.Errorf("%d tokens", len(found))
	}
}

func TestUntrustedCertificate(t *testing.T) {
	b := newBench(t)
	secure := httptest.NewUnstartedServer(b.fake)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains about the handshakes that are to fail
	secure.StartTLS()
	defer secure.Close()
	b.run.URL = secure.URL
	b.wantFail("tls-untrusted", "Nothing was sent")
	if b.requests != 0 {
		t.Error("a request was sent")
	}
	b.run.Options.Roots = x509.NewCertPool()
	b.run.Options.Roots.AddCert(secure.Certificate())
	b.wantPass(proofLines...)
	b.run.URL = strings.Replace(b.server.URL, "http", "https", 1)
	b.wantFail("server-unreachable")
}

func TestPlainHTTPElsewhereIsRefused(t *testing.T) {
	b := newBench(t).account()
	for _, base := range []string{"http://192.0.2.1:8000", "http://[2001:db8::1]"} {
		b.run.URL = base
		b.wantFail("insecure-url", "Nothing was sent")
	}
}

func TestAddressesThatCannotBeUsed(t *testing.T) {
	b := newBench(t)
	for _, base := range []string{"ftp://127.0.0.1", "127.0.0.1:8000", "http://", "http://user:" + b.password + "@127.0.0.1/", "http://127.0.0.1/?a=b", "http://127.0.0.1/#x", "::"} {
		b.run.URL = base
		if _, err := b.apply(); !errors.Is(err, steps.ErrUsage) {
			t.Errorf("%q: %v", base, err)
		}
	}
	if b.requests != 0 {
		t.Error("something was sent")
	}
	b.run.URL = b.server.URL + "/"
	b.wantPass(proofLines...)
}

func TestRedirectToHTTPS(t *testing.T) {
	b := newBench(t)
	believes := true // SECURE_PROXY_SSL_HEADER is set
	b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		if believes && r.Header.Get("X-Forwarded-Proto") == "https" {
			return false
		}
		http.Redirect(w, r, "https://127.0.0.1"+r.URL.Path, http.StatusMovedPermanently)
		return true
	}
	b.wantPass(proofLines...)
	believes = false
	b.wantFail("insecure-url", "redirect to https")
	if b.tokens > 40 {
		t.Error("tokens were sent although every request was redirected")
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	b := newBench(t).account()
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer other.Close()
	b.verify = false
	b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, other.URL+"/", http.StatusTemporaryRedirect)
		return true
	}
	b.wantFail("login-no-token", "does not follow")
}

func TestAllowedHostsKnowsOnlyTheName(t *testing.T) {
	for _, name := range []string{"localhost:", "shop.test"} {
		b := newBench(t)
		b.run.Project.Facts.Hosts = []string{".shop.test"}
		b.intercept = func(w http.ResponseWriter, r *http.Request) bool {
			if strings.HasPrefix(r.Host, name) {
				return false
			}
			w.WriteHeader(http.StatusBadRequest)
			return true
		}
		b.wantPass(proofLines...)
	}
	for address, want := range map[string]string{"http://127.0.0.1": "localhost", "http://[::1]:8000/shop": "localhost:8000"} {
		if base, err := parseBase(address); err != nil || byName(base) != want {
			t.Errorf("%s: %q, %v", address, byName(base), err)
		}
	}
}

func TestProxyIsNotUsed(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	newBench(t).wantPass(proofLines...)
	base, err := parseBase("https://example.org")
	if err != nil {
		t.Fatal(err)
	}
	// The standard library never sends loopback addresses through a proxy, so
	// the field itself is looked at as well.
	if newClient(base, nil, time.Second).http.Transport.(*http.Transport).Proxy != nil {
		t.Error("the client has a proxy")
	}
}

func TestJarIsBounded(t *testing.T) {
	t.Attr("part", "lies and failures of a server")
	j := newJar()
	for range 3 {
		for i := range 2 * maxCookies {
			j.add([]*http.Cookie{{Name: "c" + string(rune('A'+i)), Value: "v"}})
		}
	}
	j.add([]*http.Cookie{{Name: "big", Value: strings.Repeat("x", maxCookie)}})
	if len(j.values) != maxCookies || j.values["big"] != "" {
		t.Errorf("%d cookies", len(j.values))
	}
	j = newJar()
	j.add([]*http.Cookie{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}, {Name: "a", Value: "3"}, {Name: "b", MaxAge: -1}})
	if got := j.header(); got != "a=3" {
		t.Errorf("header %q", got)
	}
	j.add([]*http.Cookie{{Name: "a", MaxAge: -1}, {Name: "a", Value: "3"}})
	if got := j.header(); got != "a=3" {
		t.Errorf("taken back and set again: header %q", got)
	}
	j.add([]*http.Cookie{{Name: "b", Value: "4"}})
	if got := j.with("a", "9").header(); got != "a=9; b=4" || j.header() != "a=3; b=4" {
		t.Errorf("copy %q, original %q", got, j.header())
	}
}

func TestBodyIsCut(t *testing.T) {
	t.Attr("part", "lies and failures of a server")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write([]byte(strings.Repeat("x", 3<<20)))
	}))
	defer s.Close()
	base, err := parseBase(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	a, err := newClient(base, nil, 5*time.Second).do(context.Background(), request{method: http.MethodGet, path: "/"})
	if err != nil || len(a.body) != maxBody {
		t.Errorf("%d bytes, %v", len(a.body), err)
	}
}
