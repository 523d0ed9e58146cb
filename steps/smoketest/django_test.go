package smoketest

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"dj/keysplit/envfile"
	"dj/keysplit/steps"
	"dj/keysplit/steps/secret"
	"dj/keysplit/steps/stepstest"
	"dj/keysplit/steps/stepstest/djangotest"
)

// These tests ask a real Django with a real simplejwt.

func djangoBench(t *testing.T, p *djangotest.Project, url string) *bench {
	t.Helper()
	b := &bench{fake: &fake{t: t}, key: p.Key, secret: p.SecretKey, previous: djangotest.NewKey()}
	b.run = &steps.Run{
		Options: steps.Options{Timeout: 20 * time.Second},
		Prints:  secret.NewFingerprinter(nil),
		Environ: func(string) (string, bool) { return "", false },
		Served:  steps.Served{URL: url},
		Found:   steps.Found{Project: &steps.Project{EnvFile: steps.EnvFile{Path: p.EnvPath, Readers: []envfile.Dialect{envfile.Decouple}}}},
	}
	b.run.Key = b.run.Secret(b.key)
	b.run.Previous = b.run.Secret(b.previous)
	return b
}

func TestDjangoHealthy(t *testing.T) {
	for n, generation := range djangotest.Generations() {
		for m, flavour := range djangotest.Flavours() {
			if n != m && !stepstest.Long() {
				continue // the short form tries each of them once
			}
			t.Run(string(generation)+" "+string(flavour), func(t *testing.T) {
				t.Parallel()
				p := djangotest.New(t, djangotest.Options{Generation: generation, Flavour: flavour})
				server := p.Start(t, djangotest.ServerOptions{})
				b := djangoBench(t, p, server.URL)
				b.user, b.password = p.CreateUser(t)
				b.account()
				b.wantPass(allLines...)
				b.wantLine(steps.LineFresh, steps.MarkOK, "20 of 20")
				b.wantLine(steps.LineSecret, steps.MarkOK, "401 token_not_valid")

				// One wrong password: refused, and the proof still stands.
				b.run.Answers.Password = b.run.Secret(djangotest.NewKey())
				b.run.Options.Connections = 3
				b.wantFail("login-rejected")
				b.wantLine(steps.LineFresh, steps.MarkOK, "3 of 3")

				// The .env changes and the server is not restarted.
				stale := b.run.Key
				b.key = djangotest.NewKey()
				b.run.Key, b.run.Previous = b.run.Secret(b.key), stale
				b.wantFail("server-stale-key", "previous key")
				b.wantLine(steps.LineControl, steps.MarkOK, "401 token_not_valid")
			})
		}
	}
}

// The code from before the change signs with SECRET_KEY when there is no key.
func TestDjangoFromBeforeTheChange(t *testing.T) {
	for generation, flavour := range map[djangotest.Generation]djangotest.Flavour{
		djangotest.Modern: djangotest.Cookies, djangotest.Legacy: djangotest.Tokens,
	} {
		t.Run(string(generation)+" "+string(flavour), func(t *testing.T) {
			t.Parallel()
			p := djangotest.New(t, djangotest.Options{Generation: generation, Flavour: flavour, Before: true,
				Env: "DEBUG=True\nSECRET_KEY={SECRET_KEY}\n"})
			server := p.Start(t, djangotest.ServerOptions{})
			b := djangoBench(t, p, server.URL)
			b.wantFail("server-signs-with-secret-key")
			b.wantLine(steps.LineSecret, steps.MarkFailed, "accepted on")
			b.run.Previous = b.run.Secret(b.secret)
			b.wantFail("server-signs-with-secret-key", "also the previous key")
		})
	}
}

// Production settings send http on to https and set secure cookies. A server
// that believes the header of a proxy can be asked; one that does not cannot.
func TestDjangoThatWantsHTTPS(t *testing.T) {
	t.Parallel()
	for believes, extra := range map[bool]string{
		true:  "\nSECURE_SSL_REDIRECT = True\nSECURE_PROXY_SSL_HEADER = ('HTTP_X_FORWARDED_PROTO', 'https')\n",
		false: "\nSECURE_SSL_REDIRECT = True\n",
	} {
		p := djangotest.New(t, djangotest.Options{Flavour: djangotest.Cookies,
			Env: "DEBUG=False\nSECRET_KEY={SECRET_KEY}\nJWT_SECRET_KEY={KEY}\n"})
		settings, err := os.ReadFile(p.Settings)
		if err == nil {
			err = os.WriteFile(p.Settings, append(settings, extra...), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		server := p.Start(t, djangotest.ServerOptions{NoWait: true})
		b := djangoBench(t, p, server.URL)
		b.run.Options.Connections = 3
		b.user, b.password = p.CreateUser(t)
		b.account()
		if !listens(server.URL, 30*time.Second) {
			t.Fatalf("it does not listen: %s", server.Output())
		}
		if believes {
			b.wantPass(allLines...)
		} else {
			b.wantFail("insecure-url", "redirect to https")
		}
	}
}

// listens waits for a connection; the test project's own wait follows redirects.
func listens(url string, limit time.Duration) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://")); err == nil {
			_ = c.Close()
			return true
		}
	}
	return false
}
